"""What was made of a call is kept with its attempt, and shown."""

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.dialing import claim_due
from calls.models import Attempt
from calls.representation import call_details
from campaigns.actions.agents import save_agent
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.telephony.messages import (
    Analysis,
    AnsweredBy,
    CarrierEvent,
    EndedBy,
    Ending,
    EventType,
    Outcome,
)
from tests.builders import NOON, a_call, a_campaign, a_gateway, events_of
from tests.campaigns.builders import QUESTIONS

pytestmark = pytest.mark.django_db
RULES = Analysis(engine="rules", summary="A person answered.", extracted={"comes": False})
MODEL = Analysis(engine="llm", summary="They come on Friday.", extracted={"comes": True})


@pytest.fixture
def attempt(db):
    """One that has just been dialled, in a call of an agent that wants to know something."""
    a_gateway()
    values = {"name": "Survey", "engine": "llm", "instructions": "Ask.", "questions": QUESTIONS}
    agent = save_agent(actor=SYSTEM, agent_id=None, values=values, now=NOON)
    a_call(campaign_id=a_campaign(agent=agent).pk)
    claim_due(mode=Mode.TEST, now=NOON)
    return Attempt.objects.get()


def tell(attempt, *, ends=RULES, then=None):
    *before, _ = events_of(
        attempt.pk, EventType.ACCEPTED, EventType.RINGING, EventType.ANSWERED, EventType.ENDED
    )
    ending = Ending(
        outcome=Outcome.ANSWERED_HUMAN,
        ended_by=EndedBy.AGENT,
        answered_by=AnsweredBy.HUMAN,
        analysis=ends,
    )
    of = {"attempt_id": attempt.pk, "at": NOON}
    events = [*before, CarrierEvent(sequence=4, type=EventType.ENDED, ending=ending, **of)]
    if then:
        events.append(CarrierEvent(sequence=5, type=EventType.ANALYZED, analysis=then, **of))
    record_carrier_events(ledger="gw_test", events=events, now=NOON)
    attempt.refresh_from_db()


def test_what_the_rules_made_of_it_comes_with_the_end(attempt):
    tell(attempt)
    assert (attempt.summary, attempt.extracted) == ("A person answered.", {"comes": False})
    assert attempt.analyzed_by == "rules"


def test_what_the_model_makes_of_it_comes_after_the_end_and_counts(attempt):
    tell(attempt, then=MODEL)
    assert (attempt.summary, attempt.analyzed_by) == ("They come on Friday.", "llm")
    assert attempt.call.status == "completed"
    assert attempt.call.events.filter(name="carrier_analyzed", reason="").count() == 1


def test_the_api_shows_it_after_the_specifications_keys(attempt):
    tell(attempt, then=MODEL)
    shown = call_details(attempt.call)
    assert list(shown)[-3:] == ["summary", "extracted", "analyzed_by"]
    assert (shown["extracted"], shown["analyzed_by"]) == ({"comes": True}, "llm")
    assert shown["attempts"][0]["summary"] == "They come on Friday."


def test_where_nobody_answered_nothing_is_shown(attempt):
    tell(attempt, ends=None)
    assert "summary" not in call_details(attempt.call)
