from datetime import timedelta

import pytest

from contacts.models import PhoneNumber, Suppression
from temphone.lib import clock
from temphone.lib.clock import iso
from tests.api.client import a_body, code, data, message
from tests.builders import a_call, a_contact

pytestmark = pytest.mark.django_db


def test_it_suppresses_a_number_and_cancels_its_calls(program):
    contact = a_contact()
    call = a_call(contact)
    answer = program.post("/suppressions", {"number": contact.phone, "source": "letter of 3 May"})
    assert (answer.status_code, message(answer)) == (201, "Number suppressed.")
    found = data(answer)
    assert (found["number"], found["is_prefix"], found["reason"]) == (contact.phone, False, "staff")
    assert (found["source"], found["created_by"]) == ("letter of 3 May", "A program")
    assert data(program.get(f"/calls/{call.pk}"))["status"] == "canceled"
    refused = program.post("/calls/scheduled", a_body(contact.pk))
    assert (refused.status_code, code(refused)) == (422, "blocked_suppressed")


def test_an_equal_one_in_force_is_given_again(program):
    first = data(program.post("/suppressions", {"number": "+1 415 555 0101"}))
    again = data(program.post("/suppressions", {"number": "+14155550101"}))
    assert again == first
    assert [number.pk for number in PhoneNumber.objects.all()] == ["+14155550101"]
    other = data(program.post("/suppressions", {"number": "+14155550101", "reason": "complaint"}))
    assert other["suppression_id"] != first["suppression_id"]


def test_a_prefix_covers_all_that_begin_with_it(program):
    contact = a_contact(phone="+19005550123")
    call = a_call(contact)
    program.post("/suppressions", {"number": "+1900", "is_prefix": True})
    assert data(program.get(f"/calls/{call.pk}"))["status"] == "canceled"
    assert not PhoneNumber.objects.filter(pk="+1900").exists()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "'number' is required."),
        ({"number": "4155550101"}, "'number' must be a valid E.164 phone number."),
        ({"number": "+1900"}, "'number' must be a valid E.164 phone number."),
        ({"number": "+" + "1" * 31}, "'number' must be a valid E.164 phone number."),
        ({"number": "1900", "is_prefix": True}, "'number' must be the beginning of an E.164 number"),
        ({"number": "+", "is_prefix": True}, "'number' must be the beginning of an E.164 number"),
        ({"number": "+1 900", "is_prefix": True}, "'number' must be the beginning of an E.164 number"),
        ({"number": "+14155550101", "is_prefix": "no"}, "'is_prefix' must be a boolean."),
        ({"number": "+14155550101", "reason": "whim"}, "'reason' must be one of opted_out, staff,"),
        (
            {"number": "+14155550101", "expires_at": "2020-01-01T00:00:00Z"},
            "'expires_at' must be in the future",
        ),
    ],
)
def test_it_refuses(program, body, problem):
    answer = program.post("/suppressions", body)
    assert answer.status_code == 400
    assert message(answer).startswith(f"Field {problem}")
    assert not Suppression.objects.exists()
    assert not PhoneNumber.objects.exists()


def test_one_that_expires_says_so(program):
    when = iso(clock.now() + timedelta(days=30))
    found = data(program.post("/suppressions", {"number": "+14155550101", "expires_at": when}))
    assert found["expires_at"] == when


def test_it_is_lifted_once_and_the_number_may_be_called_again(program, live_program):
    contact = a_contact()
    found = data(program.post("/suppressions", {"number": contact.phone}))
    path = f"/suppressions/{found['suppression_id']}"
    lifted = data(live_program.post(f"{path}/lift"))
    assert (lifted["lifted_by"], "lifted_at" in lifted) == ("A program", True)
    assert data(program.get(path)) == lifted
    again = live_program.post(f"{path}/lift")
    assert (again.status_code, code(again)) == (409, "suppression_lifted")
    assert program.post("/calls/scheduled", a_body(contact.pk)).status_code == 201


def test_it_lists_them_the_newest_first(program, django_assert_num_queries):
    for number in ("+14155550101", "+14155550102"):
        program.post("/suppressions", {"number": number})
    with django_assert_num_queries(1):
        items = data(program.get("/suppressions"))["items"]
    assert [item["number"] for item in items] == ["+14155550102", "+14155550101"]
    page = data(program.get("/suppressions?limit=1"))
    assert data(program.get(f"/suppressions?cursor={page['next_cursor']}"))["items"] == items[1:]


def test_one_that_is_not_there_is_named(live_program):
    program = live_program
    for answer in (program.get("/suppressions/7"), program.post("/suppressions/7/lift")):
        assert (answer.status_code, message(answer)) == (404, "Suppression not found: 7.")
    assert program.get("/suppressions/999999999999999999").status_code == 404
