"""Have one's own phone called, to hear a call as those will who are called."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from calls.actions.scheduling import CallRequest, schedule_call
from calls.models import Call, Number
from contacts.actions import contact_of_own_phone
from temphone.accounts.models import Mode, User
from temphone.lib.clock import iso

AT_ONCE = timedelta(seconds=1)  # a call is scheduled for a time to come
TEMPLATE_SIGNS = re.compile(r"[{<]")


@transaction.atomic
def call_own_phone(*, user: User, number: str, request: CallRequest, now: datetime) -> Call:
    """Call the person's own phone now; they have said that it is theirs. It is kept for the next time.

    The message of ``request`` is spoken as it stands: it is rendered already, for whoever it is meant for.
    Live where there are real lines; else the simulated network answers. Every gate is asked as for anybody.

    Raises:
        Forbidden, NotFound, Refused: as scheduling would.
        Invalid: the number.
    """
    actor = user.actor()
    name = user.get_short_name() or user.username
    contact = contact_of_own_phone(actor=actor, number=number, name=name, timezone=user.timezone, now=now)
    mine = replace(
        request,
        contact_id=contact.pk,
        scheduled_at=iso(now + AT_ONCE),
        timezone=None,
        initial_message=literal(request.initial_message),
        webhook_url="",
    )
    mode = Mode.LIVE if Number.objects.for_live() else Mode.TEST
    call = schedule_call(actor=actor, mode=mode, request=mine, now=now).call
    User.objects.filter(pk=user.pk).update(phone=contact.phone)
    return call


def literal(text: str) -> str:
    """A template that is rendered as exactly this text."""
    return TEMPLATE_SIGNS.sub(r'{{ "\g<0>" }}', text)
