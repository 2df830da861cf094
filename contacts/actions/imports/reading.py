"""What a row says of a person, and what is wrong with it, by the rules for every contact."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from contacts.actions.imports import columns
from contacts.actions.people import e164, settle
from contacts.models import Contact, ContactImport
from contacts.states import Verdict
from temphone.lib import phone, words
from temphone.lib.errors import Invalid
from temphone.lib.spreadsheets import MOST_CELL, Cells

TEXTS = ("first_name", "last_name", "language", "company")
MOST_TAG = 50
ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
# What the model's own rules look at; the number and the zone are the action's.
UNRULED = {"id", "phone", "timezone", "tags", "attributes", "erased_at", "created_at", "updated_at"}


@dataclass(slots=True, kw_only=True)
class Reading:
    """One row: its values by field, and its problems."""

    number: int
    cells: Cells
    values: dict[str, object] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    @property
    def phone(self) -> str:
        """In E.164; empty where there is none."""
        return str(self.values.get("phone", ""))

    def complain(self, name: str, code: str, **more: object) -> None:
        """Note what is wrong with the value of a field."""
        place = self.places.get(name)
        value = self.cells[place] if place is not None and place < len(self.cells) else ""
        self.problems.append({"column": place, "value": value[:200], "code": code, **more})


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of the numbers of a batch."""

    contacts: Mapping[str, Contact]
    earlier: Mapping[str, int]  # the row of the same file that has the number


def read(number: int, cells: Cells, of: ContactImport) -> Reading:
    """The row by its columns; its number is in E.164, all else is as it stands."""
    row = Reading(number=number, cells=cells)
    tags, attributes = words.tags_of(of.tag), {}
    for place, target in enumerate(of.matches):
        cell = cells[place] if place < len(cells) else ""
        if target == columns.LEFT_OUT:
            continue
        row.places[target] = place
        if len(cell) > MOST_CELL:
            row.complain(target, "too_long", most=MOST_CELL)
        elif cell and target == columns.ATTRIBUTE:
            attributes[columns.attribute_name(of.columns[place]["name"], place)] = cell
        elif cell and target == "tags":
            tags += [tag for tag in words.tags_of(cell.replace(";", ",")) if tag not in tags]
        elif cell:
            row.values |= _values(target, cell)
    row.values |= {"tags": tags} if tags else {}
    row.values |= {"attributes": attributes} if attributes else {}
    _read_number(row, of.country)
    return row


def judge(row: Reading, known: Known, of: ContactImport) -> Verdict:
    """What importing the row means; adds the problems."""
    contact = known.contacts.get(row.phone)
    if row.phone and row.phone in known.earlier:
        row.complain("phone", "again", row=known.earlier[row.phone])
    _apply_rules(row, contact, of.timezone)
    if row.problems:
        return Verdict.PROBLEM
    if contact is None:
        return Verdict.NEW
    return Verdict.UPDATE if of.updates and changes(contact, row.values) else Verdict.SAME


def changes(contact: Contact, values: Mapping[str, object]) -> dict[str, object]:
    """What the values change of a contact: empty cells nothing; tags and attributes come beside others."""
    wanted: dict[str, object] = {name: value for name in (*TEXTS, "timezone") if (value := values.get(name))}
    tags, attributes = values.get("tags", []), values.get("attributes", {})
    if isinstance(tags, list) and isinstance(attributes, dict):
        wanted["tags"] = [*contact.tags, *(tag for tag in tags if tag not in contact.tags)]
        wanted["attributes"] = {**contact.attributes, **attributes}
    return {name: value for name, value in wanted.items() if value != getattr(contact, name)}


def _values(target: str, cell: str) -> dict[str, object]:
    if target == "name":
        return _names(cell)
    return {target: columns.zone_meant(cell) if target == "timezone" else cell}


def _names(text: str) -> dict[str, object]:
    """First and last name of ``Ada Byron`` or ``Byron, Ada``."""
    if "," in text:
        last, _, first = text.partition(",")
    else:
        first, _, last = text.partition(" ")
    named = {"first_name": first.strip(), "last_name": last.strip()}
    return {name: value for name, value in named.items() if value}


def _read_number(row: Reading, country: str) -> None:
    text = str(row.values.pop("phone", ""))
    if not text:
        row.complain("phone", "phone_missing")
        return
    try:
        row.values["phone"] = e164("phone", phone.international(text, country))
    except Invalid:
        row.complain("phone", _why(text, country))


def _why(text: str, country: str) -> str:
    if ROUNDED.fullmatch(text):
        return "phone_rounded"
    return "phone_bad" if country or text.startswith(("+", "00")) else "phone_country"


def _apply_rules(row: Reading, contact: Contact | None, default_zone: str) -> None:
    """The model's rules and the action's, on a contact that is not saved."""
    trial = Contact(**{name: value for name, value in row.values.items() if name in TEXTS})
    try:
        trial.clean_fields(exclude=UNRULED)
    except ValidationError as error:
        for name in error.message_dict:
            row.complain(
                _column_of(row, name), "too_long", most=getattr(trial._meta.get_field(name), "max_length", 0)
            )
    if any(len(tag) > MOST_TAG for tag in _texts(row.values.get("tags", []))):
        row.complain("tags", "too_long", most=MOST_TAG)
    if row.phone:
        _apply_zone_rule(row, trial, contact, default_zone)


def _apply_zone_rule(row: Reading, trial: Contact, contact: Contact | None, default_zone: str) -> None:
    trial.phone = row.phone
    trial.timezone = zone_of(row.values, contact, default_zone)
    try:
        settle(trial)
    except Invalid:
        name, code = ("timezone", "zone_unknown") if trial.timezone else ("phone", "zone_missing")
        row.complain(name, code)


def zone_of(values: Mapping[str, object], contact: Contact | None, default: str) -> str:
    """The row's own zone; else the one of whom we have, or what the number implies, or the import's."""
    if own := str(values.get("timezone", "")):
        return own
    return contact.timezone if contact else phone.implied_zone(str(values["phone"])) or default


def _column_of(row: Reading, name: str) -> str:
    return name if name in row.places else "name"


def _texts(values: object) -> Iterable[str]:
    return values if isinstance(values, Sequence) else []
