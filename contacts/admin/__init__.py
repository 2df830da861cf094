"""The back office's pages on people and numbers; importing them registers them."""

from contacts.admin.numbers import PhoneNumberAdmin, SuppressionAdmin
from contacts.admin.people import ConsentAdmin, ContactAdmin

__all__ = ["ConsentAdmin", "ContactAdmin", "PhoneNumberAdmin", "SuppressionAdmin"]
