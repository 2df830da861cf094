"""The judge of calls at all hours sees each broken promise, and says which."""

from datetime import UTC, datetime, timedelta

import pytest

from temphone.telephony.messages import Outcome
from tests.proofs.stage.local_time import WallClock
from tests.proofs.stage.promised import BrokenPromise, Fate, Judge, Promised, Ring

KATHMANDU = WallClock("Asia/Kathmandu")  # 5:45 before UTC
NOON = datetime(2026, 3, 15, 6, 15, tzinfo=UTC)  # there
CLOSING = NOON + timedelta(hours=9)
MORNING = NOON + timedelta(hours=20)
NUMBER = "+14155552000"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def judge(policy="defer", cap=0, **calls):
    """A judge who knows of these calls, by when they are due."""
    one = Judge(policy=policy, cap=cap)
    one.calls = {name: call(name, due) for name, due in calls.items()}
    return one


def call(name, due, *, campaign=None, number=NUMBER):
    return Promised(name=name, number=number, clock=KATHMANDU, campaign=campaign, asked=due, due=due)


def ring(judge, at, name="one", *, decided=None):
    judge.hear(Ring(at=at, number=NUMBER, call=name, attempt=f"att of {name}"), decided=decided or at)


@pytest.mark.parametrize("at", [CLOSING, CLOSING + HOUR, MORNING - timedelta(seconds=1)])
@pytest.mark.parametrize("policy", ["reject", "defer"])
def test_it_hears_a_ring_at_night(policy, at):
    with pytest.raises(BrokenPromise, match="one: rang outside the calling hours, at 2026-03-1"):
        ring(judge(policy, one=at), at)
    ring(judge("warn", one=at), at)


def test_it_hears_a_ring_until_the_last_second():
    last = CLOSING - timedelta(seconds=1)
    ring(judge(one=last), last)


def test_it_hears_a_ring_too_many():
    one = judge(cap=2, one=NOON, two=NOON, three=NOON)
    for name in ("one", "two"):
        ring(one, NOON, name)
        one.up.clear()
    with pytest.raises(BrokenPromise, match="the number's ring 3 in 24 hours, with a cap of 2"):
        ring(one, NOON + 2 * MINUTE, "three")


def test_after_a_day_the_number_may_ring_again():
    tomorrow = NOON + 24 * HOUR
    one = judge(cap=1, one=NOON, two=tomorrow)
    ring(one, NOON)
    one.up.clear()
    ring(one, tomorrow, "two")


def test_it_hears_two_rings_at_once():
    one = judge(one=NOON, two=NOON)
    ring(one, NOON)
    with pytest.raises(BrokenPromise, match="while another call to the number was up"):
        ring(one, NOON, "two")


def test_it_hears_what_is_too_early():
    with pytest.raises(BrokenPromise, match="rang too early"):
        ring(judge(one=NOON), NOON - timedelta(seconds=1))


@pytest.mark.parametrize(("campaign", "limit"), [(None, 15 * MINUTE), ("camp_1", 2 * HOUR)])
def test_it_hears_what_is_too_late(campaign, limit):
    one = judge()
    one.calls["one"] = call("one", NOON, campaign=campaign)
    ring(one, NOON + limit)
    one.up.clear()
    with pytest.raises(BrokenPromise, match="rang too late"):
        ring(one, NOON + limit + timedelta(seconds=1))


def test_it_hears_a_request_that_was_too_long_on_its_way():
    with pytest.raises(BrokenPromise, match="rang too late"):
        ring(judge(one=NOON), NOON + timedelta(seconds=11), decided=NOON)


def test_it_hears_what_was_refused_over_stopped_or_paused():
    one = judge(one=NOON)
    one.refused["two"] = "No."
    with pytest.raises(BrokenPromise, match="two: rang, although it was refused: No"):
        ring(one, NOON, "two")
    one.stopped = True
    with pytest.raises(BrokenPromise, match="while all calling was stopped"):
        ring(one, NOON)
    one.stopped, one.paused = False, {"camp_1"}
    one.calls["one"].campaign = "camp_1"
    with pytest.raises(BrokenPromise, match="while its campaign was paused"):
        ring(one, NOON)
    one.paused, one.calls["one"].over = set(), "it ended busy"
    with pytest.raises(BrokenPromise, match="although it was over: it ended busy"):
        ring(one, NOON)


def test_it_sees_a_call_moved_to_another_morning():
    night = CLOSING + 6 * HOUR
    one = judge(one=night)
    one.judge_acceptance(one.calls["one"], MORNING)
    with pytest.raises(
        BrokenPromise, match=r"it is due 2026-03-17 08:00:00 .* instead of 2026-03-16 08:00:00"
    ):
        one.judge_acceptance(one.calls["one"], MORNING + 24 * HOUR)


