"""Where calls may go: the countries, and the kinds of numbers that cost more than others."""

import pytest

from calls.actions.batch import schedule_batch
from calls.actions.changing import update_call
from calls.actions.destinations import set_destinations
from calls.actions.dialing import claim_due
from calls.actions.own_phone import call_own_phone
from calls.actions.scheduling import preview_call, schedule_call
from calls.models import Attempt, Call
from campaigns.actions.agents import save_agent
from contacts.actions import save_contact
from contacts.models import Destinations
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry, Mode, User
from temphone.lib.errors import Conflict, Forbidden, Invalid, Refused
from tests.builders import (
    NOON,
    a_call,
    a_campaign,
    a_contact,
    a_gateway,
    a_number,
    a_request,
    a_trunk,
    ready,
)
from tests.calls.test_scripts import an_agent

pytestmark = pytest.mark.django_db
PREMIUM, MADRID, JAMAICA = "+19005551234", "+34911234567", "+18765551234"
BEFORE = NOON.replace(hour=14)


@pytest.fixture(autouse=True)
def lines(settings):
    """Real lines, and no other rule in the way."""
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(legs=["simulated", "sip"], trunks=ready(trunk))


def allow(*countries: str, kinds: tuple[str, ...] = ()) -> Destinations:
    return set_destinations(actor=SYSTEM, countries=countries, kinds=kinds, now=BEFORE)


def live(phone: str, **fields) -> Call:
    return a_call(a_contact(phone=phone), mode=Mode.LIVE, **fields)


def claimed(mode: str = "live") -> list[str]:
    return [request.to for request in claim_due(mode=mode, now=NOON)[0]]


def test_calls_go_to_every_country_until_somebody_says_otherwise():
    for phone in ("+14155550100", MADRID, JAMAICA, "+447700900123"):
        live(phone)
    assert len(claimed()) == 4


@pytest.mark.parametrize(
    "phone",
    [
        PREMIUM,
        "+491801234567",  # shared cost
        "+447012345678",  # follows a person
        "+447640123456",  # a pager
        "+870773111632",  # a satellite
        "+979123456789",  # premium rate, of no country
        "+499001123456789",  # premium rate, with digits behind its end
    ],
)
def test_what_costs_more_than_a_call_is_refused_from_the_start(phone):
    with pytest.raises(Refused) as refusal:
        live(phone)
    assert refusal.value.code == "blocked_destination"
    assert refusal.value.message.startswith("Field 'contact_id' leads to a number that may not be called. ")
    assert refusal.value.message.endswith("An admin can allow them under Setup, Where calls may go.")
    assert not Call.objects.exists()


def test_of_the_costly_kinds_those_are_called_that_an_admin_allows():
    allow(kinds=("premium_rate", "network"))
    live(PREMIUM)
    live("+870773111632")
    with pytest.raises(Refused, match="Numbers of this kind are not called: pagers"):
        live("+447640123456")
    allow("ES", kinds=("premium_rate", "network"))
    assert claimed() == ["+870773111632"]  # in no list of countries


def test_with_a_list_of_countries_calls_go_nowhere_else():
    allow("US", "ES")
    live(MADRID)
    with pytest.raises(Refused, match=r"Calls to Jamaica are not allowed\. An admin can allow them"):
        live(JAMAICA)  # +1, and not the United States
    with pytest.raises(Refused, match="the country of this number is not known"):
        live("+14150000000")  # in no plan of the many countries of +1
    live("+3491123456")  # in no plan either, but nobody shares +34


def test_in_test_mode_it_is_told_and_rings_all_the_same():
    allow("ES")
    call = a_call(a_contact(phone=JAMAICA))
    check = next(one for one in call.decisions.get().checks if one["rule"] == "destination")
    assert (check["verdict"], check["input"]) == ("warn", {"country": "JM", "kind": None})
    assert claimed("test") == [JAMAICA]


def test_a_preview_says_it_and_creates_nothing():
    request = a_request(a_contact(phone=PREMIUM))
    preview = preview_call(actor=SYSTEM, mode=Mode.LIVE, request=request, now=BEFORE)
    assert preview.verdict == "block"
    assert "Numbers of this kind are not called: premium-rate numbers." in str(preview.checks)


def test_of_a_batch_those_are_refused_that_lead_elsewhere():
    requests = [a_request(a_contact(phone=phone)) for phone in (MADRID, PREMIUM)]
    batch = schedule_batch(actor=SYSTEM, mode=Mode.LIVE, requests=requests, now=BEFORE)
    first, second = batch.data["items"]
    assert (first["status"], second["status"], second["code"]) == (
        "scheduled",
        "error",
        "blocked_destination",
    )


