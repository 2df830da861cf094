"""What a column of a file can be, and which it is by its name and its first values."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from temphone.lib import spreadsheets
from temphone.lib.clock import zone_names

LEFT_OUT = ""
ATTRIBUTE = "attribute"
# Each once in a file, but for attributes.
TARGETS = ("name", "first_name", "last_name", "phone", "timezone", "language", "company", "tags")
# How columns are called, folded: in English, Spanish, German and French.
NAMES = {
    "name": "name|full name|fullname|contact|contact name|customer|customer name|person|nombre completo|"
    "nom complet|kunde|ansprechpartner",
    "first_name": "first name|firstname|first|given name|forename|vorname|nombre|prenom",
    "last_name": "last name|lastname|last|surname|family name|nachname|apellido|apellidos|nom|nom de famille",
    "phone": "phone|phone number|phonenumber|telephone|telephone number|tel|mobile|mobile phone|"
    "mobile number|cell|cell phone|cellphone|number|msisdn|telefon|telefonnummer|handy|mobil|telefono|"
    "movil|numero|numero de telephone|portable",
    "timezone": "time zone|timezone|tz|zone|zeitzone|zona horaria|fuseau horaire",
    "language": "language|lang|locale|sprache|idioma|langue",
    "company": "company|company name|organisation|organization|org|firm|employer|business|account|firma|"
    "unternehmen|empresa|societe|entreprise",
    "tags": "tags|tag|labels|label|groups|group|segment|list|etiquetas|etiquettes",
}
BY_NAME = {name: target for target, names in NAMES.items() for name in names.split("|")}
LEFT_OUT_NAMES = {
    "id",
    "contact id",
    "created",
    "created at",
    "updated",
    "updated at",
    "row",
    "problem",
    "attributes",
}
MOST_ATTRIBUTE_NAME = 40


def guess(columns: Sequence[str], samples: Sequence[Sequence[str]]) -> list[str]:
    """What each column probably is. What has no meaning of ours becomes an attribute."""
    guessed = [BY_NAME.get(_folded(name), "") for name in columns]
    for place, values in enumerate(samples):
        guessed[place] = guessed[place] or _by_values(values)
    if "first_name" in guessed or "last_name" in guessed:
        guessed = ["" if target == "name" and "first_name" in guessed else target for target in guessed]
    if "last_name" in guessed and "first_name" not in guessed and "name" in guessed:
        guessed[guessed.index("name")] = "first_name"
    first = [target if guessed.index(target) == place else "" for place, target in enumerate(guessed)]
    return [
        target or _otherwise(name, values)
        for target, name, values in zip(first, columns, samples, strict=True)
    ]


def attribute_name(column: str, place: int) -> str:
    """The name by which a message says the column's value: ``Plan type`` is ``plan_type``.

    Messages know Latin letters alone: a column without one is called by its place, counted from 0.
    """
    name = "_".join(re.findall(r"[a-z0-9]+", _plain(column)))[:MOST_ATTRIBUTE_NAME].strip("_")
    if not name:
        return f"column_{place + 1}"
    return f"column_{name}" if name[0].isdigit() else name


def attributes_twice(columns: Sequence[str], matches: Sequence[str]) -> list[str]:
    """The attributes that two columns would give: one would overwrite the other."""
    given = [attribute_name(columns[place], place) for place, what in enumerate(matches) if what == ATTRIBUTE]
    return sorted({name for name in given if given.count(name) > 1})


@cache
def zone_by_name() -> dict[str, str]:
    """Every zone by its key without case, and by its city where only one zone has it."""
    cities: dict[str, list[str]] = {}
    for name in zone_names():
        if "/" in name and not name.startswith(("Etc/", "US/", "Canada/", "Brazil/", "Mexico/", "Chile/")):
            cities.setdefault(_zone_key(name.rsplit("/", 1)[1]), []).append(name)
    alone = {city: names[0] for city, names in cities.items() if len(names) == 1}
    return alone | {_zone_key(name): name for name in zone_names()}


def zone_meant(text: str) -> str:
    """The zone that a cell names by its key or its city; else the cell as it stands, for a rule to refuse."""
    return zone_by_name().get(_zone_key(text), text)


def _zone_key(text: str) -> str:
    return _plain(text).strip().replace(" ", "_")


def _by_values(values: Sequence[str]) -> str:
    if not values:
        return ""
    if all(spreadsheets.NUMBER.fullmatch(value) and _digits(value) >= 8 for value in values):
        plausible = any(value.startswith(("+", "0", "(")) or " " in value for value in values)
        return "phone" if plausible else ""
    return "timezone" if all("/" in value and _zone_key(value) in zone_by_name() for value in values) else ""


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _otherwise(name: str, values: Sequence[str]) -> str:
    return ATTRIBUTE if values and _folded(name) not in LEFT_OUT_NAMES else LEFT_OUT


def _folded(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", _plain(name)))


def _plain(text: str) -> str:
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in marks if not unicodedata.combining(mark))
