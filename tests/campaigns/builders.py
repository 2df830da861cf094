"""Playbooks as the editor and programs write them, and the calls of whole campaigns."""

from datetime import datetime

from django.db.models import QuerySet

from calls.actions.bulk import CHUNK, CampaignRequest, When, schedule_next
from campaigns.models import Campaign
from contacts.models import Contact
from temphone.accounts.actors import SYSTEM, Actor


def call_all(
    campaign: Campaign,
    request: CampaignRequest,
    *,
    when: When,
    now: datetime,
    contacts: QuerySet[Contact] | None = None,
    actor: Actor = SYSTEM,
    limit: int = CHUNK,
) -> int:
    """A call to each, batch by batch; how many that were."""
    everybody = Contact.objects.all() if contacts is None else contacts
    made, last = 0, ""
    while called := schedule_next(
        actor=actor,
        campaign=campaign,
        contacts=everybody.filter(pk__gt=last),
        request=request,
        when=when,
        now=now,
        limit=limit,
    ):
        made, last = made + len(called), called[-1]
    return made


def an_answer(*phrases: str, **fields: object) -> dict[str, object]:
    return {"phrases": list(phrases), **fields}


def a_step(name: str, say: str = "Well?", *branches: dict, **fields: object) -> dict[str, object]:
    return {"name": name, "say": say, "branches": list(branches), **fields}


BOOKING = [
    a_step(
        "Ask",
        "Can you come, {{ first_name | default: 'dear guest' }}?",
        an_answer("yes", "gladly", say="Wonderful.", to="When", field="comes", value="yes"),
        an_answer("no", say="A pity.", outcome="answered_human", field="comes", value="no"),
        an_answer("somebody", say="One moment.", transfer="the desk"),
        an_answer("forget it", outcome="opted_out"),
    ),
    a_step("When", "Morning or afternoon?", an_answer("morning"), otherwise=an_answer(say="Noted.")),
]
QUESTIONS = [{"name": "comes", "text": "Do they come?", "type": "yes_no"}]
DESK = {"the desk": "+14155550100"}
