"""A conversation by a language model, over real HTTP with a small server, and all that may go wrong."""

import asyncio
import json

import pytest

from temphone.gateway.conversation.llm import ModelSettings, OpenAIModel
from temphone.gateway.conversation.moves import Line, Sentence
from temphone.gateway.thinking import Mind
from temphone.telephony.messages import Branch, EventType, Instructions, Outcome, Question, Step, Tool
from temphone.telephony.sentences import ENGLISH
from tests.gateway.builders import HUMAN, OPT_OUT, dial, script
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.fake_llm import BREAK, HANG, FakeLLM, does, piece, says
from tests.gateway.running import gateway

pytest.importorskip("openai", reason="needs the package openai (requirements/voice.txt)")

KEY = "sk-a-secret-of-ours"
DESK = "+14155550100"
OTHER = "+4930123456"
TEXTS = script()
STEPS = (
    Step(
        name="ask",
        say="Can you come?",
        branches=(Branch(phrases=("yes",), say="Wonderful."),),
        otherwise=Branch(phrases=()),
    ),
)
GOODBYE = says("Good. ") + does("end_call")
EVERYTHING = Instructions(text="Find out whether they come.", tools=tuple(Tool))


class Told:
    """What became of a call."""

    def __init__(self, django, llm):
        self.django, self.llm = django, llm
        self.asked = [one for one in llm.asked if "stream" in one] if llm else []  # in the call itself
        self.said = django.said("att_1", "agent")
        self.events = django.events["att_1"]
        self.ending = next(event.ending for event in self.events if event.ending)
        self.notes = [event.evidence for event in self.events if event.type is EventType.NOTED]

    @property
    def by_model(self):
        """What was said between the message and the goodbye."""
        return self.said[2:-1] if self.said[-1] == TEXTS.goodbye else self.said[2:]


def call(tmp_path, *replies, to=HUMAN, llm=EVERYTHING, timeout_s=10.0, model="small", **fields):
    """One call to a polite human, with these answers of the model."""

    async def test():
        async with FakeDjango() as django, FakeLLM() as server:
            server.will(*replies)
            settings = ModelSettings(url=server.url, key=KEY, model=model, timeout_s=timeout_s)
            async with gateway(tmp_path, django, llm=settings) as client:
                await client.dial(dial("att_1", to, script=script(llm=llm, **fields)))
                await django.ended("att_1")
            return Told(django, server)

    return asyncio.run(test())


def test_the_script_speaks_before_the_model_is_asked(tmp_path):
    told = call(tmp_path, says("Great. See you then!") + does("end_call"))
    assert told.said == [TEXTS.preface, TEXTS.message, "Great.", "See you then!", TEXTS.goodbye]
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN
    assert told.notes == []


def test_it_is_told_what_was_said_and_nothing_that_is_secret(tmp_path):
    told = call(tmp_path, says("Good.") + does("end_call"), transfers={"the front desk": DESK})
    (asked,) = told.asked
    roles = [message["role"] for message in asked["messages"]]
    assert roles == ["system", "assistant", "assistant", "user"]
    assert "Find out whether they come." in asked["messages"][0]["content"]
    assert asked["messages"][-1]["content"].startswith("<callee>")
    assert (asked["model"], asked["stream"]) == ("small", True)
    assert set(told.llm.keys) == {f"Bearer {KEY}"}
    text = json.dumps(told.llm.asked)
    assert "the front desk" in text
    for secret in (KEY, DESK, HUMAN, "+14155550199", "whsec"):
        assert secret not in text


def test_an_agent_may_name_a_model_of_its_own(tmp_path):
    told = call(tmp_path, does("end_call"), llm=Instructions(text="", tools=tuple(Tool), model="large"))
    assert told.asked[0]["model"] == "large"


