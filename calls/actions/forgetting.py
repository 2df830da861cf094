"""What is not kept: recordings of an erased contact, and those older than recordings are kept."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from calls.actions.keeping import clear, delete_recordings, fail
from calls.models import Note, Recording
from contacts import actions as contacts
from contacts.models import Contact
from temphone.accounts.actors import Actor
from temphone.telephony.messages import RecordingProblem

AT_ONCE = 100

log = logging.getLogger(__name__)


@transaction.atomic
def erase_contact(*, actor: Actor, contact_id: str, now: datetime) -> Contact:
    """Forget who the person is, how they sounded, and what staff wrote of the calls.

    Whatever is recorded and not here yet stays unheard.

    Raises:
        Forbidden, NotFound
        Conflict: calls to the contact are scheduled or in progress; cancel them first.
    """
    contact = contacts.erase_contact(actor=actor, contact_id=contact_id, now=now)
    delete_recordings(Q(attempt__call__contact=contact_id), now=now)
    Note.objects.filter(call__contact=contact_id).delete()
    return contact


def forget_recordings(now: datetime, *, most: int = AT_ONCE) -> None:
    """Delete what has expired, give up what never came whole, and remove from the storage what is to go.

    A little of each at a time: while there is more, the clock rings again.
    """
    expired = list(Recording.objects.expired(now).order_by("created_at").values_list("pk", flat=True)[:most])
    delete_recordings(Q(pk__in=expired), now=now)
    for recording in Recording.objects.given_up(now)[:most]:
        fail(recording, RecordingProblem.LOST, now=now)
    for recording in Recording.objects.to_clear(now).order_by("clear_at")[:most]:
        _clear(recording, now)


def _clear(recording: Recording, now: datetime) -> None:
    try:
        clear(recording, now=now)
    except OSError as error:
        log.warning("The recording of %s is removed later: %s.", recording.pk, type(error).__name__)
