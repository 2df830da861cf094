"""What the gateway is told to say: the agent's texts, and around them what no agent leaves out."""

import pytest

from calls.actions.dialing import claim_due
from calls.models import Attempt
from calls.scripts import script_for
from campaigns.actions.agents import make_default, save_agent
from campaigns.models import Agent, AgentVersion
from contacts.models import Suppression
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.lib.errors import Invalid
from temphone.telephony.messages import DialRequest, Outcome, Script, Tool, decode, encode
from tests.builders import NOON, a_call, a_campaign, a_contact, a_gateway
from tests.campaigns.builders import BOOKING, DESK, QUESTIONS

pytestmark = pytest.mark.django_db
STANDARD = Script(
    preface=(
        "Hello, this is an automated AI assistant calling for TemPhone. This call may be recorded. "
        "To stop these calls, press 9 or say stop calling."
    ),
    message="Hi Jordan.",
    voicemail_message=(
        "Hello, this is an automated AI assistant calling for TemPhone. This call may be recorded. "
        "Hi Jordan. Goodbye. To stop these calls, say stop calling when we call."
    ),
    screening_message=(
        "This is an automated AI assistant calling for TemPhone with a message. This call may be recorded. "
        "To stop these calls, press 9 or say stop calling."
    ),
    goodbye="Thank you for your time. Goodbye.",
    opt_out_confirmation="Understood. We will not call this number again.",
    silence_reminder="Are you still there?",
    notices_in="en",
)
LANGUAGES = [
    ("es-MX", "es", "Hola, le habla un asistente automático"),
    ("de", "de", "Guten Tag, hier spricht ein automatischer KI-Assistent"),
    ("pl", "en", "Hello, this is an automated AI assistant"),
]


def an_agent(**values):
    return save_agent(actor=SYSTEM, agent_id=None, values={"name": "Booking", **values}, now=NOON)


def dialled(call) -> DialRequest:
    a_gateway()
    (request,), _ = claim_due(mode=Mode.TEST, now=NOON)
    assert Attempt.objects.get().pk == request.attempt_id
    return request


def test_the_default_agent_says_what_was_always_said():
    assert dialled(a_call()).script == STANDARD


def test_without_any_agent_the_same_is_said():
    Agent.objects.update(is_default=False)
    assert dialled(a_call()).script == STANDARD
    assert Attempt.objects.get().agent_version is None


def test_nobody_is_transferred_to_a_number_that_must_not_be_called():
    agent = an_agent(transfers={**DESK, "sales": "+12125550100"})
    Suppression.objects.create(number="+1212", is_prefix=True, reason="staff")
    call = a_call(campaign_id=a_campaign(agent=agent).pk)
    assert dialled(call).script.transfers == DESK
    with pytest.raises(Invalid, match="must not be called: “sales”"):
        save_agent(actor=SYSTEM, agent_id=agent.pk, values={"goodbye": "Bye."}, now=NOON)


def test_an_attempt_keeps_the_version_that_spoke():
    agent = an_agent(goodbye="Bye.")
    call = a_call(campaign_id=a_campaign(agent=agent).pk)
    assert dialled(call).script.goodbye == "Bye."
    save_agent(actor=SYSTEM, agent_id=agent.pk, values={"goodbye": "Good day."}, now=NOON)
    spoke = Attempt.objects.get().agent_version
    assert (spoke.agent, spoke.number, spoke.goodbye) == (agent, 1, "Bye.")


def test_a_campaigns_agent_speaks_before_the_default():
    make_default(actor=SYSTEM, agent_id=an_agent(goodbye="Default.").pk, now=NOON)
    campaign = a_campaign(agent=an_agent(goodbye="Campaign."))
    a_gateway()
    calls = [a_call(campaign_id=campaign.pk), a_call(campaign_id=a_campaign().pk), a_call()]
    requests, _ = claim_due(mode=Mode.TEST, now=NOON)
    said = {Attempt.objects.get(pk=one.attempt_id).call_id: one.script.goodbye for one in requests}
    assert [said[call.pk] for call in calls] == ["Campaign.", "Default.", "Default."]


