"""Public identifiers: a prefix that tells the kind, then twelve random characters."""

import secrets
import string

ALPHABET = string.digits + string.ascii_lowercase
LENGTH = 12
# A random byte as a character; the last four bytes are left out, or four characters would come more often.
EVEN = 256 - 256 % len(ALPHABET)
CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
UNEVEN = bytes(range(EVEN, 256))


def random_text(length: int) -> str:
    """Random lowercase base-36 text of ``length`` characters, fit for secrets."""
    text = ""
    while len(text) < length:
        # A few more than are wanted, for those that are left out.
        text += secrets.token_bytes(length + 8).translate(CHARACTERS, UNEVEN).decode("ascii")
    return text[:length]


CALL, CONTACT = "call_", "ctc_"  # how their ids begin


def new_id(prefix: str) -> str:
    """A new identifier such as ``call_1j2kd9x0p3qz`` (36**12 values: 62 bits)."""
    return f"{prefix}_{random_text(LENGTH)}"


def call_id() -> str:
    """A new id of a call."""
    return new_id("call")


def call_ids(count: int) -> list[str]:
    """So many new ids of calls."""
    text = random_text(LENGTH * count)
    return [f"call_{text[start : start + LENGTH]}" for start in range(0, len(text), LENGTH)]


def contact_id() -> str:
    """A new id of a contact."""
    return new_id("ctc")


def campaign_id() -> str:
    """A new id of a campaign."""
    return new_id("camp")


def trunk_id() -> str:
    """A new id of a trunk."""
    return new_id("trk")


def number_id() -> str:
    """A new id of a number that we call from."""
    return new_id("num")


def agent_id() -> str:
    """A new id of an agent."""
    return new_id("agt")


def import_id() -> str:
    """A new id of an import of contacts."""
    return new_id("imp")


def endpoint_id() -> str:
    """A new id of an endpoint of webhooks."""
    return new_id("hook")


def attempt_id() -> str:
    """A new id of an attempt; the carrier sees it as our idempotency key."""
    return new_id("att")
