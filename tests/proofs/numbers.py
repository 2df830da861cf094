"""What somebody writes as a phone number is refused, or dialled as the very digits that they wrote.

Each case is a possible number of some country, written as people and programs write numbers, and spoilt by
chance. The oracle reads nothing but digits: it knows no country and no numbering plan.
"""

import logging
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, partial

import phonenumbers
from phonenumbers import PhoneNumberFormat

from temphone.lib.phone import to_e164
from tests.proofs.battery import Broken, Proof, Tally, Trial

Read = Callable[[str], str]

logger = logging.getLogger(__name__)

E164 = re.compile(r"\+[1-9][0-9]{4,14}")
BRACKETED_ZERO = re.compile(r"\(0\)")  # +44 (0)20 7946 0018: for callers from inside
# What some dial before a number inside of their country, and never from outside.
TRUNKS = ("0", "8", "80", "06", "1")
FORMATS = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966)
SEPARATORS = " -.()/\u00a0\u2010\u2011\u2013\u200b\u202d~\t"
# Digits of other scripts, by their zero (fullwidth, Arabic, Devanagari, bold): as good as ours, or refused.
SCRIPTS = tuple("".join(chr(zero + digit) for digit in range(10)) for zero in (0xFF10, 0x660, 0x966, 0x1D7CE))
SPOILT = (
    *("ext. 5", "x5", "#12", ";ext=12", ",,9", ";phone-context=+1", "tel:", "FLOWERS", "²", "½", "\0", "+"),
    *("00", "(0)", "0", "9" * 20, "\n", "\u202e", "é", "'; DROP TABLE", "{{ phone }}", "=cmd"),
)


@cache
def examples() -> Sequence[phonenumbers.PhoneNumber]:
    """A number of each kind of each country; it takes the library a while to read them all."""
    return [
        number
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in sorted(phonenumbers.PhoneNumberType.values())
        if (number := phonenumbers.example_number_for_type(region, kind))
    ]


def written(chance: random.Random) -> str:
    """A number as somebody might write it."""
    text = phonenumbers.format_number(chance.choice(examples()), chance.choice(FORMATS))
    text = text if chance.random() < 0.2 else text.removeprefix("tel:")
    for _ in range(chance.choice((0, 0, 1, 2, 4))):
        text = _with(text, chance.choice(SEPARATORS), chance)
    if chance.random() < 0.1:
        text = text.translate(str.maketrans("0123456789", chance.choice(SCRIPTS)))
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        text = _with(text, chance.choice(SPOILT), chance)
    if chance.random() < 0.1:
        text = text[chance.randrange(len(text)) :]
    return text[: chance.randrange(1, len(text) + 1)] if text and chance.random() < 0.1 else text


def _with(text: str, part: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + part + text[place:]


def digits_of(text: str) -> str:
    """The decimal digits in it, of whatever script."""
    return "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())


def may_mean(text: str) -> set[str]:
    """The digits that somebody who wrote this may want dialled: all; or without one trunk prefix."""
    digits = digits_of(text)
    return {
        digits,
        digits_of(BRACKETED_ZERO.sub("", text)),
        *(
            digits[:code] + digits[code + len(trunk) :]
            for code in (1, 2, 3)
            for trunk in TRUNKS
            if digits.startswith(trunk, code)
        ),
    }


def judged(read: Read, trial: Trial) -> Tally:
    """Read so many numbers, and flag what came out otherwise than it was written."""
    chance, tally = trial.chance, Tally()
    for _ in range(trial.cases):
        text = written(chance)
        if problem := _problem(read, text, tally):
            tally.flag(problem, folder=trial.folder, written=text)
        tally.cases += 1
    return tally


def _problem(read: Read, text: str, tally: Tally) -> str:
    try:
        number = read(text)
    except ValueError:
        tally.counts["refused"] += 1
        return ""
    except Exception as error:
        logger.debug("It raised.", exc_info=True)
        return f"{text!r} raised {type(error).__name__}"
    tally.counts["read"] += 1
    if not E164.fullmatch(number) or read(number) != number:
        return f"{text!r} was read as {number!r}, which is no E.164"
    if number[1:] not in may_mean(text):
        return f"{text!r} would be dialled as {number}"
    return ""


def run(trial: Trial) -> Tally:
    """The product, for the battery."""
    return judged(to_e164, trial)


# The mistakes.


def _formatted(number: phonenumbers.PhoneNumber) -> str:
    if not phonenumbers.is_possible_number(number):
        raise ValueError("Not a possible phone number.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _parsed(text: str, region: str | None) -> str:
    try:
        return _formatted(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException as error:
        raise ValueError("Not a phone number.") from error


def at_home(text: str) -> str:
    """What has no plus belongs to the installation's country."""
    return _parsed(text, "US")


def by_letters(text: str) -> str:
    """Letters are read as the keys that they stand on."""
    return _parsed(text, None)


def by_its_digits(text: str) -> str:
    """Whatever is no digit is left out."""
    digits = digits_of(text)
    if not 7 <= len(digits) <= 15:
        raise ValueError("Not a phone number.")
    return f"+{digits}"


PROOF = Proof(
    name="numbers",
    shows="What is written as a phone number is refused, or dialled as the very digits that were written.",
    unit="numbers",
    small=5_000,
    full=500_000,
    chunk=100_000,
    run=run,
    databases=("sqlite",),
    asks_database=False,
    broken={
        "at_home": Broken(run=partial(judged, at_home), seen_by="would be dialled as"),
        "by_letters": Broken(run=partial(judged, by_letters), seen_by="would be dialled as"),
        "by_its_digits": Broken(run=partial(judged, by_its_digits), seen_by="which is no E.164"),
    },
    broken_cases=5_000,
)
