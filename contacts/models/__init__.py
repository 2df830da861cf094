"""People, their consents, the numbers that must not be called, and the files that people come from."""

from contacts.models.destinations import CostlyKind, Destinations
from contacts.models.importing import ContactImport, ImportRow
from contacts.models.people import (
    MOST_FOUND,
    Consent,
    ConsentKind,
    Contact,
    ContactQuerySet,
    ContactWord,
    PhoneNumber,
    Purpose,
    Suppression,
    SuppressionQuerySet,
    SuppressionReason,
    WordField,
    validate_phone,
)

__all__ = [
    "MOST_FOUND",
    "Consent",
    "ConsentKind",
    "Contact",
    "ContactImport",
    "ContactQuerySet",
    "ContactWord",
    "CostlyKind",
    "Destinations",
    "ImportRow",
    "PhoneNumber",
    "Purpose",
    "Suppression",
    "SuppressionQuerySet",
    "SuppressionReason",
    "WordField",
    "validate_phone",
]
