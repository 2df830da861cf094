"""What is wrong with a playbook is told with its place and the mend."""

import pytest

from campaigns.scripts import problems_of, questions_of, steps_of
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS, a_step, an_answer


def problems(*steps):
    found = problems_of(steps_of(list(steps)), transfers=DESK, questions=questions_of(QUESTIONS))
    return [(problem.place, problem.text) for problem in found]


def test_a_sound_playbook_has_none():
    assert problems(*BOOKING) == []
    assert problems() == []


@pytest.mark.parametrize(
    ("steps", "place", "text"),
    [
        ([a_step("")], "steps.0.name", "Step 1: it has no name."),
        (
            [a_step("a", "?", an_answer("yes", to="a")), a_step("a")],
            "steps.0.name",
            "the name of another step",
        ),
        (
            [a_step("a", " ")],
            "steps.0.say",
            "Step 1 (a): it says nothing. Write what it says, or remove the step.",
        ),
        (
            [a_step("a", "?", an_answer("yes", to="b"))],
            "steps.0.branches.0.to",
            "Step 1 (a): answer 1 goes to “b”, which is no step. Choose one that is there.",
        ),
        ([a_step("a", otherwise=an_answer(to="b"))], "steps.0.otherwise.to", "“otherwise” goes to “b”"),
        ([a_step("a", "?", an_answer())], "steps.0.branches.0.phrases", "answer 1 expects no words."),
        ([a_step("a", "?", an_answer("?!"))], "steps.0.branches.0.phrases", "answer 1 expects no words."),
        (
            [a_step("a", "?", an_answer("later", "stop calling me"))],
            "steps.0.branches.0.phrases",
            "can never be given by “stop calling me”: that ends the calls to this number, always.",
        ),
        ([a_step("a", "?", an_answer("9"))], "steps.0.branches.0.phrases", "can never be given by “9”"),
        (
            [a_step("a", "?", an_answer("call"), an_answer("please call again"))],
            "steps.0.branches.1.phrases",
            "answer 2 can never be given by “please call again”: answer 1 has it already.",
        ),
        (
            [a_step("a", "?", an_answer("enough", outcome="opted_out", say="Wait!"))],
            "steps.0.branches.0.outcome",
            "says and does nothing else",
        ),
        ([a_step("a", "?", an_answer("x", outcome="busy"))], "steps.0.branches.0.outcome", "cannot know"),
        (
            [a_step("a", "?", an_answer("x", transfer="+1900"))],
            "steps.0.branches.0.transfer",
            "no destination",
        ),
        ([a_step("a", "?", an_answer("x", field="y"))], "steps.0.branches.0.field", "the question “y”"),
        (
            [a_step("a"), a_step("b")],
            "steps.1.name",
            "Step 2 (b): nothing leads to it. Let an answer go to it, or remove it.",
        ),
        (
            [
                a_step("a", "?", an_answer("yes"), otherwise=an_answer(to="b")),
                a_step("b", "?", an_answer("yes"), otherwise=an_answer(to="a")),
            ],
            "steps.0.otherwise.to",
            "Step 1 (a): “otherwise” goes round without an end (a → b → a).",
        ),
        (
            [a_step("a", otherwise=an_answer(to="a"))],
            "steps.0.otherwise.to",
            "goes round without an end (a → a)",
        ),
    ],
)
def test_it_tells_what_is_wrong(steps, place, text):
    (found, *_) = problems(*steps)
    assert found[0] == place
    assert text in found[1]


@pytest.mark.parametrize(("phrase", "is_taken"), [("sure, gladly", True), ("yes but not now", False)])
def test_yes_takes_every_wording_of_it_and_no_more(phrase, is_taken):
    assert bool(problems(a_step("a", "?", an_answer("yes"), an_answer(phrase)))) == is_taken


def test_a_round_that_an_answer_leaves_has_an_end():
    assert (
        problems(
            a_step("a", "?", an_answer("yes"), otherwise=an_answer(to="b")),
            a_step("b", "?", an_answer("again", to="a")),
        )
        == []
    )
