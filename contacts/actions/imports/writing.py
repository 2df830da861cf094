"""The import itself: contacts made and changed, a batch of rows in one transaction."""

import time
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import QuerySet

from contacts.actions.imports.checking import BATCH
from contacts.actions.imports.lease import go_on, rest
from contacts.actions.imports.reading import changes
from contacts.actions.imports.store import remove
from contacts.models import Contact, ContactImport, ContactWord, ImportRow, PhoneNumber
from contacts.states import ImportState, Verdict
from temphone import rows
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from temphone.lib.phone import implied_zone

OWN = {"zone_if_new", "timezone"}  # values of a row that are no columns of somebody new


def write(own: ContactImport, until: float) -> bool:
    """Go on with the import until that moment of the monotonic clock; whether there is more.

    Raises:
        Lost
    """
    good = ImportRow.objects.filter(of=own, verdict__in=(Verdict.NEW, Verdict.UPDATE))
    while batch := list(good.filter(number__gt=own.position).order_by("number")[:BATCH]):
        _write_batch(own, batch)
        if time.monotonic() >= until:
            return True
    _end(own)
    return False


@transaction.atomic
def _end(own: ContactImport) -> None:
    file = own.file
    rest(own, ImportState.DONE, file="")
    counts = {"made": own.made, "changed": own.changed, "problems": own.problems}
    AuditEntry.record(own.actor(), "import.done", own.pk, **counts)
    if file:
        transaction.on_commit(lambda: remove(own.pk))


@transaction.atomic
def _write_batch(own: ContactImport, batch: list[ImportRow]) -> None:
    # First: whoever lost it stops here, and two never make the same people.
    go_on(own, position=batch[-1].number, handled=own.handled + len(batch))
    known = _locked({row.phone for row in batch})
    made = [_new(row) for row in batch if row.phone not in known]
    changed = {
        contact.pk: (contact, wanted)
        for row in batch
        if (contact := known.get(row.phone)) and (wanted := changes(contact, row.values))
    }
    contacts = known | {contact.phone: contact for contact in made}
    befores = {pk: _as_it_was(contact, wanted) for pk, (contact, wanted) in changed.items()}
    is_new = {contact.pk for contact in made}
    rows.update(
        ImportRow,
        matching=["id"],
        setting=["contact_id", "is_made", "before"],
        rows=[[row.pk, (pk := contacts[row.phone].pk), pk in is_new, befores.get(pk)] for row in batch],
    )
    _make(made)
    change(changed.values())
    _audit(own, made, changed)
    go_on(own, made=own.made + len(made), changed=own.changed + len(changed))


def _locked(numbers: set[str]) -> dict[str, Contact]:
    """The contacts with these numbers as scheduling locks them, always in the same order."""
    found = Contact.objects.present().filter(phone__in=numbers)
    locked: QuerySet[Contact] = found.select_for_update(no_key=True).order_by("pk")
    return {one.phone: one for one in sorted(locked, key=lambda one: (one.created_at, one.pk), reverse=True)}


def _new(row: ImportRow) -> Contact:
    values = {name: value for name, value in row.values.items() if name not in OWN}
    # Of somebody who was there at the check, and is no more, the zone was not asked.
    zone = row.values.get("zone_if_new") or row.values.get("timezone") or implied_zone(row.phone) or "UTC"
    now = clock.now()
    return Contact(**values, timezone=zone, created_at=now, updated_at=now)


def _as_it_was(contact: Contact, wanted: Mapping[str, object]) -> dict[str, object]:
    """What is changed, before and after: undoing looks whether it is still so."""
    return {name: [getattr(contact, name), value] for name, value in wanted.items()}


def _make(made: list[Contact]) -> None:
    rows.insert(Contact, made)
    write_words(made)
    numbers = [PhoneNumber(e164=contact.phone) for contact in made]
    PhoneNumber.objects.bulk_create(numbers, ignore_conflicts=True)


def write_words(contacts: Iterable[Contact]) -> None:
    """Write the words by which these, that have none, are found."""
    words = [
        {"word": word, "contact_id": contact.pk}
        for contact in contacts
        for word in sorted(contact.searched())
    ]
    rows.insert(ContactWord, words)


def change(changed: Collection[tuple[Contact, Mapping[str, object]]]) -> None:
    """Set these values of these contacts, and the words by which they are found."""
    names = ("first_name", "last_name", "company", "language", "timezone", "tags", "attributes", "updated_at")
    now, found_anew = clock.now(), []
    for contact, wanted in changed:
        words = contact.searched()
        for name, value in {**wanted, "updated_at": now}.items():
            setattr(contact, name, value)
        if contact.searched() != words:
            found_anew.append(contact)
    values = [[contact.pk, *(getattr(contact, name) for name in names)] for contact, _ in changed]
    rows.update(Contact, matching=["id"], setting=names, rows=values)
    ContactWord.objects.filter(contact__in=found_anew).delete()
    write_words(found_anew)


def _audit(
    own: ContactImport, made: list[Contact], changed: Mapping[str, tuple[Contact, Mapping[str, object]]]
) -> None:
    actor = own.actor()
    entries = [AuditEntry.of(actor, "contact.add", one.pk, from_import=own.pk) for one in made]
    entries += [
        AuditEntry.of(actor, "contact.change", pk, from_import=own.pk, fields=sorted(wanted))
        for pk, (_, wanted) in changed.items()
    ]
    rows.insert(AuditEntry, entries)
