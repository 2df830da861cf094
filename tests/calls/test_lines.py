"""Live calls take lines of trunks: those that a gateway has ready, and never those of the simulation."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.dialing import claim_due, record_dial_results
from calls.actions.gateways import record_heartbeat
from calls.actions.lines import Lines
from calls.actions.numbers import remove_number
from calls.actions.trunks import switch_trunk
from calls.models import Attempt, Call, Decision, Gateway, Number, Pacing
from contacts.models import Contact, PhoneNumber
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.telephony.messages import (
    CarrierEvent,
    EndedBy,
    Ending,
    EventType,
    Heartbeat,
    Outcome,
    Refused,
    TrunkState,
)
from tests.builders import NOON, a_call, a_gateway, a_number, a_trunk, a_twilio_trunk, ready

pytestmark = pytest.mark.django_db
LATE = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def anybody_may_be_called(settings):
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}


def claim(now=NOON, **terms):
    return claim_due(mode="live", now=now, **terms)[0]


def live_calls(count=1, **fields):
    return [a_call(mode=Mode.LIVE, **fields) for _ in range(count)]


def why(call):
    """What the gate said of the lines last."""
    last = Decision.objects.filter(call=call, stage="claim").latest("id")
    (check,) = [check for check in last.checks if check["rule"] == "lines"]
    return check["text"]


def test_a_live_call_goes_by_the_trunk_that_a_gateway_has_ready():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(ledger="gw_a")
    a_gateway(ledger="gw_b", trunks=ready(trunk))
    (call,) = live_calls()
    (request,) = claim()
    assert (request.leg, request.trunk, request.gateway.ledger) == ("sip", trunk.pk, "gw_b")
    assert request.caller_id == "+14155550190"
    attempt = call.attempts.get()
    assert (attempt.carrier, attempt.trunk, attempt.caller_id) == ("sip", trunk, "+14155550190")


def test_a_call_of_each_mode_goes_its_own_way_over_one_gateway():
    trunk = a_twilio_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks=ready(trunk), legs=["simulated", "twilio"])
    (live,), test = live_calls(), a_call()
    (rung,), (simulated,) = claim(), claim_due(mode="test", now=NOON)[0]
    assert (rung.to, rung.leg, rung.trunk) == (live.contact.phone, "twilio", trunk.pk)
    assert (simulated.to, simulated.leg, simulated.trunk) == (test.contact.phone, "simulated", "")


def test_neither_mode_takes_the_others_way_when_its_own_is_closed():
    trunk = a_trunk()
    a_number(trunk=trunk)
    gateway = a_gateway(trunks=ready(trunk), legs=["sip"])
    live_calls(2)
    a_call()
    assert claim_due(mode="test", now=NOON) == ([], 0)
    Gateway.objects.filter(pk=gateway.pk).update(trunks={}, legs=["simulated", "sip"])
    assert claim() == []
    assert {request.leg for request in claim_due(mode="test", now=NOON)[0]} == {"simulated"}


def test_test_calls_show_the_default_number_once_there_is_one(settings):
    a_gateway()
    a_call()
    assert claim_due(mode="test", now=NOON)[0][0].caller_id == settings.DEFAULT_CALLER_ID
    a_number("+34911234567")
    a_call()
    assert claim_due(mode="test", now=NOON)[0][0].caller_id == "+34911234567"


def test_a_number_goes_by_its_own_trunk_alone():
    first, second = a_trunk(priority=1), a_trunk(name="Second", priority=2)
    a_number(trunk=second)
    a_number("+34911234567", is_default=False)
    a_gateway(trunks=ready(first, second))
    (bound,), (free,) = live_calls(), live_calls(caller_id="+34 911 23 45 67")
    by = {request.to: (request.trunk, request.caller_id) for request in claim()}
    assert by == {
        bound.contact.phone: (second.pk, "+14155550190"),
        free.contact.phone: (first.pk, "+34911234567"),
    }


def test_what_goes_by_any_trunk_goes_by_the_first_in_order_that_has_a_line():
    first, second = a_trunk(priority=1, lines=1), a_twilio_trunk(priority=2)
    a_number()
    a_gateway(trunks=ready(first, second))
    live_calls(3)
    assert [request.trunk for request in claim()] == [first.pk, second.pk, second.pk]


def test_of_equals_the_one_with_more_free_lines_carries_the_call():
    few, many = a_trunk(lines=2), a_trunk(name="Many", lines=5)
    a_number()
    a_gateway(trunks=ready(few, many))
    live_calls(2)
    assert [request.trunk for request in claim()] == [many.pk, many.pk]


def test_a_trunks_lines_are_counted_over_all_gateways():
    trunk = a_trunk(lines=3)
    a_number(trunk=trunk)
    for ledger in ("gw_a", "gw_b"):
        a_gateway(ledger=ledger, trunks=ready(trunk), lines=2)
    live_calls(5)
    assert sorted(request.gateway.ledger for request in claim()) in (
        ["gw_a", "gw_a", "gw_b"],
        ["gw_a", "gw_b", "gw_b"],
    )
    assert claim() == []


def test_a_gateways_lines_are_counted_over_all_that_it_carries():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks=ready(trunk), lines=2)
    a_call()
    live_calls(3)
    assert len(claim_due(mode="test", now=NOON)[0]) == 1
    assert len(claim()) == 1


def test_what_a_gateway_carries_over_one_kind_of_trunk_is_counted_over_all_of_that_kind():
    main, second, twilio = a_trunk(lines=50), a_trunk(name="Second", lines=50), a_twilio_trunk(lines=1)
    a_number(trunk=main)
    a_number("+14155550191", trunk=second)
    a_number("+34911234567", trunk=twilio)
    a_gateway(trunks=ready(main, second, most=3) | ready(twilio))
    assert Lines.read(Mode.LIVE, [Pacing(carrier="sip"), Pacing(carrier="twilio")], NOON).count == 3 + 1
    live_calls(2)
    live_calls(2, caller_id="+14155550191")
    assert len(claim()) == 3
    switch_trunk(actor=SYSTEM, trunk_id=main.pk, on=False, now=NOON)  # its calls are up all the same
    live_calls(2, caller_id="+34911234567")
    assert [request.leg for request in claim()] == ["twilio"]


def test_a_gateway_that_carries_no_more_over_sip_leaves_the_call_to_another():
    trunk = a_trunk(lines=50)
    a_number(trunk=trunk)
    a_gateway(ledger="gw_full", trunks=ready(trunk, most=1), lines=1000)
    a_gateway(ledger="gw_free", trunks=ready(trunk, most=3), lines=3)
    live_calls(9)
    assert sorted(request.gateway.ledger for request in claim()) == ["gw_free"] * 3 + ["gw_full"]


def test_the_pace_is_that_of_the_kind_of_line():
    sip, twilio = a_trunk(), a_twilio_trunk()
    a_number(trunk=sip)
    a_number("+34911234567", trunk=twilio)
    a_gateway(trunks=ready(sip, twilio))
    Pacing.objects.create(carrier="sip", lines=1)
    Pacing.objects.create(carrier="twilio", calls_per_second=2)
    live_calls(3)
    live_calls(3, caller_id="+34911234567")
    assert sorted(request.leg for request in claim()) == ["sip", "twilio", "twilio"]
    assert claim(NOON + timedelta(milliseconds=900)) == []
    assert [request.leg for request in claim(NOON + LATE)] == ["twilio"]


def test_calls_do_not_wait_behind_those_whose_lines_are_full():
    twilio, sip = a_twilio_trunk(lines=1), a_trunk(lines=4)
    a_number(trunk=twilio)
    a_number("+34911234567", trunk=sip)
    a_gateway(trunks=ready(sip, twilio))
    ahead = live_calls(6)
    behind = live_calls(3, caller_id="+34911234567", scheduled_at=(NOON + LATE).isoformat())
    requests = claim(NOON + LATE, limit=4)
    assert sorted(request.leg for request in requests) == ["sip", "sip", "sip", "twilio"]
    assert {request.to for request in requests if request.leg == "sip"} == {
        call.contact.phone for call in behind
    }
    waiting = Call.objects.filter(status="scheduled")
    assert {call.pk for call in waiting} < {call.pk for call in ahead}
    assert claim(NOON + LATE) == []


def test_calls_of_a_trunk_that_is_off_do_not_hold_up_others():
    off, on = a_trunk(name="Off", enabled=False), a_trunk()
    a_number(trunk=off)
    a_number("+34911234567", trunk=on)
    a_gateway(trunks=ready(off, on))
    held = live_calls(2)
    (other,) = live_calls(caller_id="+34911234567", scheduled_at=(NOON + LATE).isoformat())
    assert [request.to for request in claim(NOON + LATE, limit=2)] == [other.contact.phone]
    assert why(held[0]) == "The trunk Off is switched off."


def test_calls_that_wait_for_a_trunk_still_expire():
    a_number(trunk=a_trunk())
    a_gateway(now=NOON + timedelta(minutes=16))
    (call,) = live_calls()
    assert claim(NOON + timedelta(minutes=16)) == []
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("failed", "expired")


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ({}, "No gateway has the trunk Main trunk ready yet."),
        (
            {"ready": False, "problem": "403 wrong password."},
            "No gateway has the trunk Main trunk ready: 403 wrong password.",
        ),
        ({"ready": False, "problem": ""}, "No gateway has the trunk Main trunk ready yet."),
    ],
)
def test_it_is_said_in_plain_words_why_a_call_waits(states, text):
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks={trunk.pk: states} if states else {})
    (call,) = live_calls()
    assert claim() == []
    assert why(call) == text


def test_without_a_gateway_that_is_what_is_said():
    a_number(trunk=a_trunk())
    (call,) = live_calls()
    assert claim() == []
    assert why(call) == "No gateway has the trunk Main trunk ready: none is reachable."


def test_a_number_that_was_removed_is_waited_for():
    a_number(trunk=a_trunk())
    gone = a_number("+34911234567")
    a_gateway(trunks={})
    (call,) = live_calls(caller_id="+34 911 234 567")
    remove_number(actor=SYSTEM, number_id=gone.pk)
    assert claim() == []
    assert why(call).startswith("+34 911 23 45 67 is no longer one of our numbers.")
    Number.objects.all().delete()
    Call.objects.filter(pk=call.pk).update(caller_number=None)
    assert claim() == []
    assert why(call).startswith("There is no number to call from.")


def test_a_wait_is_told_of_anew_when_its_reason_changes():
    trunk = a_trunk()
    a_number(trunk=trunk)
    gateway = a_gateway(trunks={})
    (call,) = live_calls()
    for seconds in range(3):
        claim(NOON + seconds * LATE)
    gateway.trunks = {trunk.pk: {"ready": False, "problem": "403 wrong password"}}
    gateway.save()
    for seconds in range(3):
        claim(NOON + seconds * LATE)
    assert call.decisions.filter(stage="claim").count() == 2
    assert "wrong password" in why(call)


def test_a_trunk_that_is_switched_off_begins_no_call_and_on_again_it_does():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks=ready(trunk))
    (call,) = live_calls()
    switch_trunk(actor=SYSTEM, trunk_id=trunk.pk, on=False, now=NOON)
    assert claim() == []
    switch_trunk(actor=SYSTEM, trunk_id=trunk.pk, on=True, now=NOON)
    assert [request.to for request in claim()] == [call.contact.phone]


def test_a_trunk_that_could_not_ring_rests_alone_and_the_call_goes_by_another():
    bad, good = a_trunk(priority=1), a_trunk(name="Good", priority=2)
    a_number()
    a_gateway(trunks=ready(bad, good), legs=["simulated", "sip"])
    live_calls()
    a_call()
    (request,) = claim()
    assert request.trunk == bad.pk
    never_rang = Ending(
        outcome=Outcome.CARRIER_ERROR, ended_by=EndedBy.CARRIER, hangup_cause="503", rang=False
    )
    ended = CarrierEvent(
        attempt_id=request.attempt_id, sequence=1, type=EventType.ENDED, at=NOON, ending=never_rang
    )
    record_carrier_events(ledger="gw_test", events=[ended], now=NOON)
    assert Gateway.objects.get().trunks[bad.pk] == {"ready": False, "problem": "503"}
    assert [again.trunk for again in claim(NOON + LATE)] == [good.pk]
    assert len(claim_due(mode="test", now=NOON)[0]) == 1  # the gateway itself does not rest


def test_a_trunk_whose_dial_was_turned_away_rests_until_the_next_heartbeat():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks=ready(trunk))
    (call,) = live_calls()
    (request,) = claim()
    record_dial_results([Refused(attempt_id=request.attempt_id, cause="not ready", retry=True)], now=NOON)
    assert claim(NOON + LATE) == []
    assert "not ready" in why(call)
    beat = Heartbeat(
        ledger="gw_test",
        url="http://127.0.0.1:9",
        version="1",
        lines=10,
        live=0,
        outbox=0,
        legs=["sip"],
        at=NOON + LATE,
        trunks={trunk.pk: TrunkState(ready=True)},
    )
    record_heartbeat(heartbeat=beat, now=NOON + LATE)
    assert len(claim(NOON + LATE)) == 1


def test_a_claim_costs_the_same_number_of_queries_for_ten_as_for_two(django_assert_num_queries):
    sip, twilio = a_trunk(lines=100), a_twilio_trunk(lines=100)
    a_number(trunk=sip)
    a_number("+34911234567", trunk=twilio)
    a_gateway(trunks=ready(sip, twilio))
    live_calls(7)
    live_calls(7, caller_id="+34911234567")
    PhoneNumber.lock(Contact.objects.values_list("phone", flat=True))  # known since they were saved
    claim(limit=2)  # makes the pacing rows
    with django_assert_num_queries(21) as two:
        claim(limit=2)
    with django_assert_num_queries(len(two)):
        claim(limit=10)


def test_to_look_behind_calls_that_wait_costs_one_query_more(django_assert_num_queries):
    full, sip = a_twilio_trunk(), a_trunk(lines=100)
    a_number(trunk=full)
    a_number("+34911234567", trunk=sip)
    a_gateway(trunks=ready(sip))
    live_calls(20)
    live_calls(20, caller_id="+34911234567", scheduled_at=(NOON + LATE).isoformat())
    PhoneNumber.lock(Contact.objects.values_list("phone", flat=True))
    assert len(claim(NOON + LATE, limit=10)) == 10  # and the waits are told of
    with django_assert_num_queries(23):
        assert len(claim(NOON + LATE, limit=10)) == 10


def test_every_attempt_of_a_live_call_has_a_trunk_and_no_other_has():
    trunk = a_trunk()
    a_number(trunk=trunk)
    a_gateway(trunks=ready(trunk))
    live_calls(2)
    a_call()
    claim()
    claim_due(mode="test", now=NOON)
    for attempt in Attempt.objects.select_related("call"):
        assert (attempt.trunk_id is not None) == (attempt.call.mode == Mode.LIVE)
        assert (attempt.carrier == "simulated") == (attempt.call.mode == Mode.TEST)
