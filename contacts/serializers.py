"""The bodies that programs send about people and numbers, and how the API shows these."""

from rest_framework import serializers

from contacts.models import Consent, ConsentKind, Contact, Purpose, Suppression, SuppressionReason
from temphone.api.fields import (
    Body,
    BooleanField,
    InstantField,
    ObjectField,
    PhoneField,
    Shape,
    TextField,
    WordField,
    WordsField,
    ZoneField,
)
from temphone.lib.data import present


class ContactBody(Body):
    """A person; the zone may be left out where the number implies one."""

    first_name = TextField(most=100, required=False)
    last_name = TextField(most=100, required=False)
    phone = PhoneField()
    timezone = ZoneField(required=False)
    language = TextField(least=2, most=10, required=False)
    company = TextField(most=200, required=False)
    tags = WordsField(most=50, length=50, required=False)
    attributes = ObjectField(kilobytes=16, required=False)


class ConsentBody(Body):
    """A consent, or its express absence (kind ``none``)."""

    purpose = WordField(Purpose.values)
    kind = WordField(ConsentKind.values)
    source_ = TextField(least=1, most=100)
    evidence = TextField(most=5_000, required=False)
    captured_at = InstantField(required=False)


class RevocationBody(Body):
    """How it was learned that a consent holds no more."""

    how = TextField(least=1, most=100)


class SuppressionBody(Body):
    """A number that must not be called; with ``is_prefix``, all that begin with it."""

    number = TextField(least=1, most=32)
    is_prefix = BooleanField(required=False)
    reason = WordField(SuppressionReason.values, required=False)
    source_ = TextField(most=100, required=False)
    expires_at = InstantField(required=False)


class ContactData(Shape):
    """A person."""

    contact_id = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    phone = serializers.CharField(help_text="E.164.")
    timezone = serializers.CharField()
    language = serializers.CharField()
    company = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ConsentData(Shape):
    """A consent. What is unset is absent."""

    consent_id = serializers.IntegerField()
    contact_id = serializers.CharField()
    phone = serializers.CharField()
    purpose = serializers.ChoiceField(Purpose.choices)
    kind = serializers.ChoiceField(ConsentKind.choices)
    source_ = serializers.CharField()
    evidence = serializers.CharField(required=False)
    captured_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(required=False)
    revoked_at = serializers.DateTimeField(required=False)
    revoked_how = serializers.CharField(required=False)


class SuppressionData(Shape):
    """A number that must not be called. What is unset is absent."""

    suppression_id = serializers.IntegerField()
    number = serializers.CharField()
    is_prefix = serializers.BooleanField()
    reason = serializers.ChoiceField(SuppressionReason.choices)
    source_ = serializers.CharField(required=False)
    created_by = serializers.CharField(required=False)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(required=False)
    lifted_at = serializers.DateTimeField(required=False)
    lifted_by = serializers.CharField(required=False)


def contact_data(contact: Contact) -> dict[str, object]:
    """A contact as the API shows it."""
    return present(
        {
            "contact_id": contact.pk,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "phone": contact.phone,
            "timezone": contact.timezone,
            "language": contact.language,
            "company": contact.company,
            "tags": contact.tags,
            "attributes": contact.attributes,
            "created_at": contact.created_at,
            "updated_at": contact.updated_at,
        }
    )


def consent_data(consent: Consent) -> dict[str, object]:
    """A consent as the API shows it."""
    return present(
        {
            "consent_id": consent.pk,
            "contact_id": consent.contact_id,
            "phone": consent.phone,
            "purpose": consent.purpose,
            "kind": consent.kind,
            "source": consent.source,
            "evidence": consent.evidence or None,
            "captured_at": consent.captured_at,
            "recorded_by": consent.recorded_by or None,
            "revoked_at": consent.revoked_at,
            "revoked_how": consent.revoked_how or None,
        }
    )


def suppression_data(suppression: Suppression) -> dict[str, object]:
    """A suppression as the API shows it."""
    return present(
        {
            "suppression_id": suppression.pk,
            "number": suppression.number,
            "is_prefix": suppression.is_prefix,
            "reason": suppression.reason,
            "source": suppression.source or None,
            "created_by": suppression.created_by or None,
            "created_at": suppression.created_at,
            "expires_at": suppression.expires_at,
            "lifted_at": suppression.lifted_at,
            "lifted_by": suppression.lifted_by or None,
        }
    )