def test_it_sees_what_should_have_been_refused_or_was_not_told_the_right_morning():
    night = CLOSING + 6 * HOUR
    one = judge("reject", one=night)
    with pytest.raises(BrokenPromise, match=r"accepted for .* when nobody may ring"):
        one.judge_acceptance(one.calls["one"], night)
    refuse = one.judge_refusal
    refuse("two", NUMBER, KATHMANDU, night, "blocked_hours", "Next opening: 2026-03-16T02:15:00Z.")
    with pytest.raises(BrokenPromise, match="not told: Next opening: 2026-03-16T02:15:00Z"):
        refuse("two", NUMBER, KATHMANDU, night, "blocked_hours", "Next opening: 2026-03-17T02:15:00Z.")
    with pytest.raises(BrokenPromise, match="two: refused for 2026-03-15 12:00:00"):
        refuse("two", NUMBER, KATHMANDU, NOON, "blocked_hours", "")


def test_it_sees_silence_without_a_reason():
    one = judge(one=NOON)
    fates = one.fates(NOON, carried=True)
    assert fates == {"one": Fate(rings=True)}
    with pytest.raises(BrokenPromise, match=r"one: silent at 2026-03-15 12:00:00 .*; nothing forbade it"):
        one.settle(fates, {}, NOON, told=never_asked)
    one.settle(fates, {"one": "att_1"}, NOON, told=never_asked)
    assert one.calls["one"].attempt == "att_1"


def never_asked(name):
    raise AssertionError(f"{name}: what becomes of it is certain")


def stopped_a_day_after_a_ring():
    """A number's cap is used by a ring 24 hours ago, less the seconds that its request was on its way."""
    one = judge(cap=1, one=NOON, two=NOON + 24 * HOUR)
    ring(one, NOON + timedelta(seconds=3), decided=NOON)
    one.counted.add("att of one")
    one.calls["one"].over = "it ended busy"
    one.stopped = True
    return one


@pytest.mark.parametrize("due", [NOON + 24 * HOUR, NOON + 48 * HOUR])
def test_at_the_edge_of_a_day_it_asks_whether_a_held_call_moved(due):
    one = stopped_a_day_after_a_ring()
    fates = one.fates(NOON + 24 * HOUR, carried=True)
    assert fates == {"two": Fate(to=NOON + 48 * HOUR, may_wait=True)}
    one.settle(fates, {}, NOON + 24 * HOUR, told=lambda _name: due)
    assert one.calls["two"].due == due


def test_at_the_edge_of_a_day_a_held_call_moves_to_no_other_time():
    one = stopped_a_day_after_a_ring()
    fates = one.fates(NOON + 24 * HOUR, carried=True)
    with pytest.raises(BrokenPromise, match="two: moved to 2026-03-16 18:00:00"):
        one.settle(fates, {}, NOON + 24 * HOUR, told=lambda _name: NOON + 30 * HOUR)


@pytest.mark.parametrize(
    ("policy", "at", "fate"),
    [
        ("defer", CLOSING, Fate(to=MORNING)),
        ("reject", CLOSING, Fate(over="it was not in time before the hours ended")),
        ("warn", CLOSING, Fate(rings=True)),
        ("defer", CLOSING + 15 * MINUTE, Fate(over="it was too late")),
    ],
)
def test_it_knows_what_becomes_of_a_call_at_closing(policy, at, fate):
    one = judge(policy, one=CLOSING - MINUTE)
    assert one.fates(at, carried=True) == {"one": fate}


def test_a_cap_moves_a_call_a_day_on():
    one = judge(cap=1, one=NOON, two=NOON)
    ring(one, NOON)
    one.counted.add("att of one")
    one.calls["one"].over = "it ended busy"
    assert one.fates(NOON + MINUTE, carried=True) == {"two": Fate(to=NOON + MINUTE + 24 * HOUR)}


def test_a_call_that_nobody_answered_is_tried_three_times():
    one = judge(one=NOON)
    tried = one.calls["one"]
    for after in (30 * MINUTE, 2 * HOUR):
        tried.attempt = "att_1"
        one.ended("att_1", Outcome.NO_ANSWER, NOON)
        assert (tried.due, tried.over) == (NOON + after, "")
    tried.attempt = "att_1"
    one.ended("att_1", Outcome.NO_ANSWER, NOON)
    assert tried.over == "it ended no_answer"
