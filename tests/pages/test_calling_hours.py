from urllib.parse import urlencode

import pytest

from contacts.models import Consent, Contact, Suppression
from temphone.accounts.actors import Role
from tests.builders import a_contact
from tests.pages.conftest import EARLIER, htmx, text_of

PAGE = "/setup/calling-hours/"


def asked(client, **values: str):
    """What the page answers for a moment on the contact's clock."""
    whole = {"date": "2026-03-16", "time": "12:00", "whose": "contact", "mode": "live", **values}
    return client.get(f"{PAGE}?{urlencode(whole)}").context


@pytest.fixture
def manager(browse):
    return browse(Role.MANAGER)


def test_it_shows_the_rules_as_they_are_set(manager, settings):
    shown = text_of(manager, PAGE)
    assert "TEMPHONE_CALLING_HOURS=08:00-21:00" in shown
    assert "TEMPHONE_HOURS_LIVE=reject" in shown
    settings.POLICIES = {**settings.POLICIES, "live": {"hours": "defer", "consent": "off"}}
    shown = text_of(manager, PAGE)
    assert "TEMPHONE_HOURS_LIVE=defer" in shown
    assert "moved to the next opening" in shown


@pytest.mark.parametrize(
    ("time", "may"), [("07:59", False), ("08:00", True), ("20:59", True), ("21:00", False)]
)
def test_the_real_gate_answers_on_the_contacts_clock(manager, time, may):
    contact = a_contact(timezone="Asia/Tokyo")
    Consent.objects.create(
        contact=contact, phone=contact.phone, purpose="informational", kind="express", source="form"
    )
    Consent.objects.update(captured_at=EARLIER)

    found = asked(manager, who=contact.pk, time=time)

    assert found["may"] == may
    assert found["deciding"].rule == ("stop_switch" if may else "calling_hours")


def test_a_number_of_nobodys_is_asked_about_where_it_is(manager):
    found = asked(manager, who="+34 911 23 45 67", mode="test", time="22:00")
    assert found["contact"].timezone == "Europe/Madrid"
    assert found["may"]  # test mode warns
    assert found["deciding"].verdict == "warn"
    assert not Contact.objects.exists()


def test_a_number_that_must_not_be_called_says_so(manager):
    Suppression.objects.create(number="+3491", is_prefix=True)
    found = asked(manager, who="+34911234567", mode="test")
    assert (found["may"], found["deciding"].rule) == (False, "suppression")


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"who": "nobody"}, "Nobody matches"),
        ({"who": "Jordan"}, "Several people match"),
        ({"who": "+1 800 555 0100"}, "used in several time zones"),
        ({"who": "+34911234567", "date": ""}, "This field is required."),
        ({"who": "+34911234567", "date": "9999-12-31"}, "Choose a day between the years 1970 and 2999."),
        ({"who": "+34911234567", "date": "0001-01-01"}, "Choose a day between the years 1970 and 2999."),
    ],
)
def test_what_is_wrong_names_the_mend(manager, values, mend):
    a_contact(phone="+14155550111", first_name="Jordan")
    a_contact(phone="+14155550112", first_name="Jordan")
    whole = {"date": "2026-03-16", "time": "12:00", "whose": "contact", "mode": "live", **values}
    assert mend in htmx(manager, f"{PAGE}?{urlencode(whole)}")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_edges_of_the_calendar_are_days_like_others(browse, zone):
    client = browse(Role.MANAGER, timezone=zone)
    for day, time, is_wrong in (
        ("9999-12-31", "23:59", True),
        ("0001-01-01", "00:00", True),
        ("2999-12-31", "23:59", False),
        ("1970-01-01", "00:00", False),
    ):
        context = asked(client, who="+34911234567", date=day, time=time, whose="mine")
        assert bool(context["form"].errors) == is_wrong


def test_the_zone_can_be_chosen(manager):
    found = asked(manager, who="+1 800 555 0100", zone="America/Denver", mode="test")
    assert found["contact"].timezone == "America/Denver"
