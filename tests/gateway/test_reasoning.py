"""A conversation by a language model, without any model: what it thinks is given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temphone.gateway.conversation.dialogue import Conversation
from temphone.gateway.conversation.moves import (
    Deed,
    Done,
    Key,
    Listen,
    Lost,
    OptedOut,
    Over,
    Say,
    Sentence,
    Silence,
    Speech,
    Think,
    ThinkOn,
    Tone,
    Transfer,
)
from temphone.telephony.messages import Branch, EndedBy, Instructions, Outcome, Step, Tool
from temphone.telephony.sentences import ENGLISH
from tests.gateway.builders import script
from tests.gateway.test_conversation import drive

HELLO = Speech("Hello?")
DESK = "+14155550100"
EVERYTHING = Instructions(text="", tools=tuple(Tool))
TO_DESK = Deed("a", Tool.TRANSFER, {"to": "desk"})
TEXTS = script()


class Run:
    """A conversation, driven by what is heard, what cuts in, and what the model thinks, in turn."""

    def __init__(self, *answers, thoughts=(), during=None, takes=True, **fields):
        self.answers, self.thoughts = iter((HELLO, *answers)), iter(thoughts)
        self.cuts = {text: iter(cuts) for text, cuts in (during or {}).items()}
        self.takes, self.moves = takes, []
        fields = {"llm": EVERYTHING, "transfers": {"desk": DESK}} | fields
        self.result = drive(Conversation(script(**fields)), self.respond)

    @property
    def said(self):
        return [move.text for move in self.moves if isinstance(move, Say)]

    @property
    def thinks(self):
        return [move for move in self.moves if isinstance(move, Think)]

    def respond(self, move):
        self.moves.append(move)
        if isinstance(move, Say):
            return next(self.cuts.get(move.text, iter(())), None)
        if isinstance(move, Listen):
            return next(self.answers, Silence())
        if isinstance(move, Think | ThinkOn):
            return next(self.thoughts, Done())
        if isinstance(move, Transfer):
            return Over(EndedBy.AGENT) if self.takes else None
        return None

    @property
    def transferred(self):
        return Transfer(DESK) in self.moves


def test_who_cuts_in_is_answered_and_the_rest_is_not_said():
    run = Run(
        Speech("What is it?"),
        thoughts=[Sentence("It is long."), Sentence("Shorter."), Done()],
        during={"It is long.": [Speech("Get to the point!")]},
    )
    assert run.said[2:4] == ["It is long.", "Shorter."]
    assert [line.text for line in run.thinks[1].lines[-2:]] == [
        "It is long. [interrupted]",
        "Get to the point!",
    ]


@pytest.mark.parametrize("how", [Speech("Stop calling me!", 9), Key("9", 9)], ids=["speech", "key"])
def test_an_opt_out_is_heard_in_the_middle_of_a_sentence_of_the_model(how):
    run = Run(Speech("Yes."), thoughts=[Sentence("Buy!"), Done()], during={"Buy!": [how]})
    assert run.result.outcome is Outcome.OPTED_OUT
    assert OptedOut(how.evidence) in run.moves


def test_a_wrong_person_is_not_for_the_model_to_judge():
    run = Run(Speech("You have the wrong number."), thoughts=[Sentence("No, I have not.")])
    assert run.result.outcome is Outcome.WRONG_PERSON
    assert run.thinks == []


def test_a_callback_is_a_rule_unless_the_model_may_note_it():
    asked = Speech("Call me back tomorrow.")
    assert Run(asked, llm=Instructions(text="")).result.outcome is Outcome.CALLBACK_REQUESTED
    run = Run(asked, thoughts=[Done((Deed("a", Tool.CALLBACK, {"when": "tomorrow"}),))])
    assert run.result.evidence == {**asked.evidence, "when": "tomorrow"}


def test_it_is_transferred_when_nobody_objects():
    run = Run(Speech("May I speak with somebody?"), thoughts=[Sentence("Gladly."), Done((TO_DESK,))])
    assert run.transferred
    assert (run.result.outcome, run.result.ended_by) == (Outcome.TRANSFERRED, EndedBy.AGENT)
    assert run.said[-1] == "Gladly."


@pytest.mark.parametrize("word", ["Okay, thank you.", "Yes please.", "Go ahead."])
def test_who_agrees_is_transferred(word):
    assert Run(Speech("Hm."), Speech(word), thoughts=[Sentence("Soon."), Done((TO_DESK,))]).transferred


@pytest.mark.parametrize(
    "objection",
    [
        "No.",
        "Wait!",
        "Don't transfer me.",
        "I do not want to be transferred.",
        "Who is that?",
        "No, gracias.",
    ],
)
def test_an_objection_wins_over_a_transfer_that_is_pending(objection):
    first, then = [Sentence("I connect you.")], [Sentence("All right."), Done()]
    after = Run(Speech("Hm."), Speech(objection), thoughts=[*first, Done((TO_DESK,)), *then])
    # What is cut short is dropped, with what it would have done.
    within = Run(Speech("Hm."), thoughts=[*first, *then], during={"I connect you.": [Speech(objection)]})
    for run in (after, within):
        assert not run.transferred
        assert "All right." in run.said
    assert Speech(objection).text in [line.text for line in after.thinks[1].lines]


@pytest.mark.parametrize("stop", [Speech("Stop!"), Key("9")])
def test_a_stop_wins_over_a_transfer_that_is_pending(stop):
    run = Run(Speech("Hm."), stop, thoughts=[Sentence("I connect you."), Done((TO_DESK,))])
    assert not run.transferred
    assert run.result.outcome is Outcome.OPTED_OUT


def test_the_model_cannot_transfer_whom_has_just_forbidden_it():
    run = Run(Speech("Please don't transfer me to anybody."), thoughts=[Sentence("I do."), Done((TO_DESK,))])
    assert not run.transferred


def test_an_opt_out_comes_before_all_else_that_the_model_wants():
    deeds = (TO_DESK, Deed("b", Tool.END_CALL, {}), Deed("c", Tool.OPT_OUT, {}))
    run = Run(Speech("I have had enough of you."), thoughts=[Done(deeds)])
    assert not run.transferred
    assert run.result.outcome is Outcome.OPTED_OUT


def test_a_transfer_is_made_once_however_often_the_model_asks():
    run = Run(Speech("Hm."), thoughts=[Done((TO_DESK, TO_DESK, TO_DESK))], takes=False)
    assert run.moves.count(Transfer(DESK)) == 1
    assert run.said.count(ENGLISH.not_connected) == 1


def test_a_model_that_is_lost_later_gives_way_to_the_playbook():
    steps = (Step(name="ask", say="Can you come?", branches=(Branch(phrases=("yes",), say="Good."),)),)
    run = Run(
        Speech("Hm."),
        Speech("And?"),
        Speech("Yes."),
        thoughts=[Sentence("Well."), Done(), Lost("slow")],
        steps=steps,
    )
    assert run.said[2:] == ["Well.", "Can you come?", "Good.", TEXTS.goodbye]


CONNECT = (
    Step(
        name="ask",
        say="Shall I connect you?",
        branches=(Branch(phrases=("yes",), say="One moment.", transfer="desk"),),
    ),
)


def test_a_playbook_transfers_too_and_heeds_an_objection():
    assert Run(Speech("Yes."), llm=None, steps=CONNECT).transferred
    assert not Run(Speech("Yes."), Speech("No, wait."), llm=None, steps=CONNECT).transferred
    cut = {"One moment.": [Speech("No, do not transfer me.")]}
    assert not Run(Speech("Yes."), llm=None, steps=CONNECT, during=cut).transferred


def test_a_playbook_that_cannot_transfer_says_so():
    assert ENGLISH.not_connected in Run(Speech("Yes."), llm=None, steps=CONNECT, takes=False).said
    assert ENGLISH.not_connected in Run(Speech("Yes."), llm=None, steps=CONNECT, transfers={}).said


STOP = Speech("Please stop calling me.", 900)
HEARD = st.sampled_from(
    [
        *(HELLO, STOP, Key("1"), Key("9", 5), Tone(), Silence()),
        *map(Speech, ("Yes.", "No.", "What?", "Wait.", "Wrong number.", "Call me tomorrow.", "")),
        *map(Over, (EndedBy.CALLEE, EndedBy.STAFF, EndedBy.SYSTEM)),
    ]
)


@pytest.mark.parametrize("said", [(), (Speech("Thanks."),), (STOP,), (Speech("Thanks."), Key("9", 5))])
def test_what_they_say_while_they_are_handed_over_is_heard(said):
    coming, moves = iter([Speech("Hello?"), Speech("Yes."), Silence(), *said]), []

    def respond(move):
        moves.append(move)
        if isinstance(move, Transfer):
            return Over(EndedBy.AGENT)
        gone = Over(EndedBy.AGENT) if any(isinstance(each, Transfer) for each in moves) else None
        return next(coming, gone) if isinstance(move, Listen) else gone

    result = drive(Conversation(script(transfers={"desk": DESK}, steps=CONNECT)), respond)
    opted_out = any(each in (STOP, Key("9", 5)) for each in said)
    assert result.outcome is (Outcome.OPTED_OUT if opted_out else Outcome.TRANSFERRED)
    assert any(isinstance(move, OptedOut) for move in moves) is opted_out


DEEDS = st.builds(
    Deed,
    st.sampled_from(["a", "b"]),
    st.sampled_from([tool for tool in Tool if tool is not Tool.OPT_OUT]),
    st.sampled_from([{}, {"to": "desk"}, {"outcome": "message_delivered"}, {"when": "later"}]),
)
THOUGHTS = st.one_of(
    st.sampled_from([Sentence("One."), Sentence("Two."), Lost("slow")]),
    st.lists(DEEDS, max_size=4).map(lambda deeds: Done(tuple(deeds))),
)


@settings(max_examples=400, database=None)
@given(
    answers=st.lists(HEARD, max_size=12),
    cuts=st.lists(st.one_of(st.none(), HEARD.filter(lambda heard: heard != Silence())), max_size=12),
    thoughts=st.lists(THOUGHTS, max_size=20),
    takes=st.booleans(),
    late=st.lists(HEARD.filter(lambda heard: heard != Silence()), max_size=3),
    steps=st.sampled_from([(), CONNECT]),
)
def test_whatever_the_model_does_an_opt_out_is_never_missed_and_there_is_one_end(
    answers, cuts, thoughts, takes, late, steps
):
    coming, cutting, thinking, heard, reported = iter(answers), iter(cuts), iter(thoughts), [], []
    gone, handed_over, over = Over(EndedBy.AGENT), [], []
    said_meanwhile = iter(late)  # while it rang where they were handed to

    def respond(move):
        assert not over, "it goes on after the end"
        if isinstance(move, OptedOut):
            reported.append(heard[-1])
            return None
        if isinstance(move, Think | ThinkOn):
            return next(thinking, Done())
        if isinstance(move, Say):
            heard.append(gone if handed_over else next(cutting, None))
        elif isinstance(move, Listen):
            heard.append(next(said_meanwhile, gone) if handed_over else next(coming, Silence()))
        elif isinstance(move, Transfer):
            assert heard[-1] not in (STOP, Key("9", 5))
            handed_over.extend([move] if takes else [])
            return gone if takes else None
        else:
            return None
        over.extend(one for one in heard[-1:] if isinstance(one, Over))
        return heard[-1]

    told = script(llm=EVERYTHING, transfers={"desk": DESK}, steps=steps)
    result = drive(Conversation(told), respond)
    refusals = [each for each in heard if each in (STOP, Key("9", 5))]
    assert reported == refusals[:1]
    assert (result.outcome is Outcome.OPTED_OUT) == bool(refusals)
