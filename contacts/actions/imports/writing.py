"""The import itself: contacts made and changed, a batch of rows in one transaction."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Model, QuerySet

from contacts.actions.imports.checking import BATCH
from contacts.actions.imports.columns import ATTRIBUTE, attribute_name
from contacts.actions.imports.lease import go_on, rest
from contacts.actions.imports.reading import changes, zone_of
from contacts.actions.imports.store import remove
from contacts.actions.people import settle
from contacts.models import Contact, ContactImport, ContactTag, ContactWord, ImportRow, PhoneNumber
from contacts.states import ImportState, Verdict
from temphone import rows
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from temphone.lib.errors import Invalid

# The rows by which a contact is found: their column, and what it holds of one.
FOUND_BY: dict[type[Model], tuple[str, Callable[[Contact], set[str]]]] = {
    ContactWord: ("word", Contact.searched),
    ContactTag: ("tag", Contact.tagged_with),
}
Changed = Mapping[str, tuple[Contact, Mapping[str, object]]]  # by id, with what is set


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
    # Of the first people of the file, nothing is needed any more.
    names = [{**column, "samples": []} for column in own.columns]
    rest(own, ImportState.DONE, file="", columns=names)
    counts = {"made": own.made, "changed": own.changed, "problems": own.problems}
    AuditEntry.record(own.actor(), "import.done", own.pk, **counts)
    if file:
        transaction.on_commit(lambda: remove(own.pk))


@transaction.atomic
def _write_batch(own: ContactImport, batch: list[ImportRow]) -> None:
    # First: whoever lost it stops here.
    go_on(own, position=batch[-1].number, handled=own.handled + len(batch), tries=0)
    numbers = {row.phone for row in batch} - {""}
    # Two imports never make the same people: who comes second sees what the first has made.
    PhoneNumber.lock(numbers)
    known = _locked(numbers)
    # Anew: erasing somebody, which their lock keeps out from here on, may have emptied rows meanwhile.
    batch = list(ImportRow.objects.filter(pk__in=[row.pk for row in batch]).order_by("number"))
    made, refused = _new_people(own, [row for row in batch if row.phone not in known])
    there = [(row, known[row.phone]) for row in batch if row.phone in known]
    changed = {
        contact.pk: (contact, wanted)
        for row, contact in there
        if own.updates and (wanted := changes(contact, row.values))
    }
    _note([*there, *made], made={contact.pk for _, contact in made}, changed=changed)
    _refuse(own, refused)
    people = [contact for _, contact in made]
    rows.insert(Contact, people)
    for model in FOUND_BY:
        _write_found_by(model, people)
    change(changed.values())
    _audit(own, people, changed)
    go_on(
        own,
        made=own.made + len(made),
        changed=own.changed + len(changed),
        problems=own.problems + len(refused),
    )


Pairs = list[tuple[ImportRow, Contact]]
Refused = list[tuple[ImportRow, str]]  # with the code of the problem


def _new_people(own: ContactImport, batch: Iterable[ImportRow]) -> tuple[Pairs, Refused]:
    """Those whom these rows make, and the rows that cannot: what was asked at the check may hold no more."""
    made: Pairs = []
    refused: Refused = []
    for row in batch:
        if not row.phone:
            refused.append((row, "erased"))
            continue
        try:
            made.append((row, _new(row, own)))
        except Invalid:
            refused.append((row, "zone_missing"))
    return made, refused


def _note(pairs: Pairs, *, made: Collection[str], changed: Changed) -> None:
    """Write down what the rows did."""
    befores = {pk: _as_it_was(contact, wanted) for pk, (contact, wanted) in changed.items()}
    rows.update(
        ImportRow,
        matching=["id"],
        setting=["contact_id", "is_made", "before"],
        rows=[[row.pk, one.pk, one.pk in made, befores.get(one.pk)] for row, one in pairs],
    )


def _refuse(own: ContactImport, refused: Refused) -> None:
    """Make problems of rows that were none at the check."""
    place = own.matches.index("phone")
    values = []
    for row, code in refused:
        column = place if row.phone else None
        problem = {"column": column, "value": row.phone, "code": code}
        values.append([row.pk, Verdict.PROBLEM, _cells(own, row), [problem], {}])
    names = ["verdict", "cells", "problems", "values"]
    rows.update(ImportRow, matching=["id"], setting=names, rows=values)


def _cells(own: ContactImport, row: ImportRow) -> list[str]:
    """What a row says, in its columns again, for whoever downloads it to mend it."""
    if not row.phone:
        return []
    said = {**row.values, "tags": ", ".join(row.values.get("tags", []))}
    said["name"] = " ".join(filter(None, (said.get("first_name"), said.get("last_name"))))
    attributes = row.values.get("attributes", {})
    cells = []
    for place, target in enumerate(own.matches):
        name = attribute_name(own.columns[place]["name"], place)
        cells.append(attributes.get(name, "") if target == ATTRIBUTE else said.get(target, ""))
    return cells


def _locked(numbers: set[str]) -> dict[str, Contact]:
    """The contacts with these numbers as scheduling locks them, always in the same order."""
    found = Contact.objects.present().filter(phone__in=numbers)
    locked: QuerySet[Contact] = found.select_for_update(no_key=True).order_by("pk")
    return {one.phone: one for one in sorted(locked, key=lambda one: (one.created_at, one.pk), reverse=True)}


def _new(row: ImportRow, own: ContactImport) -> Contact:
    """Somebody new by the rules for every contact; whoever was there at the check may be no more.

    Raises:
        Invalid: there is no zone for them, and none is guessed.
    """
    now = clock.now()
    contact = Contact(**row.values, created_at=now, updated_at=now)
    contact.timezone = zone_of(row.values, None, own.timezone)
    settle(contact)
    return contact


def _as_it_was(contact: Contact, wanted: Mapping[str, object]) -> dict[str, object]:
    """What is changed, before and after: undoing looks whether it is still so."""
    return {name: [getattr(contact, name), value] for name, value in wanted.items()}


def _write_found_by(model: type[Model], contacts: Iterable[Contact]) -> None:
    """Write the rows of this kind by which these, that have none, are found."""
    name, texts_of = FOUND_BY[model]
    found = [
        {name: text, "contact_id": contact.pk} for contact in contacts for text in sorted(texts_of(contact))
    ]
    rows.insert(model, found)


def change(changed: Collection[tuple[Contact, Mapping[str, object]]]) -> None:
    """Set these values of these contacts, and the words and tags by which they are found."""
    names = ("first_name", "last_name", "company", "language", "timezone", "tags", "attributes", "updated_at")
    now, found_anew = clock.now(), defaultdict(list)
    for contact, wanted in changed:
        before = {model: texts_of(contact) for model, (_, texts_of) in FOUND_BY.items()}
        for name, value in {**wanted, "updated_at": now}.items():
            setattr(contact, name, value)
        for model, (_, texts_of) in FOUND_BY.items():
            if texts_of(contact) != before[model]:
                found_anew[model].append(contact)
    values = [[contact.pk, *(getattr(contact, name) for name in names)] for contact, _ in changed]
    rows.update(Contact, matching=["id"], setting=names, rows=values)
    for model in FOUND_BY:
        model._default_manager.filter(contact__in=found_anew[model]).delete()
        _write_found_by(model, found_anew[model])


def _audit(own: ContactImport, made: list[Contact], changed: Changed) -> None:
    actor = own.actor()
    entries = [AuditEntry.of(actor, "contact.add", one.pk, from_import=own.pk) for one in made]
    entries += [
        AuditEntry.of(actor, "contact.change", pk, from_import=own.pk, fields=sorted(wanted))
        for pk, (_, wanted) in changed.items()
    ]
    rows.insert(AuditEntry, entries)
