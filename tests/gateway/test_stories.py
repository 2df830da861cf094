"""Each simulated callee, over the whole road: dial, ring, talk, events, end."""

import asyncio

import pytest

from temphone.gateway.legs.stories import GREETINGS, REPLIES, STORIES, polite_human
from temphone.telephony.messages import AnsweredBy, EndedBy, EventType, Outcome
from tests.gateway.builders import dial, script
from tests.gateway.fake_django import FakeDjango
from tests.gateway.running import gateway, rings

TEXTS = script()
NUMBERS = {f"{number:02}": f"+141555501{number:02}" for number in range(16)}
ANYWHERE = {"99": "+14155550199", "de": "+4930123456", "us": "+14155552671"}
BEFORE_ANSWER = {"02", "03", "06", "11", "12"}
SILENT_BEFORE_RINGING = {"02", "06", "12"}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """All stories, told at once by one gateway."""
    folder = tmp_path_factory.mktemp("stories")

    async def play():
        async with FakeDjango() as django, gateway(folder, django, speed=500.0) as client:
            numbers = NUMBERS | ANYWHERE
            await client.dial(*(dial(f"att_{name}", number) for name, number in numbers.items()))
            await django.ended(*(f"att_{name}" for name in numbers))
            return django

    django = asyncio.run(play())
    assert set(rings(folder).values()) == {1}
    return django


