from datetime import timedelta

import pytest

from contacts.actions import erase_contact, save_contact
from contacts.models import Contact, PhoneNumber
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from temphone.lib import clock
from temphone.lib.clock import iso
from temphone.lib.errors import Conflict, NotFound
from tests.api.client import code, data, message
from tests.builders import NOON, a_call, a_contact

pytestmark = pytest.mark.django_db
PERSON = {
    "first_name": "Mira",
    "last_name": "Okafor",
    "phone": "+44 20 7946 0018",
    "timezone": "Europe/London",
    "language": "en-GB",
    "company": "Brightwater",
    "tags": ["renewal", "vip", "renewal"],
    "attributes": {"policy": "A-17", "age": 41},
}


def test_it_adds_a_contact(program):
    answer = program.post("/contacts", PERSON)
    assert (answer.status_code, message(answer)) == (201, "Contact added.")
    found = data(answer)
    assert found.pop("contact_id").startswith("ctc_")
    assert list(found) == [*PERSON, "created_at", "updated_at"]
    assert found["phone"] == "+442079460018"
    assert found["tags"] == ["renewal", "vip"]
    assert PhoneNumber.objects.filter(pk="+442079460018").exists()
    assert AuditEntry.objects.filter(action="contact.add", actor_kind="key").count() == 1


def test_the_zone_may_be_left_out_where_the_number_implies_one(program):
    assert data(program.post("/contacts", {"phone": "+442079460018"}))["timezone"] == "Europe/London"


@pytest.mark.parametrize("number", ["+18005550100", "+70000000000"])
def test_the_zone_is_asked_for_where_the_number_implies_none_or_several(program, number):
    answer = program.post("/contacts", {"phone": number})
    problem = "Field 'timezone' must be given: the phone number does not imply one zone."
    assert (answer.status_code, message(answer)) == (400, problem)
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("phone", "4155550100", "must be a valid E.164 phone number."),
        ("phone", None, "must be a valid E.164 phone number."),
        ("timezone", "London", "must be a valid IANA timezone."),
        ("first_name", "x" * 101, "must be a text of at most 100 characters."),
        ("first_name", 5, "must be a text of at most 100 characters."),
        ("language", "x", "must be a text of 2 to 10 characters."),
        ("tags", "vip", "must be a list of at most 50 texts of 1 to 50 characters."),
        ("tags", [""], "must be a list of at most 50 texts of 1 to 50 characters."),
        ("tags", [1], "must be a list of at most 50 texts of 1 to 50 characters."),
        ("tags", ["x"] * 51, "must be a list of at most 50 texts of 1 to 50 characters."),
        ("attributes", [], "must be a JSON object of at most 16 kB."),
    ],
)
def test_it_refuses(program, field, value, problem):
    answer = program.post("/contacts", {**PERSON, field: value})
    assert (answer.status_code, message(answer)) == (400, f"Field '{field}' {problem}")


def test_a_phone_number_is_required(program):
    assert message(program.post("/contacts", {})) == "Field 'phone' is required."


def test_it_changes_only_what_is_named(program):
    contact = a_contact(company="Old", tags=["a"])
    answer = program.patch(f"/contacts/{contact.pk}", {"company": "New", "phone": "+1 415 555 0155"})
    found = data(answer)
    assert (found["company"], found["phone"], found["tags"]) == ("New", "+14155550155", ["a"])
    assert found["timezone"] == "America/Los_Angeles"
    assert found == data(program.get(f"/contacts/{contact.pk}"))


def test_one_that_is_not_there_is_named(program):
    for answer in (program.get("/contacts/ctc_no"), program.patch("/contacts/ctc_no", {})):
        assert (answer.status_code, message(answer)) == (404, "Contact not found: ctc_no.")


