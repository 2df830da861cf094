"""Public identifiers: a prefix that tells the kind, then twelve random characters."""

import secrets
import string

ALPHABET = string.digits + string.ascii_lowercase
LENGTH = 12


def random_text(length: int) -> str:
    """Random lowercase base-36 text of ``length`` characters, fit for secrets."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


CALL, CONTACT = "call_", "ctc_"  # how their ids begin


def new_id(prefix: str) -> str:
    """A new identifier such as ``call_1j2kd9x0p3qz`` (36**12 values: 62 bits)."""
    return f"{prefix}_{random_text(LENGTH)}"


def call_id() -> str:
    """A new id of a call."""
    return new_id("call")


def contact_id() -> str:
    """A new id of a contact."""
    return new_id("ctc")


def campaign_id() -> str:
    """A new id of a campaign."""
    return new_id("camp")


def attempt_id() -> str:
    """A new id of an attempt; the carrier sees it as our idempotency key."""
    return new_id("att")
