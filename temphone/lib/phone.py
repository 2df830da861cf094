"""Phone numbers: read as people write them, kept as E.164."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

MAX_LENGTH = 32
UNLISTED = {"AC": "Ascension", "TA": "Tristan da Cunha", "XK": "Kosovo"}  # regions without a code of ISO's
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
LONGEST = 16  # of E.164: a plus and fifteen digits
# What costs whoever calls more than a call to the country does, and earns somebody else: what Twilio calls
# "high-risk special numbers: premium numbers, special services, shared cost, and others", which most
# businesses never call. Source: twilio.com/docs/voice/api/dialing-permissions-resources. The numbers that
# follow a person are among them (+44 70), as their owner sets where they lead, and the price. Not universal
# access numbers: at the price of any other, +44 3 is half of Britain's offices.
COSTLY = {
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.PAGER: "pager",
}
# Satellites and networks of no country: +870, +881 to +883 and others. Source: ITU-T E.164, the list of
# assigned codes. Calls there are the dearest that there are, but for +800, which the callee pays.
NETWORK = "network"
NO_COUNTRY = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
FREEPHONE = 800


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number leads, as far as its digits tell."""

    region: str = ""  # of two letters; empty: of no country, or nobody knows of which
    kind: str = ""  # one of COSTLY, or NETWORK; empty: any other


@lru_cache(maxsize=10_000)  # a call that waits for a line is looked at many times a second
def place_of(e164: str) -> Place:
    """Where the number leads; 25 to 55 us, for the first time."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return Place()
    region = phonenumbers.region_code_for_number(number) or ""
    sharing = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    if not region and len(sharing) == 1:
        (region,) = sharing  # no plan has it, but nobody else has its code
    kind = _costly(number)
    if region == NO_COUNTRY:
        return Place(kind=kind or ("" if number.country_code == FREEPHONE else NETWORK))
    return Place(region=region, kind=kind)


def _costly(number: PhoneNumber) -> str:
    """Its kind, of COSTLY; also of a number with digits behind its end, which many networks pass over."""
    kind = phonenumbers.number_type(number)
    if kind != PhoneNumberType.UNKNOWN:
        return COSTLY.get(kind, "")
    shorter = PhoneNumber()
    shorter.merge_from(number)
    while shorter.national_number:
        shorter.national_number //= 10
        if _is_possible(shorter) and (found := COSTLY.get(phonenumbers.number_type(shorter))):
            return found
    return ""


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
    if number.extension or not _is_possible(number):
        raise ValueError(f"Not a possible phone number: {text!r}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_possible(number: PhoneNumber) -> bool:
    """Whether it has as many digits as it may, for who calls from abroad too."""
    return bool(phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE)


@lru_cache(maxsize=4096)  # a page of calls that is open is asked for every few seconds
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
