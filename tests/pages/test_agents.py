"""The pages about agents, without JavaScript: forms, and buttons that send them."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from campaigns.actions.agents import save_agent
from campaigns.models import Agent
from temphone.accounts.actors import SYSTEM, Role
from tests.builders import NOON, a_campaign, a_contact
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS
from tests.pages.conftest import text_of

EVERYTHING = {"name": "Booking", "steps": BOOKING, "questions": QUESTIONS, "transfers": DESK}


@pytest.fixture
def manager(browse):
    return browse(Role.MANAGER)


@pytest.fixture
def agent(db):
    return save_agent(actor=SYSTEM, agent_id=None, values=EVERYTHING, now=NOON)


class Fields(HTMLParser):
    """What a browser would send of the form ``agent-form``."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._select = self._area = ""
        self._inside = False
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        attrs = dict(attributes)
        if tag == "form":
            self._inside = attrs.get("id") == "agent-form"
        mine = self._inside or attrs.get("form") == "agent-form"
        if tag == "input" and mine and attrs.get("name"):
            if attrs.get("type") not in {"checkbox", "radio"} or "checked" in attrs:
                self.sent.setdefault(attrs["name"], []).append(attrs.get("value", ""))
        elif tag == "textarea" and mine:
            self._area = attrs["name"]
            self.sent[self._area] = [""]
        elif tag == "select" and mine:
            self._select = attrs["name"]
        elif tag == "option" and self._select and (self._select not in self.sent or "selected" in attrs):
            self.sent[self._select] = [attrs.get("value", "")]

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = False
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data):
        if self._area:
            text = self.sent[self._area][0] + data
            self.sent[self._area] = [text.removeprefix("\n")]


class Form:
    """A form as somebody fills it in, press by press."""

    def __init__(self, client, url):
        self.client, self.url = client, url
        self.read(text_of(client, url))

    def read(self, markup):
        self.page = markup
        self.fields = Fields(markup).sent

    def type(self, **values):
        for name, value in values.items():
            key = name.replace("__", "-")
            assert key in self.fields, f"{key} is not in {sorted(self.fields)}"
            self.fields[key] = value if isinstance(value, list) else [value]
        return self

    def press(self, deed):
        """A button that only changes the form."""
        assert f'value="{deed}"' in self.page, deed
        answer = self.client.post(self.url, {**self.fields, "do": deed})
        assert answer.status_code == 200
        self.read(answer.content.decode())
        return self

    def save(self):
        answer = self.client.post(self.url, self.fields)
        if answer.status_code == 200:
            self.read(answer.content.decode())
        return answer

    @property
    def problems(self):
        lists = re.findall(r'<ul class="errors"[^>]*>(.*?)</ul>', self.page, re.DOTALL)
        return [unescape(re.sub(r"<[^>]+>", "", text).strip()) for text in lists]


def test_agents_are_listed_the_default_first(manager, agent):
    a_campaign(agent=agent)
    page = text_of(manager, "/agents/")
    assert page.index("Standard assistant") < page.index("Booking")
    assert "In 1 campaign" in page
    assert "2 steps" in page