def test_every_text_is_rendered_for_the_contact():
    agent = an_agent(
        engine="llm",
        instructions="Ask {{ first_name | default: 'them' }} of {{ organisation }}.",
        goodbye="Bye, {{ first_name | default: 'you' }}.",
        voicemail="{{ message | upcase }}",
        screening="for <<first_name | default: 'somebody'>>.",
        steps=BOOKING,
        questions=QUESTIONS,
        transfers=DESK,
        tools=["transfer"],
        voice="amy",
        model="small",
    )
    script = dialled(a_call(campaign_id=a_campaign(agent=agent).pk)).script
    assert script.goodbye == "Bye, Jordan."
    assert "This call may be recorded. HI JORDAN. To stop" in script.voicemail_message
    assert "calling for TemPhone for Jordan. This call" in script.screening_message
    assert script.steps[0].say == "Can you come, Jordan?"
    assert script.steps[0].branches[1].outcome is Outcome.ANSWERED_HUMAN
    assert (script.llm.text, script.llm.tools) == ("Ask Jordan of TemPhone.", (Tool.TRANSFER,))
    assert (script.llm.turn_budget, script.llm.model, script.voice) == (12, "small", "amy")
    assert (script.transfers, script.questions[0].name) == (DESK, "comes")


def test_what_the_agent_leaves_out_is_said_all_the_same():
    agent = an_agent(voicemail="{{ message }}", screening=".", goodbye="Bye.")
    script = dialled(a_call(campaign_id=a_campaign(agent=agent).pk)).script
    for text in (script.preface, script.voicemail_message, script.screening_message):
        assert "an automated AI assistant calling for TemPhone" in text
        assert "This call may be recorded." in text
        assert "say stop calling" in text


def test_a_call_that_is_not_recorded_does_not_say_that_it_is():
    script = dialled(a_call(recording_enabled=False)).script
    for text in (script.preface, script.voicemail_message, script.screening_message):
        assert "recorded" not in text


@pytest.mark.parametrize(("language", "notices_in", "begins"), LANGUAGES)
def test_who_calls_and_how_to_stop_is_said_in_the_language_of_the_call(language, notices_in, begins):
    call = a_call(contact=a_contact(language=language))
    script = script_for(call, "Hi.", AgentVersion(voicemail="."), now=NOON)
    assert (script.language, script.notices_in) == (language, notices_in)
    assert script.preface.startswith(begins)
    assert "TemPhone" in script.preface
    assert "TemPhone" in script.screening_message


def test_an_agent_may_hang_up_on_voicemail():
    call = a_call()
    assert script_for(call, "Hi.", AgentVersion(voicemail=""), now=NOON).voicemail_message == ""


def test_the_language_is_the_contacts_unless_the_agent_has_its_own():
    call = a_call(a_contact(language="es"))
    assert script_for(call, "Hi.", AgentVersion(), now=NOON).language == "es"
    assert script_for(call, "Hi.", AgentVersion(language="de"), now=NOON).language == "de"


def test_what_a_variable_holds_is_not_read_as_a_template():
    contact = a_contact(first_name="{{ organisation }}")
    script = script_for(a_call(contact), "Hi.", AgentVersion(goodbye="Bye {{ first_name }}."), now=NOON)
    assert script.goodbye == "Bye {{ organisation }}."


def test_a_script_crosses_the_wire_as_it_is():
    agent = an_agent(engine="llm", instructions="Ask.", steps=BOOKING, questions=QUESTIONS, transfers=DESK)
    request = dialled(a_call(campaign_id=a_campaign(agent=agent).pk))
    assert decode(encode(request), DialRequest) == request


def test_a_call_whose_agent_cannot_be_spoken_is_not_dialled_and_the_others_are():
    agent = an_agent()
    AgentVersion.objects.filter(agent=agent).update(goodbye="{{ nothing }}")
    bad, good = a_call(campaign_id=a_campaign(agent=agent).pk), a_call()
    a_gateway()
    requests, _ = claim_due(mode=Mode.TEST, now=NOON)
    bad.refresh_from_db()
    assert [Attempt.objects.get(pk=one.attempt_id).call for one in requests] == [good]
    assert (bad.status, bad.outcome) == ("failed", "message_incomplete")
    assert "'nothing'" in bad.events.order_by("-id").first().reason
