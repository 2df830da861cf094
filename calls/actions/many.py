"""One change of many calls: at once where they are few, else in the background."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import DatabaseError, transaction
from django.utils.translation import gettext_noop

from calls.actions.again import When, call_again, move_call
from calls.actions.changing import cancel_call, get_call
from calls.actions.remarks import mark_seen
from calls.models import Call, Run, Verb
from calls.states import OUTCOME_LABELS, CallStatus
from contacts.models import Contact
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, User
from temphone.lib import clock
from temphone.lib.errors import DomainError, Forbidden, Invalid
from temphone.said import in_english
from temphone.telephony.messages import Outcome

MOST_AT_ONCE = 200  # while somebody waits for the answer
MOST_IN_A_RUN = 10_000
CHUNK = 20  # so long, some tenths of a second, others wait who write on SQLite
RUN_FOR_S = 1.0  # then the clock rings again, and dials and hang-ups had their turn
WHY = {
    "call_in_progress": gettext_noop("in progress"),
    "call_completed": gettext_noop("over already"),
    "call_failed": gettext_noop("over already"),
    "call_canceled": gettext_noop("over already"),
    "call_scheduled": gettext_noop("yet to come"),
    "call_not_over": gettext_noop("not over yet"),
    "changed_meanwhile": gettext_noop("changed meanwhile"),
    "call_not_found": gettext_noop("gone"),
    "called_again": gettext_noop("called again already"),
    "campaign_over": gettext_noop("its campaign is over"),
    "contact_not_found": gettext_noop("the contact was erased"),
    "forbidden": gettext_noop("not allowed to whoever began it"),
    "no_live_carrier": gettext_noop("there are no lines for live calls"),
    "mode_mismatch": gettext_noop("the campaign is in the other mode"),
}


log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What became of the calls."""

    changed: int = 0
    asked: int = 0  # of those changed: in progress, and to be hung up
    refused: Counter[str] = field(default_factory=Counter)


def change_many(
    *, actor: Actor, verb: Verb, call_ids: Sequence[str], when: When | None = None, now: datetime
) -> Tally:
    """Do it to each; what a rule refuses of one is counted, and keeps none of the others from it.

    Raises:
        Forbidden
        Invalid: they are too many.
    """
    actor.require(Role.OPERATOR)
    if len(call_ids) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} calls at once.")
    tally = Tally()
    for place, call_id in enumerate(call_ids):
        _change(tally, actor, verb, call_id, _Place(when or When(), place / len(call_ids), now), now)
    return tally


@transaction.atomic
def start_run(
    *, user: User, verb: Verb, call_ids: Sequence[str], when: When | None = None, now: datetime
) -> Run:
    """Have it done to these calls in the background; ``continue_runs`` does it.

    Raises:
        Forbidden
        Invalid: they are too many, or none.
    """
    actor = user.actor()
    actor.require(Role.OPERATOR)
    if not 0 < len(call_ids) <= MOST_IN_A_RUN:
        raise Invalid(f"Choose 1 to {MOST_IN_A_RUN:,} calls.")
    run = Run.objects.create(
        user=user,
        verb=verb,
        when=(when or When()).data,
        calls=list(call_ids),
        total=len(call_ids),
        created_at=now,
    )
    AuditEntry.record(actor, f"calls.{verb}", f"run {run.pk}", calls=run.total)
    return run


def continue_runs() -> None:
    """Go on with what is begun, until nothing is left or for a while; the clock rings again."""
    until = time.monotonic() + RUN_FOR_S
    while time.monotonic() < until and continue_run(now=clock.now()):
        pass


@transaction.atomic
def continue_run(*, now: datetime) -> bool:
    """Do it to the next calls of the oldest run. Whether there may be more to do.

    The calls and how far the run is are written in one transaction, so each is changed once, whatever
    stops the worker. Another worker that comes meanwhile has other things to do.
    """
    run = Run.objects.unfinished().select_for_update(skip_locked=True).first()
    if run is None:
        return False
    _lock(run.calls[run.done : run.done + CHUNK])
    tally, actor = Tally(refused=Counter(run.refused)), _whoever_began(run)
    for place in range(run.done, min(run.done + CHUNK, run.total)):
        step = _Place(When(**run.when), place / run.total, run.created_at)
        _change(tally, actor, Verb(run.verb), run.calls[place], step, now)
    run.done = min(run.done + CHUNK, run.total)
    run.changed += tally.changed
    run.refused = dict(tally.refused)
    run.finished_at = now if run.done == run.total else None
    run.save(update_fields=["done", "changed", "refused", "finished_at"])
    return True


def _lock(call_ids: Sequence[str]) -> None:
    """Take these calls and their contacts in the order in which everybody does."""
    calls = Call.objects.select_for_update(no_key=True).filter(pk__in=call_ids).order_by("pk")
    contact_ids = {call.contact_id for call in calls}
    list(
        Contact.objects.select_for_update(no_key=True).filter(pk__in=contact_ids).order_by("pk").values("pk")
    )


def _whoever_began(run: Run) -> Actor:
    """With the role that they have now; none of those who may, once they are gone."""
    actor = run.user.actor()
    return actor if run.user.is_active else replace(actor, role=Role.VIEWER)


@dataclass(frozen=True, slots=True)
class _Place:
    """To what time, and where the call stands among all of them."""

    when: When
    place: float
    start: datetime

    def instant(self, call: Call, now: datetime) -> datetime:
        return self.when.instant(call, place=self.place, start=self.start, now=now)


def _change(tally: Tally, actor: Actor, verb: Verb, call_id: str, step: _Place, now: datetime) -> None:
    try:
        with transaction.atomic():
            status = _changed(actor, verb, call_id, step, now)
    except DomainError as error:
        tally.refused[why(error)] += 1
    except DatabaseError:
        raise  # the whole is tried again
    except Exception:
        # Of one call: the others are not to wait for it for ever.
        log.exception("A change of many calls failed at call %s.", call_id)
        tally.refused[gettext_noop("an error, which the log has")] += 1
    else:
        tally.changed += 1
        tally.asked += status == CallStatus.IN_PROGRESS


def _changed(actor: Actor, verb: Verb, call_id: str, step: _Place, now: datetime) -> str:
    if not actor.role.includes(Role.OPERATOR):
        raise Forbidden("Their role has changed.")
    if verb == Verb.CANCEL:
        return cancel_call(actor=actor, call_id=call_id, now=now).status
    if verb == Verb.SEEN:
        return mark_seen(actor=actor, call_id=call_id, now=now).status
    at = step.instant(get_call(actor=actor, call_id=call_id), now)
    change = move_call if verb == Verb.MOVE else call_again
    return change(actor=actor, call_id=call_id, at=at, now=now).status


def why(error: DomainError) -> str:
    """What a rule refused, in a few words that are the same for all calls of which it is true."""
    if "scheduled_at" in error.fields:
        return gettext_noop("the time is past, or more than a year ahead")
    if error.fields:
        return gettext_noop("a value that the message needs is missing")
    if error.code in set(Outcome):
        return in_english(OUTCOME_LABELS[Outcome(error.code)]).lower()
    return WHY.get(error.code, error.code.replace("_", " "))
