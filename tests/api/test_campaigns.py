import pytest

from campaigns.actions import pause_campaign
from campaigns.actions.agents import archive_agent, save_agent
from campaigns.models import Campaign
from campaigns.states import TRANSITIONS, CampaignStatus
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict
from tests.api.client import code, data, message
from tests.builders import NOON, a_campaign

pytestmark = pytest.mark.django_db
VERBS = {"pause": "paused", "resume": "running", "cancel": "canceled"}


def test_it_creates_a_campaign_in_the_keys_mode(program, live_program):
    answer = program.post("/campaigns", {"name": "Renewals", "purpose": "marketing"})
    assert (answer.status_code, message(answer)) == (201, "Campaign created.")
    found = data(answer)
    assert (found["name"], found["purpose"], found["mode"]) == ("Renewals", "marketing", "test")
    assert found["status"] == "running"
    assert data(live_program.post("/campaigns", {"name": "Live"}))["mode"] == "live"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "Field 'name' is required."),
        ({"name": " "}, "Field 'name' must be a text of 1 to 200 characters."),
        ({"name": "x", "purpose": "fun"}, "Field 'purpose' must be one of informational, marketing."),
    ],
)
def test_it_refuses(program, body, problem):
    answer = program.post("/campaigns", body)
    assert (answer.status_code, message(answer)) == (400, problem)


def test_a_key_sees_the_campaigns_of_its_mode(program, live_program):
    campaign = a_campaign()
    assert [one["campaign_id"] for one in data(program.get("/campaigns"))["items"]] == [campaign.pk]
    assert data(live_program.get("/campaigns"))["items"] == []
    for answer in (
        live_program.get(f"/campaigns/{campaign.pk}"),
        live_program.patch(f"/campaigns/{campaign.pk}", {"name": "Mine"}),
        live_program.post(f"/campaigns/{campaign.pk}/cancel"),
    ):
        assert (answer.status_code, message(answer)) == (404, f"Campaign not found: {campaign.pk}.")


def test_it_changes_name_and_purpose_alone(program):
    campaign = a_campaign()
    answer = program.patch(f"/campaigns/{campaign.pk}", {"name": "Other", "status": "canceled"})
    assert (data(answer)["name"], data(answer)["status"]) == ("Other", "running")
    assert data(program.get(f"/campaigns/{campaign.pk}")) == data(answer)


def test_a_campaign_has_the_agent_that_it_is_given(program):
    agent = save_agent(actor=SYSTEM, agent_id=None, values={"name": "Booking"}, now=NOON)
    made = data(program.post("/campaigns", {"name": "Renewals", "agent_id": agent.pk}))
    assert made["agent_id"] == agent.pk
    cleared = program.patch(f"/campaigns/{made['campaign_id']}", {"agent_id": None})
    assert "agent_id" not in data(cleared)
    for wrong in ("agt_000000000000", ""):
        answer = program.patch(f"/campaigns/{made['campaign_id']}", {"agent_id": wrong})
        assert (answer.status_code, code(answer)) == (404, "agent_not_found")
    archive_agent(actor=SYSTEM, agent_id=agent.pk, now=NOON)
    answer = program.post("/campaigns", {"name": "Other", "agent_id": agent.pk})
    assert (answer.status_code, code(answer)) == (409, "agent_archived")


@pytest.mark.parametrize("status", CampaignStatus.values)
@pytest.mark.parametrize("verb", VERBS)
def test_it_goes_only_where_the_table_leads(program, status, verb):
    campaign = a_campaign(status=status)
    answer = program.post(f"/campaigns/{campaign.pk}/{verb}")
    campaign.refresh_from_db()
    if VERBS[verb] in TRANSITIONS[CampaignStatus(status)]:
        assert (answer.status_code, data(answer)["status"], campaign.status) == (
            200,
            VERBS[verb],
            VERBS[verb],
        )
        assert AuditEntry.objects.filter(action=f"campaign.{verb}", target=campaign.pk).count() == 1
    else:
        assert (answer.status_code, code(answer), campaign.status) == (409, f"campaign_{status}", status)


def test_who_was_second_is_told(monkeypatch):
    campaign = a_campaign()
    stale = Campaign.objects.get(pk=campaign.pk)
    monkeypatch.setattr("campaigns.actions.get_campaign", lambda **_: stale)
    Campaign.objects.update(status="canceled")
    with pytest.raises(Conflict):
        pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOON)
    assert Campaign.objects.get().status == "canceled"


def test_a_pause_holds_back_the_claims_before_it_looks(monkeypatch):
    campaign, held = a_campaign(), []
    monkeypatch.setattr("campaigns.actions.hold_claims", lambda: held.append(Campaign.objects.get().status))
    pause_campaign(actor=SYSTEM, campaign_id=campaign.pk, now=NOON)
    assert held == ["running"]


def test_a_list_costs_the_same_however_long(program, django_assert_num_queries):
    for _ in range(5):
        a_campaign()
    program.get("/campaigns")
    with django_assert_num_queries(1):
        assert len(data(program.get("/campaigns"))["items"]) == 5
