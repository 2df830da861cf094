"""Ask what the rules would say of a call that nobody has scheduled."""

from datetime import datetime

from calls.gates import Facts, Ruling, ask
from calls.models import Call
from campaigns.models import Campaign
from contacts.models import Contact
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import Mode


def may_call(
    *, actor: Actor, contact: Contact, campaign: Campaign | None, mode: Mode, at: datetime, now: datetime
) -> Ruling:
    """What every gate says of a dial at that instant, by what is known now; nothing is written.

    The contact may be one that was not saved: a number, and the zone where it is.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    call = Call(
        contact=contact,
        campaign=campaign,
        mode=mode,
        scheduled_at=at,
        due_at=at,
        timezone=contact.timezone,
    )
    return ask(call, Facts.read([call], now=now, at=at))