def test_it_lists_and_finds(program, django_assert_num_queries):
    found = a_contact(first_name="Ursula", company="Left Hand", phone="+442079460001", created_at=NOON)
    a_contact(created_at=NOON + timedelta(hours=1))
    program.get("/contacts")
    with django_assert_num_queries(1):
        items = data(program.get("/contacts"))["items"]
    assert [item["first_name"] for item in items] == ["Jordan", "Ursula"]
    for words in ("ursu", "left%20ursula", "79460001", found.pk):
        assert [one["contact_id"] for one in data(program.get(f"/contacts?q={words}"))["items"]] == [found.pk]
    assert data(program.get("/contacts?q=nobody"))["items"] == []
    assert data(program.get("/contacts?tag=nothing"))["items"] == []
    assert program.get(f"/contacts?q={'x' * 201}").status_code == 400
    assert program.get(f"/contacts?q={'%25' * 200}").status_code == 200


def test_an_erased_contact_is_a_tombstone(program):
    contact = a_contact(company="Brightwater", tags=["vip"], attributes={"a": 1})
    erase_contact(actor=SYSTEM, contact_id=contact.pk, now=NOON)
    contact.refresh_from_db()
    assert (contact.first_name, contact.last_name, contact.company, contact.phone) == ("", "", "", "")
    assert (contact.tags, contact.attributes, contact.erased_at) == ([], {}, NOON)
    assert program.get(f"/contacts/{contact.pk}").status_code == 404
    assert data(program.get("/contacts"))["items"] == []
    with pytest.raises(NotFound):
        erase_contact(actor=SYSTEM, contact_id=contact.pk, now=NOON)


def test_a_contact_with_calls_to_come_is_not_erased(program):
    call = a_call()
    with pytest.raises(Conflict):
        erase_contact(actor=SYSTEM, contact_id=call.contact_id, now=NOON)
    program.post(f"/calls/{call.pk}/cancel")
    erase_contact(actor=SYSTEM, contact_id=call.contact_id, now=NOON)


def test_the_action_reads_numbers_as_people_write_them():
    values = {"phone": "+44 (0)20 7946-0018", "first_name": "Mira"}
    contact = save_contact(actor=SYSTEM, contact_id=None, values=values, now=NOON)
    assert (contact.phone, contact.timezone, contact.created_at) == ("+442079460018", "Europe/London", NOON)


CONSENT = {"purpose": "marketing", "kind": "written", "source": "web form", "evidence": "ticket 8841"}


def test_a_consent_is_recorded_and_revoked_once(live_program):
    contact = a_contact()
    answer = live_program.post(f"/contacts/{contact.pk}/consents", CONSENT)
    assert (answer.status_code, message(answer)) == (201, "Consent recorded.")
    found = data(answer)
    assert {**found, **CONSENT} == found
    assert (found["phone"], found["recorded_by"], "revoked_at" in found) == (
        contact.phone,
        "A program",
        False,
    )
    assert data(live_program.get(f"/contacts/{contact.pk}/consents"))["items"] == [found]

    path = f"/consents/{found['consent_id']}/revoke"
    assert message(live_program.post(path, {})) == "Field 'how' is required."
    revoked = data(live_program.post(path, {"how": "by phone"}))
    assert (revoked["revoked_how"], "revoked_at" in revoked) == ("by phone", True)
    again = live_program.post(path, {"how": "by letter"})
    assert (again.status_code, code(again)) == (409, "consent_revoked")
    assert data(live_program.get(f"/contacts/{contact.pk}/consents"))["items"] == [revoked]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("purpose", "spam", "must be one of informational, marketing."),
        ("kind", "verbal", "must be one of none, express, written."),
        ("source", " ", "must be a text of 1 to 100 characters."),
        ("captured_at", "yesterday", "must be a valid ISO-8601 timestamp."),
        ("captured_at", iso(clock.now() + timedelta(days=1)), "must not be in the future."),
    ],
)
def test_a_bad_consent_is_refused(live_program, field, value, problem):
    answer = live_program.post(f"/contacts/{a_contact().pk}/consents", {**CONSENT, field: value})
    assert (answer.status_code, message(answer)) == (400, f"Field '{field}' {problem}")


def test_consents_of_nobody_are_not_found(live_program):
    assert live_program.get("/contacts/ctc_no/consents").status_code == 404
    assert live_program.post("/contacts/ctc_no/consents", CONSENT).status_code == 404
    answer = live_program.post("/consents/12/revoke", {"how": "by phone"})
    assert (answer.status_code, message(answer)) == (404, "Consent not found: 12.")
