"""Have one's own phone called, to hear a call as those will who are called."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from calls.actions.scheduling import CallRequest, preview_call, schedule_call
from calls.models import Call, Number
from calls.models.history import Verdict
from campaigns.models import Campaign
from contacts.actions import contact_of_own_phone
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import Mode, User
from temphone.lib.clock import iso
from temphone.lib.errors import Forbidden, Refused

AT_ONCE = timedelta(seconds=1)  # a call is scheduled for a time to come
TEMPLATE_SIGNS = re.compile(r"[{<]")


@transaction.atomic
def call_own_phone(*, user: User, number: str, request: CallRequest, now: datetime) -> Call:
    """Call the person's own phone now, once; they have said that it is theirs.

    The message of ``request`` is spoken as it stands: it is rendered already, for whoever it is meant for.
    Live where there are real lines; else the simulated network answers. Every gate is asked as for anybody.
    The number is kept: another one needs a manager, or consents could be made for anybody's.

    Raises:
        Forbidden, NotFound, Invalid: as scheduling would, or it is another number than the one before.
        Refused: as scheduling would, or it may not be called now.
    """
    actor = user.actor()
    name = user.get_short_name() or user.username
    contact = contact_of_own_phone(actor=actor, number=number, name=name, timezone=user.timezone, now=now)
    _check_number(actor, user, contact.phone)
    mine = replace(
        request,
        contact_id=contact.pk,
        campaign_id=None,
        agent_id=request.agent_id or _agent_of(request.campaign_id),
        scheduled_at=iso(now + AT_ONCE),
        timezone=None,
        initial_message=literal(request.initial_message),
        webhook_url="",
        max_attempts=1,
    )
    mode = Mode.LIVE if Number.objects.for_live() else Mode.TEST
    _check_that_it_may_ring_now(actor, mode, mine, now)
    call = schedule_call(actor=actor, mode=mode, request=mine, now=now).call
    User.objects.filter(pk=user.pk).update(phone=contact.phone)
    return call


def _agent_of(campaign_id: str | None) -> str | None:
    """Who would speak for the campaign, to which this call does not belong."""
    return Campaign.objects.filter(pk=campaign_id).values_list("agent_id", flat=True).first()


def _check_number(actor: Actor, user: User, number: str) -> None:
    if user.phone not in {"", number} and not actor.role.includes(Role.MANAGER):
        raise Forbidden(f"Your phone is {user.phone}. To have another one called needs the role manager.")


def _check_that_it_may_ring_now(actor: Actor, mode: Mode, request: CallRequest, now: datetime) -> None:
    """Later, when nobody waits for it any more, it would surprise them."""
    preview = preview_call(actor=actor, mode=mode, request=request, now=now)
    for check in preview.checks:
        if check["verdict"] == Verdict.DEFER:
            raise Refused(f"It cannot be called now. {check['text']}", code="not_now")


def literal(text: str) -> str:
    """A template that is rendered as exactly this text."""
    return TEMPLATE_SIGNS.sub(r'{{ "\g<0>" }}', text)
