"""Phone numbers: read as people write them, kept as E.164."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers

MAX_LENGTH = 32
UNLISTED = {"AC": "Ascension", "TA": "Tristan da Cunha", "XK": "Kosovo"}  # regions without a code of ISO's
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
LONGEST = 16  # of E.164: a plus and fifteen digits


@lru_cache(maxsize=1000)  # the installation's own numbers come again with every call
def to_e164(text: str) -> str:
    """The E.164 form of ``text``, which starts with + and may hold spaces, dots, hyphens and brackets.

    Possible is enough: the specification's own +1-415-555-0199 is no assigned number.

    Raises:
        ValueError: it cannot be a phone number.
    """
    if len(text) > MAX_LENGTH or not text.lstrip().startswith("+") or any(map(str.isalpha, text)):
        raise ValueError(f"Not an international phone number: {text!r}.")
    number = _read(text)
    # The library drops a trunk prefix, as in +44 (0)20. It also adds an area code to what is short in
    # Madagascar, drops one zero of two, and knows German numbers of 17 digits: who was meant?
    added = len(number) - 1 > sum(map(str.isdecimal, text))
    if added or len(number) > LONGEST or _read(number) != number:
        raise ValueError(f"Not an unambiguous phone number: {text!r}.")
    return number


def international(text: str, country: str) -> str:
    """The number with its country, for ``to_e164``: as dialled in ``country`` where it has none.

    ``country`` is a region of two letters, or empty; a number that cannot be read stays as it is.
    """
    text = text.strip()
    if text.startswith("00"):
        return f"+{text[2:]}"
    if text.startswith("+") or not country or any(map(str.isalpha, text)):
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def countries() -> Mapping[str, str]:
    """Every region that has numbers, with its name in English and how its numbers begin, by name."""
    # Not by the names that phonenumbers has: they are of every language, and take 200 MB.
    lines = files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t") for line in lines if not line.startswith("#")) | UNLISTED
    codes = {region: phonenumbers.country_code_for_region(region) for region in REGIONS}
    named = {region: f"{names.get(region, region)} (+{code})" for region, code in codes.items()}
    return dict(sorted(named.items(), key=lambda item: item[1]))


def _read(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"Not a phone number: {text!r}.") from error
    possible = phonenumbers.is_possible_number_with_reason(number)
    if number.extension or possible != phonenumbers.ValidationResult.IS_POSSIBLE:  # from abroad too
        raise ValueError(f"Not a possible phone number: {text!r}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def for_people(e164: str) -> str:
    """The number as people read it: ``+1 415-555-0199``."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def implied_zone(e164: str) -> str | None:
    """The IANA zone that the number implies; None where it implies none or several."""
    # Loaded on use: its prefix table costs a few megabytes that most processes never need.
    from phonenumbers import timezone

    zones = timezone.time_zones_for_number(phonenumbers.parse(e164))
    return zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None
