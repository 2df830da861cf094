from datetime import timedelta

import pytest

from calls.models import Call
from contacts.models import Suppression
from temphone.accounts.actors import Role
from tests.builders import a_call, a_contact
from tests.pages.conftest import EARLIER, htmx, text_of

LIST = "/setup/do-not-call/"
NUMBER = "+14155550123"


def numbers(client, query: str = "") -> list[str]:
    return [one.number for one in client.get(f"{LIST}?{query}").context["listing"].rows]


def test_the_empty_page_says_what_it_is(browse):
    assert "Every number may be called" in text_of(browse(), LIST)


def test_an_operator_adds_a_number_and_its_calls_are_canceled(browse):
    call = a_call()
    form = {"number": call.contact.phone, "reason": "complaint", "source": "a letter", "until": "2026-03-20"}
    browse().post(f"{LIST}new/", form)

    one = Suppression.objects.get()
    assert (one.number, one.reason, one.source) == (call.contact.phone, "complaint", "a letter")
    # The end of the day in Madrid.
    assert one.expires_at.isoformat() == "2026-03-20T23:00:00+00:00"
    assert Call.objects.get().status == "canceled"


def test_a_beginning_of_numbers_is_written_as_people_write_it(browse):
    form = {"number": "+1 (900) ", "is_prefix": "on", "reason": "staff", "confirmed": "1"}
    browse().post(f"{LIST}new/", form)

    one = Suppression.objects.get()
    assert (one.number, one.is_prefix) == ("+1900", True)
    assert "+1900…" in text_of(browse(), LIST)


def test_a_beginning_of_numbers_asks_first_and_says_how_many_calls_it_cancels(browse):
    for _ in range(3):
        a_call()
    a_call(a_contact(phone="+34911234567"))
    client = browse()
    form = {"number": "+1 415", "is_prefix": "on", "reason": "complaint", "source": "a letter"}

    asked = client.post(f"{LIST}new/", form)
    assert "3 scheduled calls are canceled at once" in asked.content.decode()
    assert not Suppression.objects.exists()
    none = client.post(f"{LIST}new/", {**form, "number": "+44"})
    assert "No call to such a number" in none.content.decode()
    again = {field.name: field.value() or "" for field in asked.context["form"]}
    client.post(f"{LIST}new/", {**again, "confirmed": "1"})

    one = Suppression.objects.get()
    assert (one.number, one.is_prefix, one.reason, one.source) == ("+1415", True, "complaint", "a letter")
    assert Call.objects.filter(status="canceled").count() == 3


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_last_day_of_all_can_be_chosen_and_shown(browse, zone):
    client = browse(timezone=zone)
    client.post(f"{LIST}new/", {"number": NUMBER, "reason": "staff", "until": "2999-12-31"})
    assert numbers(client) == [NUMBER]


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"number": "555 0100"}, "Write the number with its country"),
        ({"number": "0900", "is_prefix": "on"}, "Write the beginning of numbers with their country"),
        ({"until": "2020-01-01"}, "Choose a day that is not over yet"),
        ({"until": "9999-12-31"}, "Choose a day between the years 1970 and 2999."),
    ],
)
def test_what_is_wrong_names_the_mend(browse, values, mend):
    form = {"number": NUMBER, "reason": "staff", **values}
    assert mend in browse().post(f"{LIST}new/", form).content.decode()
    assert not Suppression.objects.exists()


def test_a_manager_lifts_it_and_it_stays_to_be_read(browse):
    one = Suppression.objects.create(number=NUMBER, reason="opted_out", source="call call_1j2kd9")
    manager = browse(Role.MANAGER)
    assert "asked not to be called" in text_of(manager, f"{LIST}{one.pk}/lift/")
    manager.post(f"{LIST}{one.pk}/lift/")

    one.refresh_from_db()
    assert one.lifted_by == "manager-0"
    assert numbers(manager) == []
    assert numbers(manager, "view=over") == [NUMBER]
    assert "/calls/call_1j2kd9/" in text_of(manager, f"{LIST}?view=all")
    assert "lifted already" in manager.post(f"{LIST}{one.pk}/lift/", follow=True).content.decode()


def test_an_operator_is_offered_no_lift(browse):
    Suppression.objects.create(number=NUMBER)

    assert "/lift/" not in text_of(browse(), LIST)
    assert "/lift/" in text_of(browse(Role.MANAGER), LIST)
    assert f"{LIST}new/" not in text_of(browse(Role.VIEWER), LIST)


def test_a_search_finds_what_begins_so_and_what_covers_it(browse):
    for number in ("+14155550123", "+14165550000", "+34911234567", "+99", "+999999"):
        Suppression.objects.create(number=number)
    for prefix in ("+1415", "+1", "+15"):
        Suppression.objects.create(number=prefix, is_prefix=True)
    client = browse()

    assert numbers(client, "q=%2B1+415+555+0123") == ["+1", "+1415", "+14155550123"]
    assert numbers(client, "q=0014155550123") == ["+1", "+1415", "+14155550123"]
    assert numbers(client, "q=%2B141") == ["+1", "+1415", "+14155550123", "+14165550000"]
    assert numbers(client, "q=99") == ["+99", "+999999"]
    assert "No entry matches" in htmx(client, f"{LIST}?q=447")


def test_what_has_expired_is_over(browse):
    Suppression.objects.create(number=NUMBER, expires_at=EARLIER - timedelta(seconds=1))
    Suppression.objects.create(number="+1415", is_prefix=True, expires_at=EARLIER + timedelta(days=1))

    assert numbers(browse()) == ["+1415"]
    assert numbers(browse(), "view=over") == [NUMBER]
    assert numbers(browse(), "view=all&reason=imported") == []


@pytest.mark.parametrize("query", ["", "q=%2B1"])
def test_it_is_read_page_by_page(browse, query, django_assert_max_num_queries):
    for number in range(60):
        at = EARLIER - timedelta(minutes=number // 7)
        Suppression.objects.create(number=f"+1415555{number:04}", created_at=at)
    client, address, seen = browse(), f"{LIST}?{query}", []
    with django_assert_max_num_queries(45):
        while address:
            listing = client.get(address).context["listing"]
            seen += [one.number for one in listing.rows]
            address = listing.next and f"{LIST}?{query}&after={listing.next}"
    assert len(seen) == len(set(seen)) == 60