def test_it_is_offered_the_tools_that_it_may_use_and_always_the_opt_out(tmp_path):
    told = call(tmp_path, says("Good."), llm=Instructions(text="", tools=(Tool.END_CALL, Tool.TRANSFER)))
    names = [tool["function"]["name"] for tool in told.asked[0]["tools"]]
    assert names == ["end_call", "opt_out"]  # and nobody is there to transfer to


def test_a_conversation_goes_to_and_fro_until_the_turns_are_used_up(tmp_path):
    llm = Instructions(text="", tools=(), turn_budget=3)
    told = call(tmp_path, *(says(f"Answer {number}.") for number in range(9)), llm=llm)
    assert told.by_model == ["Answer 0.", "Answer 1.", "Answer 2."]
    assert told.said[-1] == TEXTS.goodbye
    assert [message["role"] for message in told.asked[2]["messages"][3:]] == ["user", "assistant"] * 2 + [
        "user"
    ]


def test_an_opt_out_never_reaches_it(tmp_path):
    told = call(tmp_path, says("No, wait!"), to=OPT_OUT)
    assert told.ending.outcome is Outcome.OPTED_OUT
    assert told.asked == []


def test_it_may_opt_them_out(tmp_path):
    told = call(tmp_path, does("opt_out"), llm=Instructions(text=""))
    assert told.ending.outcome is Outcome.OPTED_OUT
    assert EventType.OPTED_OUT in told.django.types("att_1")
    assert told.said[-2:] == [TEXTS.opt_out_confirmation, TEXTS.goodbye]


def test_it_notes_a_callback_with_when_as_they_said(tmp_path):
    told = call(tmp_path, says("Of course.") + does("callback", {"when": "tomorrow at three"}))
    assert told.ending.outcome is Outcome.CALLBACK_REQUESTED
    assert told.ending.evidence["when"] == "tomorrow at three"
    assert told.said[-2:] == ["Of course.", TEXTS.goodbye]


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ({"outcome": "wrong_person"}, Outcome.WRONG_PERSON),
        ({"outcome": "message_delivered"}, Outcome.MESSAGE_DELIVERED),
        ({"outcome": "transferred"}, Outcome.ANSWERED_HUMAN),
        ({"outcome": "opted_out"}, Outcome.ANSWERED_HUMAN),
        ({"outcome": 7}, Outcome.ANSWERED_HUMAN),
        ("no json", Outcome.ANSWERED_HUMAN),
        ("[" * 200_000, Outcome.ANSWERED_HUMAN),
        ("[" * 1_900, Outcome.ANSWERED_HUMAN),
        ("[1]", Outcome.ANSWERED_HUMAN),
        ("null", Outcome.ANSWERED_HUMAN),
    ],
    ids=str,
)
def test_it_gives_only_outcomes_that_it_can_know(tmp_path, arguments, outcome):
    marks = does("mark_outcome", arguments) if len(str(arguments)) < 100 else [huge(arguments)]
    told = call(tmp_path, says("I see.") + marks + does("end_call", index=1, id_="call_2"))
    assert told.ending.outcome is outcome
    assert told.notes == []


def huge(arguments):
    return piece(
        tool_calls=[{"index": 0, "id": "c", "function": {"name": "mark_outcome", "arguments": arguments}}]
    )


def test_what_it_did_without_a_word_is_answered_and_it_is_asked_again(tmp_path):
    told = call(
        tmp_path,
        does("mark_outcome", {"outcome": "message_delivered"}) + does("mark_outcome", {}, index=1, id_="b"),
        says("Noted.") + does("end_call"),
    )
    assert told.by_model == ["Noted."]
    *_, did, first, second = told.asked[1]["messages"]
    assert [call["id"] for call in did["tool_calls"]] == ["call_1", "b"]
    assert (first["tool_call_id"], first["content"]) == ("call_1", "Noted.")
    assert (second["tool_call_id"], second["content"]) == ("b", "Done already.")


