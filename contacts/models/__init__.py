"""People, their consents, the numbers that must not be called, and the files that people come from."""

from contacts.models.destinations import CostlyKind, Destinations
from contacts.models.importing import ContactImport, ImportRow
from contacts.models.people import (
    MOST_FOUND,
    Consent,
    ConsentKind,
    Contact,
    ContactQuerySet,
    ContactTag,
    ContactWord,
    PhoneNumber,
    Purpose,
    Suppression,
    SuppressionQuerySet,
    SuppressionReason,
    WordField,
    validate_phone,
)
from contacts.models.tags import tags_in_use

__all__ = [
    "MOST_FOUND",
    "Consent",
    "ConsentKind",
    "Contact",
    "ContactImport",
    "ContactQuerySet",
    "ContactTag",
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
    "tags_in_use",
    "validate_phone",
]
