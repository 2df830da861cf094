"""People, consents and suppressions for programs."""

from rest_framework.request import Request
from rest_framework.response import Response

from calls.actions.suppression import suppress
from contacts.actions import (
    add_consent,
    get_contact,
    get_suppression,
    lift_suppression,
    revoke_consent,
    save_contact,
)
from contacts.models import Contact, Suppression
from contacts.serializers import (
    ConsentBody,
    ConsentData,
    ContactBody,
    ContactData,
    RevocationBody,
    SuppressionBody,
    SuppressionData,
    consent_data,
    contact_data,
    suppression_data,
)
from temphone.api.base import ApiView
from temphone.api.document import PAGE, operation, page_of, query
from temphone.api.envelope import Answer
from temphone.api.pagination import page

MAX_SEARCH = 200


class Contacts(ApiView):
    """The people whom we may call."""

    @operation(
        "listContacts",
        data=page_of(ContactData),
        parameters=[query("q", "Words to find."), query("tag", "A tag that they have."), *PAGE],
    )
    def get(self, _request: Request) -> Response:
        """List contacts, the newest first; ``q`` finds words of a name, company, number or id."""
        search = self.query.text("q") or ""
        if len(search) > MAX_SEARCH:
            raise self.query.bad("q", f"must not exceed {MAX_SEARCH} characters.")
        found = Contact.objects.present().matching(search)
        if tag := self.query.text("tag"):
            found = found.with_tag(tag)
        return Answer(page(found, self.query, by="created_at", render=contact_data))

    @operation("addContact", body=ContactBody, data=ContactData, status=201)
    def post(self, request: Request) -> Response:
        """Add a contact."""
        contact = save_contact(
            actor=self.actor, contact_id=None, values=ContactBody.read(request), now=self.now
        )
        return Answer(contact_data(contact), "Contact added.", status=201)


class ContactDetail(ApiView):
    """One person."""

    @operation("getContact", data=ContactData)
    def get(self, _request: Request, contact_id: str) -> Response:
        """Show the contact."""
        return Answer(contact_data(get_contact(contact_id)))

    @operation("changeContact", body=ContactBody, data=ContactData)
    def patch(self, request: Request, contact_id: str) -> Response:
        """Change the contact; calls that are scheduled ring the new number."""
        values = ContactBody.read(request, partial=True)
        contact = save_contact(actor=self.actor, contact_id=contact_id, values=values, now=self.now)
        return Answer(contact_data(contact), "Contact changed.")


class Consents(ApiView):
    """A person's consents, given and revoked."""

    @operation("listConsents", data=page_of(ConsentData), parameters=PAGE)
    def get(self, _request: Request, contact_id: str) -> Response:
        """List the contact's consents, the latest first."""
        consents = get_contact(contact_id).consents.all()
        return Answer(page(consents, self.query, by="captured_at", render=consent_data))

    @operation("addConsent", body=ConsentBody, data=ConsentData, status=201)
    def post(self, request: Request, contact_id: str) -> Response:
        """Record a consent."""
        values = ConsentBody.read(request)
        consent = add_consent(actor=self.actor, contact_id=contact_id, **values, now=self.now)
        return Answer(consent_data(consent), "Consent recorded.", status=201)


class RevokeConsent(ApiView):
    """The end of a consent."""

    @operation("revokeConsent", body=RevocationBody, data=ConsentData, also={409: None})
    def post(self, request: Request, consent_id: int) -> Response:
        """Record that the consent holds no more."""
        values = RevocationBody.read(request)
        consent = revoke_consent(actor=self.actor, consent_id=consent_id, **values, now=self.now)
        return Answer(consent_data(consent), "Consent revoked.")


class Suppressions(ApiView):
    """The numbers that must not be called."""

    @operation("listSuppressions", data=page_of(SuppressionData), parameters=PAGE)
    def get(self, _request: Request) -> Response:
        """List suppressions, the newest first, those that were lifted among them."""
        return Answer(page(Suppression.objects.all(), self.query, by="created_at", render=suppression_data))

    @operation("suppressNumber", body=SuppressionBody, data=SuppressionData, status=201)
    def post(self, request: Request) -> Response:
        """Suppress a number: its scheduled calls are canceled, what rings is hung up."""
        suppression = suppress(actor=self.actor, **SuppressionBody.read(request), now=self.now)
        return Answer(suppression_data(suppression), "Number suppressed.", status=201)


class SuppressionDetail(ApiView):
    """One suppression."""

    @operation("getSuppression", data=SuppressionData)
    def get(self, _request: Request, suppression_id: int) -> Response:
        """Show the suppression."""
        return Answer(suppression_data(get_suppression(suppression_id)))


class LiftSuppression(ApiView):
    """The end of a suppression."""

    @operation("liftSuppression", data=SuppressionData, also={409: None})
    def post(self, _request: Request, suppression_id: int) -> Response:
        """Let the number be called again."""
        suppression = lift_suppression(actor=self.actor, suppression_id=suppression_id, now=self.now)
        return Answer(suppression_data(suppression), "Suppression lifted.")