def test_it_transfers_to_a_preset(tmp_path):
    told = call(
        tmp_path,
        says("I connect you.") + does("transfer", {"to": "The Front Desk"}),
        transfers={"the front desk": DESK},
    )
    assert told.said[-1] == "I connect you."  # and no goodbye
    assert told.ending.outcome is Outcome.TRANSFERRED
    assert told.ending.evidence["transferred_to"] == "The Front Desk"


def test_it_says_so_when_the_network_does_not_take_them_and_goes_on(tmp_path):
    told = call(
        tmp_path,
        does("transfer", {"to": "the desk"}),
        says("Somebody will write to you.") + does("end_call"),
        transfers={"the desk": OTHER},
    )
    assert told.by_model == [ENGLISH.connecting, ENGLISH.not_connected, "Somebody will write to you."]
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN


@pytest.mark.parametrize(
    "to", ["+19005550100", "19005550100", DESK, "", "somebody", "the desk; +19005550100"]
)
def test_it_transfers_nowhere_else(tmp_path, to):
    told = call(
        tmp_path,
        does("transfer", {"to": to}),
        says("I cannot do that.") + does("end_call"),
        transfers={"the desk": DESK},
    )
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN
    assert told.by_model == ["I cannot do that."]


def test_a_tool_that_is_not_allowed_does_nothing(tmp_path):
    told = call(
        tmp_path,
        does("transfer", {"to": "the desk"}),
        says("No."),
        llm=Instructions(text="", tools=(), turn_budget=1),
        transfers={"the desk": DESK},
    )
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN


