"""What the AI says next, without any line: the moves of a conversation, given what was heard."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temphone.gateway.conversation.dialogue import Conversation
from temphone.gateway.conversation.moves import (
    Classified,
    Key,
    Listen,
    Mute,
    OptedOut,
    Over,
    Result,
    Say,
    Silence,
    Speech,
    Tone,
)
from temphone.telephony.messages import AnsweredBy, Branch, EndedBy, Outcome, Step
from tests.gateway.builders import script

HELLO = Speech("Hello?")
STOP = Speech("Please stop calling me.", 900)
GREETING = Speech("You have reached Alex. Leave a message after the tone.")
SCREEN = Speech("This call is being screened. Say your name.")
DEAF = Speech("", 700, 900, understood=False)
GONE = Over(EndedBy.CALLEE)
TEXTS = script()

BOOKING = (
    Step(
        name="ask",
        say="Can you come?",
        branches=(
            Branch(phrases=("yes",), say="Wonderful.", to="when"),
            Branch(phrases=("no", "another day"), say="That is a pity.", outcome=Outcome.ANSWERED_HUMAN),
            Branch(phrases=("remove",), outcome=Outcome.OPTED_OUT),
            Branch(phrases=("call me tomorrow",), say="We will see.", to="when"),
        ),
    ),
    Step(
        name="when",
        say="Morning or afternoon?",
        branches=(Branch(phrases=("morning", "afternoon"), say="Noted."),),
        otherwise=Branch(phrases=(), say="Somebody will write to you.", outcome=Outcome.TRANSFERRED),
    ),
)


@dataclass
class Heard:
    """What a conversation did."""

    said: list[str]
    moves: list
    result: Result


def talk(*answers, during=None, **fields):
    """Drive a conversation. ``answers`` are heard in turn, then silence.

    ``during`` maps a text of the agent to what cuts in, each time, in turn.
    """
    coming, cutting = iter(answers), {text: iter(cuts) for text, cuts in (during or {}).items()}
    said, moves = [], []

    def respond(move):
        moves.append(move)
        if isinstance(move, Say):
            said.append(move.text)
            return next(cutting.get(move.text, iter(())), None)
        return next(coming, Silence()) if isinstance(move, Listen) else None

    return Heard(said, moves, drive(Conversation(script(**fields)), respond))


def drive(conversation, respond):
    """Run a conversation to its end; ``respond`` says what is heard at each move."""
    dialogue, heard = conversation.run(), None
    try:
        while True:
            heard = respond(dialogue.send(heard))
    except StopIteration as end:
        return end.value


def test_it_listens_first_then_speaks():
    heard = talk(HELLO, Speech("Thanks."))
    assert isinstance(heard.moves[0], Listen)
    assert heard.moves[1] == Classified(AnsweredBy.HUMAN)
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.goodbye]


def test_who_says_nothing_is_taken_for_a_human():
    assert Classified(AnsweredBy.HUMAN) in talk(Silence(), Speech("Thanks.")).moves


def test_an_answer_makes_it_a_conversation():
    assert talk(HELLO, Speech("Thanks.")).result.outcome is Outcome.ANSWERED_HUMAN


def test_the_evidence_of_a_conversation_is_what_was_answered():
    assert talk(HELLO, Speech("Thanks.", 800)).result.evidence == {"said": "Thanks.", "offset_ms": 800}


def test_no_answer_makes_it_a_delivered_message():
    assert talk(HELLO).result.outcome is Outcome.MESSAGE_DELIVERED


def test_in_deliver_mode_it_confirms_and_says_goodbye():
    heard = talk(HELLO, Speech("All right."), mode="deliver")
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.MESSAGE_DELIVERED


def test_in_deliver_mode_an_opt_out_is_heard():
    assert talk(HELLO, STOP, mode="deliver").result.outcome is Outcome.OPTED_OUT


def test_in_deliver_mode_it_repeats_when_asked():
    heard = talk(HELLO, Speech("What?"), mode="deliver")
    assert heard.said.count(TEXTS.message) == 2


def test_it_repeats_the_message_when_asked():
    heard = talk(HELLO, Speech("Can you repeat that?"), Speech("Thanks."))
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.message, TEXTS.goodbye]


def test_it_reminds_once_at_ten_seconds_and_ends_at_thirty():
    heard = talk(HELLO)
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.silence_reminder, TEXTS.goodbye]
    assert [move.timeout_s for move in heard.moves if isinstance(move, Listen)][1:] == [10, 20, 0]


def test_a_second_silence_is_not_reminded_again():
    heard = talk(HELLO, Silence(), Speech("Yes."), steps=BOOKING)
    assert heard.said.count(TEXTS.silence_reminder) == 1
    assert [move.timeout_s for move in heard.moves if isinstance(move, Listen)][1:] == [10, 20, 30, 0]


def test_an_answer_in_the_reminder_counts():
    heard = talk(HELLO, during={TEXTS.silence_reminder: [Speech("Yes, I am here.")]})
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


@pytest.mark.parametrize("at", ["preface", "message", "goodbye"])
@pytest.mark.parametrize("how", [STOP, Key("9", 900)], ids=["speech", "key"])
def test_an_opt_out_is_heard_while_it_speaks(at, how):
    heard = talk(HELLO, Speech("Thanks."), during={getattr(TEXTS, at): [how]})
    assert heard.result.outcome is Outcome.OPTED_OUT
    assert heard.result.evidence == how.evidence
    place = heard.moves.index(OptedOut(how.evidence))
    assert heard.moves[place + 1 :] == [Say(TEXTS.opt_out_confirmation), Say(TEXTS.goodbye)]


@pytest.mark.parametrize(
    "answers",
    [
        (STOP,),
        (HELLO, STOP),
        (HELLO, Silence(), STOP),
        (HELLO, Speech("What?"), STOP),
        (SCREEN, STOP),
        (Speech("You have reached Alex. Stop calling me. Leave a message after the tone."),),
        (GREETING, STOP),
    ],
    ids=["greeting", "reply", "reminded", "repeated", "screening", "voicemail", "after a greeting"],
)
def test_an_opt_out_is_heard_wherever_it_listens(answers):
    assert talk(*answers).result.outcome is Outcome.OPTED_OUT


def test_an_opt_out_holds_though_they_hang_up_in_its_confirmation():
    heard = talk(HELLO, STOP, during={TEXTS.opt_out_confirmation: [GONE]})
    assert (heard.result.outcome, heard.result.ended_by) == (Outcome.OPTED_OUT, EndedBy.CALLEE)


def test_an_opt_out_is_reported_once_though_they_say_it_again():
    heard = talk(HELLO, STOP, during={TEXTS.opt_out_confirmation: [STOP], TEXTS.goodbye: [STOP]})
    assert sum(isinstance(move, OptedOut) for move in heard.moves) == 1


def test_a_wrong_person_does_not_hear_the_message():
    heard = talk(Speech("Hello, you have the wrong number."))
    assert heard.said == [TEXTS.goodbye]
    assert heard.result.outcome is Outcome.WRONG_PERSON


def test_a_wrong_person_stops_the_message():
    heard = talk(HELLO, during={TEXTS.preface: [Speech("Wrong number!")]})
    assert heard.said == [TEXTS.preface, TEXTS.goodbye]


def test_who_asks_for_a_callback_is_thanked():
    said = Speech("I am busy, call me back tomorrow.", 700)
    heard = talk(HELLO, during={TEXTS.preface: [said]})
    assert heard.said == [TEXTS.preface, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.CALLBACK_REQUESTED
    assert heard.result.evidence == said.evidence


def test_without_the_introduction_to_its_end_nothing_else_is_said():
    """Who calls, that it is an AI, that it is recorded: who keeps talking over it hears no message."""
    heard = talk(HELLO, during={TEXTS.preface: [Speech("Who is this?")] * 3})
    assert heard.said == [TEXTS.preface] * 3 + [TEXTS.goodbye]
    assert heard.result.outcome is Outcome.MESSAGE_INCOMPLETE


def test_a_goodbye_is_said_once_whatever_cuts_in():
    heard = talk(HELLO, Speech("Thanks."), during={TEXTS.goodbye: [Speech("Bye!")]})
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_callback_may_be_asked_for_in_the_goodbye():
    heard = talk(HELLO, Speech("Thanks."), during={TEXTS.goodbye: [Speech("Call me back tomorrow!")] * 2})
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.goodbye, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.CALLBACK_REQUESTED


def test_who_cuts_in_with_something_else_hears_it_again():
    heard = talk(HELLO, Speech("Yes."), during={TEXTS.message: [Speech("Hm?")]})
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.message, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_message_that_was_never_heard_to_its_end_is_incomplete():
    heard = talk(HELLO, Speech("Hm."), during={TEXTS.message: [Speech("Hm?")] * 5})
    assert heard.result.outcome is Outcome.MESSAGE_INCOMPLETE


@pytest.mark.parametrize(
    ("by", "at", "outcome"),
    [
        (EndedBy.CALLEE, "preface", Outcome.MESSAGE_INCOMPLETE),
        (EndedBy.CALLEE, "message", Outcome.MESSAGE_INCOMPLETE),
        (EndedBy.CALLEE, "goodbye", Outcome.ANSWERED_HUMAN),
        (EndedBy.STAFF, "message", Outcome.MESSAGE_INCOMPLETE),
        (EndedBy.STAFF, "goodbye", Outcome.MESSAGE_DELIVERED),
        (EndedBy.SYSTEM, "message", Outcome.MAX_DURATION),
        (EndedBy.SYSTEM, "goodbye", Outcome.MAX_DURATION),
    ],
)
def test_what_an_end_of_the_line_means_depends_on_who_and_when(by, at, outcome):
    heard = talk(HELLO, Speech("Thanks."), during={getattr(TEXTS, at): [Over(by)]})
    assert (heard.result.outcome, heard.result.ended_by) == (outcome, by)


def test_who_hangs_up_at_once_was_never_classified():
    result = talk(GONE).result
    assert (result.outcome, result.answered_by) == (Outcome.MESSAGE_INCOMPLETE, None)


def test_a_voicemail_is_spoken_to_after_its_tone():
    heard = talk(GREETING, Speech("Have a nice day."), Tone())
    assert heard.said == [TEXTS.voicemail_message]
    assert heard.result.outcome is Outcome.VOICEMAIL_LEFT


def test_a_voicemail_without_a_tone_is_spoken_to_after_silence():
    heard = talk(GREETING)
    assert heard.said == [TEXTS.voicemail_message]
    assert max(move.timeout_s for move in heard.moves if isinstance(move, Listen)) >= 1.5


def test_a_tone_that_comes_late_starts_the_voicemail_message_again():
    heard = talk(GREETING, during={TEXTS.voicemail_message: [Tone()]})
    assert heard.said == [TEXTS.voicemail_message] * 2


def test_without_a_voicemail_message_it_hangs_up():
    heard = talk(GREETING, voicemail_message="")
    assert heard.said == []
    assert heard.result.outcome is Outcome.VOICEMAIL_HUNGUP


def test_a_voicemail_that_ends_too_early_was_hung_up():
    result = talk(GREETING, Tone(), during={TEXTS.voicemail_message: [GONE]}).result
    assert result.outcome is Outcome.VOICEMAIL_HUNGUP


def test_a_voicemail_that_offers_to_call_back_asks_for_nothing():
    heard = talk(GREETING, Speech("We will call back tomorrow, you have the wrong number."), Tone())
    assert heard.result.outcome is Outcome.VOICEMAIL_LEFT


def test_who_takes_the_call_after_screening_hears_everything():
    heard = talk(SCREEN, Speech("Hello, Sam here."), Speech("Fine."))
    assert heard.said == [TEXTS.screening_message, TEXTS.preface, TEXTS.message, TEXTS.goodbye]
    assert heard.result.answered_by is AnsweredBy.HUMAN
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


@pytest.mark.parametrize("end", [GONE, Silence()])
def test_a_screening_that_lets_nobody_through_is_screened(end):
    assert talk(SCREEN, end).result.outcome is Outcome.SCREENED


def test_a_screening_that_has_understood_is_told_no_more():
    heard = talk(SCREEN, Speech("Thank you. I will see if this person is available."), GONE)
    assert heard.said == [TEXTS.screening_message]


@pytest.mark.parametrize(
    "again",
    [
        SCREEN,
        Speech("Sorry, I did not catch that. I am a call screening service."),
        Speech("I am the virtual assistant of Sam. What is this about?"),
    ],
)
def test_a_screening_that_asks_again_is_told_again(again):
    heard = talk(SCREEN, again, Speech("Hello, Sam here."), Speech("Fine."))
    assert heard.said[:3] == [TEXTS.screening_message, TEXTS.screening_message, TEXTS.preface]
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_screening_that_asks_without_end_is_told_three_times():
    heard = talk(*[SCREEN] * 10, GONE)
    assert heard.said == [TEXTS.screening_message] * 3
    assert heard.result.outcome is Outcome.SCREENED


def test_a_screening_may_lead_to_a_voicemail():
    heard = talk(SCREEN, GREETING, Tone())
    assert heard.said == [TEXTS.screening_message, TEXTS.voicemail_message]
    assert heard.result.outcome is Outcome.VOICEMAIL_LEFT


@pytest.mark.parametrize("at", ["preface", "message"])
def test_who_turns_out_to_be_a_voicemail_gets_its_message(at):
    rest = Speech("Leave a message after the tone.", 3_000, 2_000)
    heard = talk(Speech("Hi, this is Alex.", 300, 900), Tone(), during={getattr(TEXTS, at): [rest]})
    assert heard.said[-1] == TEXTS.voicemail_message
    assert [move.answered_by for move in heard.moves if isinstance(move, Classified)] == [
        AnsweredBy.HUMAN,
        AnsweredBy.VOICEMAIL,
    ]
    assert heard.result.outcome is Outcome.VOICEMAIL_LEFT


def test_a_beep_in_the_preface_is_a_voicemails_and_starts_its_message_at_once():
    heard = talk(HELLO, during={TEXTS.preface: [Tone()]})
    assert heard.said == [TEXTS.preface, TEXTS.voicemail_message]
    assert heard.result.answered_by is AnsweredBy.VOICEMAIL


def test_who_turns_out_to_be_screening_is_told_who_calls():
    heard = talk(
        HELLO, during={TEXTS.preface: [Speech("Please say your name and why you are calling.", 1, 3_000)]}
    )
    assert heard.said == [TEXTS.preface, TEXTS.screening_message]


def test_a_human_who_speaks_of_pressing_nine_stays_a_human():
    asked = Speech("Press nine? Why should I press nine?", 3_000, 2_500)
    heard = talk(HELLO, Speech("Fine."), during={TEXTS.preface: [asked]})
    assert heard.result.answered_by is AnsweredBy.HUMAN
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_who_cannot_be_understood_is_treated_as_a_human():
    heard = talk(DEAF, Speech("You have the wrong number."))
    assert heard.result.answered_by is AnsweredBy.UNKNOWN
    assert heard.said == [TEXTS.preface, TEXTS.message, TEXTS.goodbye]
    assert heard.result.outcome is Outcome.WRONG_PERSON


def test_the_evidence_of_an_answer_that_was_not_understood_says_so():
    evidence = talk(HELLO, DEAF).result.evidence
    assert evidence == {"said": "", "offset_ms": 700, "not_understood_ms": 900}


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("preface", Outcome.MESSAGE_INCOMPLETE),
        ("message", Outcome.MESSAGE_INCOMPLETE),
        ("goodbye", Outcome.ANSWERED_HUMAN),
    ],
)
def test_a_voice_that_is_lost_ends_the_call_with_what_was_said(at, outcome):
    heard = talk(HELLO, Speech("Thanks."), during={getattr(TEXTS, at): [Mute("no voice")]})
    assert (heard.result.outcome, heard.result.ended_by) == (outcome, EndedBy.SYSTEM)
    assert heard.result.evidence["voice_lost"] == "no voice"
    assert heard.said[-1] == getattr(TEXTS, at)


def test_an_opt_out_holds_though_the_voice_is_lost():
    heard = talk(HELLO, STOP, during={TEXTS.opt_out_confirmation: [Mute("no voice")]})
    assert heard.result.outcome is Outcome.OPTED_OUT


def test_who_presses_a_key_again_hears_that_the_opt_out_is_understood():
    heard = talk(HELLO, Key("9"), during={TEXTS.opt_out_confirmation: [Key("9"), Key("9")]})
    assert heard.said.count(TEXTS.opt_out_confirmation) == 3


def test_what_they_began_to_say_in_the_goodbye_is_heard():
    heard = talk(HELLO, Speech("Thanks."), STOP)
    assert heard.result.outcome is Outcome.OPTED_OUT
    heard = talk(Speech("Wrong number."), STOP)
    assert heard.result.outcome is Outcome.OPTED_OUT


def test_a_playbook_leads_from_step_to_step():
    heard = talk(HELLO, Speech("Yes, gladly."), Speech("In the morning."), steps=BOOKING)
    assert heard.said[2:] == [
        "Can you come?",
        "Wonderful.",
        "Morning or afternoon?",
        "Noted.",
        TEXTS.goodbye,
    ]
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_branch_may_set_the_outcome_with_the_answer_as_evidence():
    heard = talk(HELLO, Speech("Yes."), Speech("Purple.", 42), steps=BOOKING)
    assert heard.result.outcome is Outcome.TRANSFERRED
    assert heard.result.evidence == {"said": "Purple.", "offset_ms": 42}


def test_an_answer_that_leads_nowhere_is_asked_for_once_more():
    heard = talk(HELLO, Speech("Purple."), Speech("Purple."), steps=BOOKING)
    assert heard.said[2:] == ["Can you come?", "Can you come?", TEXTS.goodbye]


def test_an_answer_may_cut_the_question_short():
    heard = talk(
        HELLO,
        Speech("In the afternoon."),
        during={"Can you come?": [Speech("Yes!")]},
        steps=BOOKING,
    )
    assert heard.said[2:5] == ["Can you come?", "Wonderful.", "Morning or afternoon?"]


def test_a_key_is_an_answer():
    steps = (Step(name="menu", say="Press one.", branches=(Branch(phrases=("1",), say="You did."),)),)
    assert "You did." in talk(HELLO, Key("1"), steps=steps).said


def test_a_playbook_that_expects_a_phrase_has_it_before_the_general_meaning():
    heard = talk(HELLO, Speech("Call me tomorrow."), Speech("Morning."), steps=BOOKING)
    assert "We will see." in heard.said
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_playbook_never_has_a_phrase_before_an_opt_out():
    steps = (Step(name="ask", say="Well?", branches=(Branch(phrases=("stop", "9"), say="No, wait!"),)),)
    for refusal in (Speech("Stop!"), Key("9")):
        heard = talk(HELLO, refusal, steps=steps)
        assert heard.result.outcome is Outcome.OPTED_OUT
        assert "No, wait!" not in heard.said


def test_a_branch_that_opts_out_reports_it_as_any_other():
    heard = talk(HELLO, Speech("Remove this from my day."), steps=BOOKING)
    assert any(isinstance(move, OptedOut) for move in heard.moves)
    assert heard.result.outcome is Outcome.OPTED_OUT


def test_a_step_that_expects_nothing_takes_any_answer():
    heard = talk(HELLO, Speech("Purple."), steps=(Step(name="tell", say="It will rain."),))
    assert heard.said[2:] == ["It will rain.", TEXTS.goodbye]
    assert heard.result.outcome is Outcome.ANSWERED_HUMAN


def test_a_branch_to_a_step_that_is_not_there_leads_to_the_goodbye():
    steps = (Step(name="ask", say="Well?", branches=(Branch(phrases=("yes",), to="nowhere"),)),)
    assert talk(HELLO, Speech("Yes."), steps=steps).said[2:] == ["Well?", TEXTS.goodbye]


UTTERANCES = st.sampled_from(
    [
        *(HELLO, STOP, GREETING, SCREEN, Key("1"), Key("9", 5), Tone(), Silence(), DEAF, Mute("no voice")),
        *(
            Speech(text)
            for text in ("Yes.", "No.", "What?", "Morning.", "Wrong number.", "Call me tomorrow.", "")
        ),
        *map(Over, (EndedBy.CALLEE, EndedBy.STAFF, EndedBy.SYSTEM)),
    ]
)


@settings(max_examples=400, database=None)
@given(
    answers=st.lists(UTTERANCES, max_size=12),
    cuts=st.lists(st.one_of(st.none(), UTTERANCES.filter(lambda heard: heard != Silence())), max_size=12),
    mode=st.sampled_from(["deliver", "converse"]),
    steps=st.sampled_from([(), BOOKING]),
)
def test_whatever_is_heard_it_comes_to_one_end_and_never_misses_an_opt_out(answers, cuts, mode, steps):
    coming, cutting, heard, reported = iter(answers), iter(cuts), [], []

    def respond(move):
        assert not (heard and isinstance(heard[-1], Over | Mute)), "it goes on after the end"
        if isinstance(move, OptedOut):
            reported.append(heard[-1])
        elif isinstance(move, Say):
            heard.append(next(cutting, None))
            return heard[-1]
        elif isinstance(move, Listen):
            heard.append(next(coming, Silence()))
            return heard[-1]
        return None

    result = drive(Conversation(script(mode=mode, steps=steps)), respond)
    refusals = [each for each in heard if each in (STOP, Key("9", 5))]
    assert reported == refusals[:1]
    assert (result.outcome is Outcome.OPTED_OUT) == bool(refusals)


def test_texts_that_are_empty_are_not_spoken():
    heard = talk(HELLO, Speech("Yes."), preface="", goodbye="")
    assert heard.said == [TEXTS.message]