def test_a_form_that_is_saved_as_it_is_changes_nothing(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/")
    assert form.save().status_code == 302
    agent.refresh_from_db()
    assert agent.version == 1
    assert agent.versions.get().content == Agent.objects.get(pk=agent.pk).current.content


def test_an_agent_is_made_step_by_step_without_javascript(manager):
    form = Form(manager, "/agents/new/").type(name="Survey", goodbye="Bye.")
    form.press("add.question").type(question__0__text="Do they come?", question__0__type="yes_no")
    form.press("add.transfer").type(transfer__0__name="the desk", transfer__0__number="+1 415 555 0100")
    form.press("add.step").type(step__0__name="Ask", step__0__say="Can you come?")
    form.press("add.step").type(step__1__name="When", step__1__say="When?")
    form.type(step__0__answer__0__phrases="yes, gladly", step__0__answer__0__then="step:2")
    form.type(step__0__answer__0__field="do_they_come", step__0__answer__0__value="yes")
    form.press("add.answer.0").type(
        step__0__answer__1__phrases="no", step__0__answer__1__then="outcome:answered_human"
    )
    form.press("add.answer.0").type(
        step__0__answer__2__phrases="somebody", step__0__answer__2__then="transfer:the desk"
    )
    form.type(step__1__answer__0__phrases="1", step__1__other="", step__1__other_say="Noted.")
    assert form.save().status_code == 302
    made = Agent.objects.get(name="Survey").current
    assert made.goodbye == "Bye."
    assert made.transfers == {"the desk": "+14155550100"}
    assert made.questions == [{"name": "do_they_come", "text": "Do they come?", "type": "yes_no"}]
    assert made.steps == [
        {
            "name": "Ask",
            "say": "Can you come?",
            "branches": [
                {"phrases": ["yes", "gladly"], "to": "When", "field": "do_they_come", "value": "yes"},
                {"phrases": ["no"], "outcome": "answered_human"},
                {"phrases": ["somebody"], "transfer": "the desk"},
            ],
        },
        {
            "name": "When",
            "say": "When?",
            "branches": [{"phrases": ["1"]}],
            "otherwise": {"phrases": [], "say": "Noted."},
        },
    ]


def test_what_was_typed_is_kept_at_every_press(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/").type(goodbye="Half a sent", step__0__say="A & B <c>")
    form.press("add.step").press("remove.step.2").press("preview")
    assert form.fields["goodbye"] == ["Half a sent"]
    assert form.fields["step-0-say"] == ["A & B <c>"]
    assert Agent.objects.get(pk=agent.pk).version == 1


def test_steps_and_answers_are_moved_and_removed(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/")
    form.press("down.step.0")
    assert [form.fields[f"step-{at}-name"] for at in (0, 1)] == [["When"], ["Ask"]]
    form.press("up.step.1").press("up.answer.0.1")
    assert form.fields["step-0-answer-0-phrases"] == ["no"]
    form.press("remove.answer.0.0")
    assert form.fields["step-0-answer-0-phrases"] == ["yes, gladly"]


def test_a_step_that_is_renamed_is_still_led_to(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/").type(step__1__name="Day")
    assert form.save().status_code == 302
    steps = Agent.objects.get(pk=agent.pk).current.steps
    assert (steps[0]["branches"][0]["to"], steps[1]["name"]) == ("Day", "Day")


def test_an_answer_that_leads_to_a_removed_step_says_so(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/").press("remove.step.1")
    assert form.save().status_code == 200
    (problem,) = form.problems
    assert problem.startswith("Step 1 (Ask): answer 1 goes to “(a step that was removed)”, which is no step.")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"name": " "}, "Must be a text of 1 to 100 characters."),
        ({"goodbye": "Bye {{ first_name }}"}, "Uses 'first_name', which not every contact has."),
        ({"step__0__say": ""}, "Step 1 (Ask): it says nothing."),
        ({"step__0__answer__1__phrases": "stop calling me"}, "that ends the calls to this number, always."),
        ({"step__0__answer__0__then": "step:1"}, "Step 2 (When): nothing leads to it."),
        ({"step__1__other": "step:2"}, "goes round without an end"),
        ({"step__0__other_say": "What?"}, "It asks once more, so this is not said."),
        ({"turn_budget": "many"}, "Must be an integer between 1 and 50."),
        ({"engine": "llm"}, "Must say what the language model is to do."),
        ({"engine": "magic"}, "Select a valid choice."),
    ],
)
def test_every_problem_stands_beside_its_field_and_nothing_is_saved(manager, agent, typed, problem):
    form = Form(manager, f"/agents/{agent.pk}/").type(**typed)
    assert form.save().status_code == 200
    assert any(problem in told for told in form.problems), form.problems
    assert Agent.objects.get(pk=agent.pk).version == 1


def test_problems_of_rows_stand_above_them(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/").type(transfer__0__number="1")
    form.save()
    assert "Must have an E.164 number for “the desk”" in unescape(form.page)


def test_the_whole_script_is_shown_as_it_would_be_spoken(manager, agent):
    ada = a_contact(first_name="Ada", last_name="Byron")
    a_contact(first_name="Bob", last_name="Young")
    form = Form(manager, f"/agents/{agent.pk}/").type(
        preview_q="Byron", preview_message="Hi {{ first_name }}!"
    )
    form.press("preview")
    page = unescape(form.page)
    assert form.fields["preview_contact"] == [ada.pk]
    for text in ("automated AI assistant", "Hi Ada!", "Can you come, Ada?", "“yes”, “gladly”", "Noted."):
        assert text in page
    form.type(preview_message="{{ nothing }}").press("preview")
    assert "uses 'nothing'" in unescape(form.page)


def test_who_saw_an_older_version_is_told(manager, agent):
    form = Form(manager, f"/agents/{agent.pk}/").type(goodbye="Mine.")
    save_agent(actor=SYSTEM, agent_id=agent.pk, values={"goodbye": "Theirs."}, now=NOON)
    assert form.save().status_code == 200
    assert "has changed meanwhile" in form.page
    assert Agent.objects.get(pk=agent.pk).current.goodbye == "Theirs."


def test_an_agent_is_duplicated_made_default_and_archived(manager, agent):
    copied = manager.post(f"/agents/{agent.pk}/duplicate/")
    copy = Agent.objects.get(name="Booking (copy)")
    assert copied.url == f"/agents/{copy.pk}/"
    manager.post(f"/agents/{copy.pk}/default/")
    assert Agent.objects.get(is_default=True) == copy
    assert "Archive Booking?" in text_of(manager, f"/agents/{agent.pk}/archive/")
    manager.post(f"/agents/{agent.pk}/archive/")
    manager.post(f"/agents/{copy.pk}/archive/")
    assert list(Agent.objects.present().filter(name__startswith="Booking")) == [copy]


@pytest.mark.parametrize(
    "deed",
    ["", "x", "add.nothing", "remove.step.99", "up.step.x", "add.answer", "up.step", "remove.answer.9.9"],
)
def test_a_press_that_makes_no_sense_changes_nothing(manager, agent, deed):
    form = Form(manager, f"/agents/{agent.pk}/")
    answer = manager.post(form.url, {**form.fields, "do": deed})
    assert answer.status_code == 200
    assert Fields(answer.content.decode()).sent["step-0-name"] == ["Ask"]


def test_two_destinations_of_one_name_are_told_and_neither_is_lost(manager, agent):
    page = manager.get(f"/agents/{agent.pk}/").content.decode()
    sent = Fields(page).sent
    rows = {"transfer-row": ["0", "1"]}
    for place, number in enumerate(("+14155550100", "+34910000000")):
        rows |= {f"transfer-{place}-name": "Sales", f"transfer-{place}-number": number}
    answer = manager.post(f"/agents/{agent.pk}/", {**sent, **rows})
    assert "Two destinations have one name." in unescape(answer.content.decode())
    assert "+34910000000" in answer.content.decode()
    agent.refresh_from_db()
    assert agent.version == 1


def test_the_largest_playbook_can_be_sent(manager, agent):
    sent = {
        f"step-{step}-answer-{place}-{name}": "x"
        for step in range(50)
        for place in range(20)
        for name in "abcdef"
    }
    assert len(sent) > 5_000
    assert manager.post("/agents/new/", {"name": "Large", **sent}).status_code == 200


def test_rows_beyond_measure_are_not_read(manager, agent):
    answer = manager.post(f"/agents/{agent.pk}/", {"step-row": ["0"] * 500, "do": "preview"})
    assert answer.content.decode().count('name="step-row"') == 60