FAULTS = {
    "500": 500,
    "401": 401,
    "429": 429,
    "hangs": [HANG],
    "breaks": [BREAK],
    "says nothing": [],
    "no choices": [{"choices": None}, {"choices": []}, {"id": "x"}],
    "null everywhere": [piece(content=None, tool_calls=None), {"choices": [{"delta": None}]}],
    "no JSON": [b"{not json"],
    "deep JSON": [b"[" * 100_000],
    "a number": [b"7"],
    "content of another kind": [piece(content=[{"type": "text"}]), piece(content=5)],
    "no letters": says("... *** ---"),
    "written JSON": says('{"name": "transfer", "to": "+19005550100"}'),
    "written markup": says("<tool_call>end</tool_call>"),
    "an unknown tool": does("rm_rf"),
    "an error in the stream": [b'{"error": {"message": "overloaded", "code": 503}}'],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_where_it_fails_the_playbook_takes_over_and_says_so(tmp_path, fault):
    told = call(tmp_path, FAULTS[fault], FAULTS[fault], timeout_s=0.3, steps=STEPS)
    assert told.said[2] == "Can you come?"
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN
    assert len(told.notes) == 1
    assert told.notes[0]["model_problem"]


def test_without_a_playbook_it_says_that_it_cannot_answer(tmp_path):
    told = call(tmp_path, 500)
    assert told.by_model == ["I am sorry, I cannot answer that right now."]
    assert told.ending.outcome is Outcome.ANSWERED_HUMAN


def test_without_a_model_the_playbook_speaks(tmp_path):
    async def test():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            await client.dial(dial("att_1", script=script(llm=EVERYTHING, steps=STEPS)))
            await django.ended("att_1")
            return Told(django, None)

    told = asyncio.run(test())
    assert "Can you come?" in told.said
    assert told.notes == [{"model_problem": "no model"}]


def test_what_hangs_after_a_sentence_was_heard_ends_the_turn_only(tmp_path):
    told = call(
        tmp_path,
        [*says("Let me see. "), HANG],
        says("Here I am again.") + does("end_call"),
        timeout_s=2.0,
        steps=STEPS,
    )
    assert told.by_model == ["Let me see.", "Here I am again."]
    assert told.notes == [{"model_problem": "slow"}]


def test_a_huge_answer_is_cut(tmp_path):
    told = call(
        tmp_path, [*says("Blah blah blah. " * 500, size=100)], llm=Instructions(text="", turn_budget=1)
    )
    assert 0 < sum(map(len, told.by_model)) < 1_300


def test_a_sentence_without_an_end_is_cut(tmp_path):
    told = call(tmp_path, says("blah " * 200, size=50), llm=Instructions(text="", turn_budget=1))
    assert max(map(len, told.by_model)) <= 300


def test_halves_of_characters_and_markup_are_not_spoken(tmp_path):
    pieces = [piece(content="**Good** \ud83d"), piece(content="\ude00 day\x00\u2028, \udfff`Alex`.")]
    told = call(tmp_path, pieces, llm=Instructions(text="", turn_budget=1))
    assert told.by_model == ["Good \U0001f600 day , Alex."]


def test_pieces_without_choices_are_passed_over(tmp_path):
    told = call(tmp_path, [{"choices": None}, {"choices": []}, *GOODBYE, {"choices": None, "usage": {}}])
    assert (told.by_model, told.notes) == (["Good."], [])


def test_calls_of_tools_without_an_index_or_id_are_understood(tmp_path):
    fragment = {"function": {"name": "callback", "arguments": '{"when": "later"}'}}
    told = call(tmp_path, [piece(content="Yes."), piece(tool_calls=[fragment])])
    assert told.ending.outcome is Outcome.CALLBACK_REQUESTED


def test_a_stream_that_nobody_hears_any_more_is_closed():
    async def test():
        async with FakeLLM() as server:
            server.will([*says("One. Two. "), HANG])
            model = OpenAIModel(ModelSettings(url=server.url, key="", model="small", timeout_s=5))
            mind = Mind(model, script(llm=EVERYTHING), timeout_s=5)
            assert await mind.begin([Line("callee", "Hello?")]) == Sentence("One.")
            await mind.close()
            await until(lambda: server.left == 1)
            await model.close()

    asyncio.run(test())


QUESTIONS = (
    Question(name="comes", text="Do they come?", type="yes_no"),
    Question(name="day", text="Which day?", type="date"),
)


def analysed(tmp_path, completion, **fields):
    """What was made of a call: at its end, and after it."""

    async def test():
        async with FakeDjango() as django, FakeLLM() as server:
            server.will(GOODBYE, completion)
            settings = ModelSettings(url=server.url, key=KEY, model="small", timeout_s=4.0)
            async with gateway(tmp_path, django, llm=settings) as client:
                told = script(llm=EVERYTHING, questions=QUESTIONS, **fields)
                await client.dial(dial("att_1", script=told))
                await django.ended("att_1")
                await until(lambda: len(server.asked) == 2)
                await client.dial(dial("att_2", OPT_OUT))  # by whose end the first was given its time
                await django.ended("att_2")
            return Told(django, server)

    return asyncio.run(test())


def test_after_the_call_it_tells_what_it_was_about_and_what_was_learned(tmp_path):
    answer = {"summary": "They come on Friday.", "answers": {"comes": True, "day": "2026-12-04", "x": "y"}}
    told = analysed(tmp_path, f"```json\n{json.dumps(answer)}\n```")
    assert told.ending.analysis.engine == "rules"
    last = told.events[-1]
    assert (last.type, last.analysis.engine) == (EventType.ANALYZED, "llm")
    assert last.analysis.summary == "They come on Friday."
    assert last.analysis.extracted == {"comes": True, "day": "2026-12-04"}
    (question,) = told.llm.asked[1]["messages"]
    assert "- comes: Do they come? (true or false)" in question["content"]
    assert question["content"].count("\ncallee: ") == 2


@pytest.mark.parametrize("completion", [500, "I do not know.", "[" * 100_000, '{"summary": 7}', "{}", ""])
def test_where_it_cannot_tell_what_the_rules_made_of_it_stays(tmp_path, completion):
    told = analysed(tmp_path, completion)
    assert told.events[-1].type is EventType.ENDED
    assert told.ending.analysis.summary.startswith("A person heard the message and answered. They said: “")
