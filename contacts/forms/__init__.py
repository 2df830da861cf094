"""What staff type about people, numbers and files, and what it means."""

from contacts.forms.people import (
    MENDS,
    ConsentForm,
    ContactForm,
    RevokeForm,
    SuppressForm,
    values_of,
    zone_choices,
)

__all__ = [
    "MENDS",
    "ConsentForm",
    "ContactForm",
    "RevokeForm",
    "SuppressForm",
    "values_of",
    "zone_choices",
]
