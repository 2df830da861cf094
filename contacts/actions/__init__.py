"""Every change to people, their consents and the numbers that must not be called, as a verb."""

from contacts.actions.people import (
    add_consent,
    contact_of_own_phone,
    e164,
    erase_contact,
    get_contact,
    get_suppression,
    lift_suppression,
    revoke_consent,
    save_contact,
    suppress_number,
    suppressible,
)

__all__ = [
    "add_consent",
    "contact_of_own_phone",
    "e164",
    "erase_contact",
    "get_contact",
    "get_suppression",
    "lift_suppression",
    "revoke_consent",
    "save_contact",
    "suppress_number",
    "suppressible",
]
