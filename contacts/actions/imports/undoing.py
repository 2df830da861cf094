"""Undoing an import: who was made by it goes, what it changed is as before, unless that changed since."""

import time
from collections.abc import Sequence

from django.db import transaction
from django.db.models import ProtectedError, Q, RestrictedError

from contacts.actions.imports.checking import BATCH
from contacts.actions.imports.lease import go_on, rest
from contacts.actions.imports.writing import change
from contacts.models import Contact, ContactImport, ImportRow
from contacts.states import ImportState, Kept
from temphone.accounts.models import AuditEntry


def undo(own: ContactImport, until: float) -> bool:
    """Go on undoing until that moment of the monotonic clock; whether there is more.

    Raises:
        Lost
    """
    acted = ImportRow.objects.filter(Q(is_made=True) | Q(before__isnull=False), of=own, contact__isnull=False)
    while batch := list(acted.filter(number__gt=own.position).order_by("number")[:BATCH]):
        _undo_batch(own, batch)
        if time.monotonic() >= until:
            return True
    _end(own)
    return False


@transaction.atomic
def _end(own: ContactImport) -> None:
    rest(own, ImportState.UNDONE)
    AuditEntry.record(own.actor(), "import.undone", own.pk, kept=own.kept)


@transaction.atomic
def _undo_batch(own: ContactImport, batch: Sequence[ImportRow]) -> None:
    # First: whoever lost it stops here.
    go_on(own, position=batch[-1].number, handled=own.handled + len(batch), tries=0)
    ids = sorted({str(row.contact_id) for row in batch})
    # As erasing locks them: whoever schedules a call meanwhile comes before this, or after.
    found = Contact.objects.present().select_for_update().filter(pk__in=ids).order_by("pk")
    contacts = {contact.pk: contact for contact in found}
    kept = _unmake(batch, contacts)
    kept |= _change_back([row for row in batch if not row.is_made], contacts)
    for reason in Kept:
        ImportRow.objects.filter(pk__in=[pk for pk, why in kept.items() if why == reason]).update(kept=reason)
    _audit(own, batch, contacts, kept)
    go_on(own, kept=own.kept + len(kept))


def _unmake(batch: Sequence[ImportRow], contacts: dict[str, Contact]) -> dict[int, Kept]:
    """Delete who was made; the rows of those who could not be, with the reason."""
    rows = {str(row.contact_id): row.pk for row in batch if row.is_made and str(row.contact_id) in contacts}
    called = set(Contact.objects.filter(pk__in=rows, calls__isnull=False).values_list("pk", flat=True))
    kept = {rows[pk]: Kept.HAS_CALLS for pk in called}
    free = sorted(rows.keys() - called)
    if not _deleted(free):
        kept |= {rows[pk]: Kept.IN_USE for pk in free if not _deleted([pk])}
    return kept


def _deleted(ids: Sequence[str]) -> bool:
    """Whether these could be deleted: nothing holds any of them."""
    try:
        with transaction.atomic():
            Contact.objects.filter(pk__in=ids).delete()
    except (ProtectedError, RestrictedError):
        return False
    return True


def _change_back(batch: Sequence[ImportRow], contacts: dict[str, Contact]) -> dict[int, Kept]:
    kept, back = {}, []
    for row in batch:
        contact, changed = contacts.get(str(row.contact_id)), row.before or {}
        if contact is None:
            continue
        still = {name: old for name, (old, new) in changed.items() if getattr(contact, name) == new}
        if len(still) < len(changed):
            kept[row.pk] = Kept.CHANGED
        if still:
            back.append((contact, still))
    change(back)
    return kept


def _audit(
    own: ContactImport, batch: Sequence[ImportRow], contacts: dict[str, Contact], kept: dict[int, Kept]
) -> None:
    actor = own.actor()
    AuditEntry.objects.bulk_create(
        AuditEntry.of(
            actor, "contact.delete" if row.is_made else "contact.change", str(row.contact_id), undone=own.pk
        )
        for row in batch
        if row.pk not in kept and str(row.contact_id) in contacts
    )