@pytest.mark.parametrize(
    ("name", "outcome", "ended_by", "answered_by"),
    [
        ("00", Outcome.ANSWERED_HUMAN, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("01", Outcome.VOICEMAIL_LEFT, EndedBy.AGENT, AnsweredBy.VOICEMAIL),
        ("02", Outcome.BUSY, EndedBy.CARRIER, None),
        ("03", Outcome.NO_ANSWER, EndedBy.SYSTEM, None),
        ("04", Outcome.SCREENED, EndedBy.CALLEE, AnsweredBy.SCREENING),
        ("05", Outcome.OPTED_OUT, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("06", Outcome.CARRIER_ERROR, EndedBy.CARRIER, None),
        ("07", Outcome.MESSAGE_INCOMPLETE, EndedBy.CALLEE, AnsweredBy.HUMAN),
        ("08", Outcome.CALLBACK_REQUESTED, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("09", Outcome.WRONG_PERSON, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("10", Outcome.OPTED_OUT, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("11", Outcome.REJECTED, EndedBy.CALLEE, None),
        ("12", Outcome.INVALID_NUMBER, EndedBy.CARRIER, None),
        ("13", Outcome.MESSAGE_DELIVERED, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("14", Outcome.IVR, EndedBy.AGENT, AnsweredBy.IVR),
        ("15", Outcome.MAX_DURATION, EndedBy.SYSTEM, AnsweredBy.HUMAN),
        ("99", Outcome.ANSWERED_HUMAN, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("de", Outcome.ANSWERED_HUMAN, EndedBy.AGENT, AnsweredBy.HUMAN),
        ("us", Outcome.ANSWERED_HUMAN, EndedBy.AGENT, AnsweredBy.HUMAN),
    ],
)
def test_it_ends_as_its_story_says(played, name, outcome, ended_by, answered_by):
    ending = played.ending(f"att_{name}")
    assert (ending.outcome, ending.ended_by, ending.answered_by) == (outcome, ended_by, answered_by)


def test_every_story_number_is_told_here(played):
    assert set(STORIES) | {"00"} == set(NUMBERS)


@pytest.mark.parametrize("name", [*NUMBERS, *ANYWHERE])
def test_its_events_come_in_order_without_a_gap(played, name):
    events = played.events[f"att_{name}"]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)
    types = [event.type for event in events]
    expected = [EventType.ACCEPTED, EventType.RINGING, EventType.ANSWERED, EventType.ENDED]
    if name in SILENT_BEFORE_RINGING:
        expected.remove(EventType.RINGING)
    if name in BEFORE_ANSWER:
        expected.remove(EventType.ANSWERED)
    between = {EventType.CLASSIFIED, EventType.TURN, EventType.OPTED_OUT}
    assert [type_ for type_ in types if type_ not in between] == expected
    assert types[-1] is EventType.ENDED


@pytest.mark.parametrize("name", sorted(set(NUMBERS) - BEFORE_ANSWER))
def test_it_says_who_answered_once(played, name):
    classified = [event for event in played.events[f"att_{name}"] if event.type is EventType.CLASSIFIED]
    assert [event.answered_by for event in classified] == [played.ending(f"att_{name}").answered_by]


@pytest.mark.parametrize("name", sorted(BEFORE_ANSWER))
def test_a_call_that_nobody_answers_lasts_no_time_and_has_the_networks_reason(played, name):
    ending = played.ending(f"att_{name}")
    assert ending.duration_s == 0
    assert ending.hangup_cause.split()[0] in {"404", "408", "486", "487", "603"}


def test_a_human_hears_preface_message_and_goodbye_in_this_order(played):
    assert played.said("att_00", "agent") == [TEXTS.preface, TEXTS.message, TEXTS.goodbye]


def test_a_polite_call_takes_as_long_as_a_real_one(played):
    assert 12 <= played.ending("att_00").duration_s <= 30


def test_turns_say_when_they_began(played):
    turns = [event.turn for event in played.events["att_00"] if event.turn]
    offsets = [turn.offset_ms for turn in turns]
    assert offsets == sorted(offsets)
    preface, message = (turn for turn in turns if turn.text in {TEXTS.preface, TEXTS.message})
    assert message.offset_ms - preface.offset_ms == pytest.approx(len(TEXTS.preface) / 15 * 1000, abs=1)


def test_a_voicemail_gets_its_own_message_and_nothing_else(played):
    assert played.said("att_01", "agent") == [TEXTS.voicemail_message]


def test_a_screening_hears_who_calls_and_nothing_else(played):
    assert played.said("att_04", "agent") == [TEXTS.screening_message]


@pytest.mark.parametrize("name", ["05", "10"])
def test_an_opt_out_is_reported_before_it_is_confirmed(played, name):
    events = played.events[f"att_{name}"]
    types = [event.type for event in events]
    at = types.index(EventType.OPTED_OUT)
    after = [event.turn.text for event in events[at:] if event.turn]
    assert after == [TEXTS.opt_out_confirmation, TEXTS.goodbye]
    assert events[at].evidence == played.ending(f"att_{name}").evidence


def test_the_evidence_of_an_opt_out_is_what_was_said_and_when(played):
    evidence = played.ending("att_05").evidence
    assert evidence["said"] == "Please stop calling me."
    turn = next(
        event.turn for event in played.events["att_05"] if event.turn and event.turn.text == evidence["said"]
    )
    assert evidence["offset_ms"] == turn.offset_ms


def test_the_evidence_of_a_key_is_the_key(played):
    assert played.ending("att_10").evidence["pressed"] == "9"


def test_the_evidence_of_a_callback_holds_what_was_said(played):
    assert "call me tomorrow" in played.ending("att_08").evidence["said"]


def test_who_hangs_up_in_the_message_has_heard_half_of_it(played):
    heard = played.said("att_07", "agent")[-1]
    assert TEXTS.message.startswith(heard)
    assert 0 < len(heard) < len(TEXTS.message)


def test_who_stays_silent_is_reminded_once_and_then_left(played):
    said = played.said("att_13", "agent")
    assert said == [TEXTS.preface, TEXTS.message, TEXTS.silence_reminder, TEXTS.goodbye]


def test_who_talks_on_is_cut_off_at_the_maximum_duration(played):
    assert played.ending("att_15").duration_s == 600


def test_a_menu_is_told_nothing(played):
    assert played.said("att_14", "agent") == []


def test_the_same_attempt_meets_the_same_human_and_another_may_not():
    humans = [polite_human(f"att_{number}") for number in range(50)]
    assert humans == [polite_human(f"att_{number}") for number in range(50)]
    assert len(set(humans)) > 25


def test_whatever_words_a_polite_human_chooses_they_are_taken_as_an_answer(tmp_path):
    ids = {polite_human(id_).lines: id_ for id_ in map(str, range(200))}
    wordings = {tuple(line.act for line in lines): id_ for lines, id_ in ids.items()}
    assert len(wordings) == len(GREETINGS) * len(REPLIES)

    async def play():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            await client.dial(*(dial(id_) for id_ in wordings.values()))
            await django.ended(*wordings.values())
            return [django.ending(id_).outcome for id_ in wordings.values()]

    assert set(asyncio.run(play())) == {Outcome.ANSWERED_HUMAN}