def test_a_call_that_is_scheduled_is_judged_again_when_it_is_due():
    call = live(MADRID)
    allow("US")
    assert claimed() == []
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "blocked_destination")
    assert call.decisions.get(stage="claim").rule == "destination"
    assert not Attempt.objects.exists()
    assert call.events.last().reason.startswith("Calls to Spain are not allowed.")


def test_a_number_that_was_changed_since_is_the_one_that_is_judged():
    call = live(MADRID)
    save_contact(actor=SYSTEM, contact_id=call.contact_id, values={"phone": PREMIUM}, now=BEFORE)
    assert claimed() == []
    call.refresh_from_db()
    assert call.outcome == "blocked_destination"


def test_a_call_that_leads_elsewhere_by_now_is_not_moved():
    call = live(MADRID)
    allow("US")
    with pytest.raises(Refused, match="Calls to Spain are not allowed"):
        update_call(actor=SYSTEM, call_id=call.pk, changes={"max_duration_s": 60}, now=BEFORE)


def test_ones_own_phone_is_judged_too():
    allow("ES")
    user = User.objects.create(username="op", role=Role.MANAGER)
    request = a_request(a_contact())
    with pytest.raises(Refused, match="Calls to United States are not allowed"):
        call_own_phone(user=user, number="+14155550123", request=request, now=NOON)
    assert not Call.objects.exists()


def test_nobody_is_transferred_where_calls_may_not_go():
    desk = {"the desk": "+14155550100"}
    agent = an_agent(transfers={**desk, "madrid": MADRID})
    allow("US")
    campaign = {mode: a_campaign(agent=agent, mode=mode).pk for mode in Mode}
    a_call(mode=Mode.LIVE, campaign_id=campaign[Mode.LIVE])
    a_call(campaign_id=campaign[Mode.TEST])
    (request,) = claim_due(mode="live", now=NOON)[0]
    assert request.script.transfers == desk
    (request,) = claim_due(mode="test", now=NOON)[0]
    assert set(request.script.transfers) == {"the desk", "madrid"}  # the simulated network rings nobody


@pytest.mark.parametrize(("number", "why"), [(PREMIUM, "premium-rate numbers"), (JAMAICA, "Jamaica")])
def test_an_agent_is_not_saved_that_transfers_where_calls_may_not_go(number, why):
    allow("US")
    with pytest.raises(Invalid) as refusal:
        save_agent(actor=SYSTEM, agent_id=None, values={"transfers": {"sales": number}}, now=NOON)
    (text,) = refusal.value.fields["transfers"]
    assert text.startswith("Field 'transfers' must not lead where calls may not go: “sales”. ")
    assert why in text


def test_who_changes_it_is_an_admin_and_is_written_down():
    manager = Actor(kind="user", id="7", label="Ana", role=Role.MANAGER)
    with pytest.raises(Forbidden):
        set_destinations(actor=manager, countries=["ES"], kinds=[], now=NOON)
    allow("US", "ES", "US", kinds=("pager",))
    allow("ES", "PT")
    allow("ES", "PT")  # the same again
    allow()
    made = [entry.details for entry in AuditEntry.objects.filter(action="destinations.change").order_by("id")]
    assert made == [
        {"countries_added": ["ES", "US"], "kinds_added": ["pager"]},
        {"countries_added": ["PT"], "countries_removed": ["US"], "kinds_removed": ["pager"]},
        {"countries_removed": ["ES", "PT"], "every_country": True},
    ]
    assert (Destinations.read().version, Destinations.read().changed_by) == (3, "TemPhone")


def test_what_somebody_else_has_changed_meanwhile_is_not_written_over():
    allow("US")
    with pytest.raises(Conflict, match="has changed meanwhile"):
        set_destinations(actor=SYSTEM, countries=[], kinds=[], version=0, now=NOON)
    set_destinations(actor=SYSTEM, countries=["ES"], kinds=[], version=1, now=NOON)


@pytest.mark.parametrize(
    ("values", "field"), [({"countries": ["XX"]}, "countries"), ({"kinds": ["dear"]}, "kinds")]
)
def test_what_there_is_not_is_refused(values, field):
    with pytest.raises(Invalid) as refusal:
        set_destinations(actor=SYSTEM, **{"countries": [], "kinds": [], **values}, now=NOON)
    assert list(refusal.value.fields) == [field]


def test_the_one_statement_of_a_request_reads_it_too():
    allow("US")
    contact = a_contact(phone=MADRID)
    with pytest.raises(Refused, match="Calls to Spain are not allowed"):
        schedule_call(actor=SYSTEM, mode=Mode.LIVE, request=a_request(contact), now=BEFORE)
