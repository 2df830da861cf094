from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote  # an id after "_" may read as an escape
from django.contrib.messages import get_messages
from django.urls import reverse

from calls.states import CallStatus
from contacts.models import Consent, Contact, Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from tests.admin.conftest import logged_in
from tests.builders import a_call, a_contact

LIST = "/admin/contacts/contact/"
ADD = f"{LIST}add/"
NUMBERS = "/admin/contacts/suppression/"
SOMEBODY = {
    "first_name": "Zoë",
    "last_name": "Ruiz",
    "phone": "+34 911-23-45 67",
    "timezone": "",
    "company": "Acme",
    "language": "es",
    "tags": "gold, new, gold",
    "attributes": "plan: Gold",
    "consents-TOTAL_FORMS": "0",
    "consents-INITIAL_FORMS": "0",
}


def page_of(contact: Contact) -> str:
    return reverse("admin:contacts_contact_change", args=[quote(contact.pk)])


def told(answer) -> list[str]:
    return [message.message for message in get_messages(answer.wsgi_request)]


def listed(client, **query: str) -> set[str]:
    return {row.pk for row in client.get(LIST, query).context["cl"].result_list}


def test_a_contact_is_added_its_number_normalised_and_its_zone_derived(office):
    assert office.post(ADD, SOMEBODY).status_code == 302
    contact = Contact.objects.get()
    assert (contact.name, contact.phone, contact.timezone) == ("Zoë Ruiz", "+34911234567", "Europe/Madrid")
    assert (contact.tags, contact.attributes) == (["gold", "new"], {"plan": "Gold"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor_label) == ("contact.add", contact.pk, "Ada")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("phone", "911 23 45 67", "with its country"),
        ("phone", "", "required"),
        ("phone", "+1 415 555 0100 ext. 5", "with its country"),
        ("timezone", "Mars/Phobos", "valid choice"),
        ("phone", "+1 800 555 0100", "several time zones"),
        ("attributes", "no colon", "name: value"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(office, field, value, problem):
    answer = office.post(ADD, {**SOMEBODY, field: value})
    assert answer.status_code == 200
    assert problem in str(answer.context["adminform"].errors)
    assert not Contact.objects.exists()


def test_a_contact_is_changed(office):
    contact = a_contact(tags=["gold"], attributes={"plan": "Gold"})
    page = office.get(page_of(contact)).content.decode()
    assert 'value="gold"' in page
    assert "plan: Gold" in page
    office.post(page_of(contact), {**SOMEBODY, "timezone": "Europe/London"})
    contact.refresh_from_db()
    assert (contact.first_name, contact.phone, contact.timezone) == ("Zoë", "+34911234567", "Europe/London")
    assert AuditEntry.objects.get().action == "contact.change"


def test_numbers_are_readable(office):
    a_contact(phone="+14155550100")
    assert "+1 415-555-0100" in office.get(LIST).content.decode()


@pytest.mark.parametrize("words", ["ruiz", "acme", "zoë ruiz", "+34 911", "91123"])
def test_it_finds_by_name_number_and_company(office, words):
    wanted = a_contact(first_name="Zoë", last_name="Ruiz", phone="+34911234567", company="Acme")
    a_contact()
    assert listed(office, q=words) == {wanted.pk}


def test_it_narrows_by_zone_language_and_suppression(office):
    here = a_contact(timezone="Europe/Madrid", language="es")
    there = a_contact(phone="+19005550100")
    free = a_contact()
    Suppression.objects.create(number=here.phone)
    Suppression.objects.create(number="+1900", is_prefix=True)
    Suppression.objects.create(number=free.phone, lifted_at=clock.now())
    Suppression.objects.create(number=free.phone, expires_at=clock.now() - timedelta(days=1))
    assert listed(office, timezone="Europe/Madrid") == {here.pk}
    assert listed(office, language="es") == {here.pk}
    assert listed(office, callable="no") == {here.pk, there.pk}
    assert listed(office, callable="yes") == {free.pk}


# Consents


def consent_form(**fields: str) -> dict[str, str]:
    given = {"purpose": "marketing", "kind": "written", "source": "web form", "evidence": "", **fields}
    moment = {"captured_at_0": "2026-03-15", "captured_at_1": "15:00:00"}
    rows = {f"consents-0-{name}": value for name, value in (given | moment).items()}
    return {**SOMEBODY, "consents-TOTAL_FORMS": "1", **rows}


def test_a_consent_is_added_on_the_contact_page(office):
    contact = a_contact()
    office.post(page_of(contact), consent_form())
    consent = contact.consents.get()
    assert (consent.purpose, consent.kind, consent.source) == ("marketing", "written", "web form")
    assert (consent.phone, consent.recorded_by) == ("+34911234567", "Ada (admin)")
    assert AuditEntry.objects.filter(action="consent.add", target=contact.pk).exists()


def test_a_consent_is_added_with_a_new_contact(office):
    office.post(ADD, consent_form())
    assert Consent.objects.get().contact == Contact.objects.get()


def test_a_consent_in_the_future_is_refused_and_nothing_is_saved(office):
    answer = office.post(ADD, {**consent_form(), "consents-0-captured_at_0": "2999-01-01"})
    assert told(answer) == ["Field 'captured_at' must not be in the future."]
    assert not Contact.objects.exists()


def test_a_consent_there_is_is_never_changed(office):
    contact = a_contact()
    office.post(page_of(contact), consent_form())
    consent = contact.consents.get()
    changed = consent_form(kind="none", source="forged")
    changed |= {"consents-INITIAL_FORMS": "1", "consents-0-id": str(consent.pk), "consents-0-DELETE": "on"}
    office.post(page_of(contact), changed)
    assert (contact.consents.get().kind, contact.consents.get().source) == ("written", "web form")


def test_a_consent_is_revoked_after_asking(office):
    contact = a_contact()
    office.post(page_of(contact), consent_form())
    chosen = {"action": "revoke", "_selected_action": str(Consent.objects.get().pk)}
    asked = office.post("/admin/contacts/consent/", chosen)
    assert "permit no call" in asked.content.decode()
    assert Consent.objects.get().revoked_at is None
    office.post("/admin/contacts/consent/", {**chosen, "confirmed": "yes"})
    assert Consent.objects.get().revoked_how == "in the back office"


# Erased


def test_a_contact_is_erased_after_asking(office):
    contact = a_contact(company="Acme")
    chosen = {"action": "erase", "_selected_action": contact.pk}
    assert "cannot be undone" in office.post(LIST, chosen).content.decode()
    contact.refresh_from_db()
    assert contact.erased_at is None
    answer = office.post(LIST, {**chosen, "confirmed": "yes"})
    contact.refresh_from_db()
    assert contact.erased_at
    assert (contact.first_name, contact.phone) == ("", "")
    assert told(answer) == ["Contacts erased: 1."]
    assert listed(office) == set()
    assert listed(office, erased="yes") == {contact.pk}
    assert office.post(page_of(contact), SOMEBODY).status_code == 403


def test_a_contact_with_calls_to_come_is_not_erased(office):
    contact = a_call().contact
    answer = office.post(LIST, {"action": "erase", "_selected_action": contact.pk, "confirmed": "yes"})
    assert told(answer) == [
        "Calls to this contact are scheduled or in progress. Cancel them first. (1)",
    ]
    contact.refresh_from_db()
    assert contact.erased_at is None


def test_an_operator_erases_nobody(db):
    contact = a_contact()
    client = logged_in(Role.OPERATOR)
    client.post(LIST, {"action": "erase", "_selected_action": contact.pk, "confirmed": "yes"})
    contact.refresh_from_db()
    assert contact.erased_at is None


def test_the_admin_keeps_no_log_of_its_own_with_names(office):
    office.post(ADD, SOMEBODY)
    office.post(page_of(Contact.objects.get()), SOMEBODY)
    assert not LogEntry.objects.exists()


# Numbers


def test_a_number_is_suppressed_and_its_calls_canceled(office):
    call = a_call(a_contact(phone="+14155550100"))
    form = {"number": "+1 (415) 555-0100", "reason": "complaint", "source": "by mail"}
    office.post(f"{NUMBERS}add/", form)
    suppression = Suppression.objects.get()
    assert (suppression.number, suppression.reason, suppression.created_by) == (
        "+14155550100",
        "complaint",
        "Ada (admin)",
    )
    call.refresh_from_db()
    assert call.status == CallStatus.CANCELED


def test_a_prefix_is_suppressed_as_it_is(office):
    office.post(f"{NUMBERS}add/", {"number": "+1900", "is_prefix": "on", "reason": "staff"})
    assert str(Suppression.objects.get()) == "+1900…"


def test_a_number_that_is_none_is_refused(office):
    answer = office.post(f"{NUMBERS}add/", {"number": "555", "reason": "staff"})
    assert "with its country" in str(answer.context["adminform"].errors)
    answer = office.post(f"{NUMBERS}add/", {"number": "1900", "is_prefix": "on", "reason": "staff"})
    assert told(answer) == ["Field 'number' must be the beginning of an E.164 number, such as +1900."]


def test_a_suppression_is_lifted_after_asking_and_never_changed(office):
    suppression = Suppression.objects.create(number="+14155550100")
    chosen = {"action": "lift", "_selected_action": str(suppression.pk)}
    office.post(NUMBERS, chosen)
    suppression.refresh_from_db()
    assert suppression.lifted_at is None
    office.post(NUMBERS, {**chosen, "confirmed": "yes"})
    suppression.refresh_from_db()
    assert suppression.lifted_by == "Ada (admin)"
    assert office.post(f"{NUMBERS}{suppression.pk}/change/", {"number": "+1"}).status_code == 403


def test_a_suppression_is_found_by_how_its_number_begins(office):
    for number in ("+14155550100", "+34911234567"):
        Suppression.objects.create(number=number)
    found = office.get(NUMBERS, {"q": "+1 (415)"}).context["cl"].result_list
    assert [row.number for row in found] == ["+14155550100"]
