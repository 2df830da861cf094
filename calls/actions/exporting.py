"""Calls as rows of a table that leaves the house."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.conf import settings

from calls.models import Call, Prices, mark_of
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.clock import iso, zone

COLUMNS = (
    "call_id",
    "contact_id",
    "contact",
    "company",
    "phone",
    "status",
    "outcome",
    "outcome_by_hand",
    "answered_by",
    "scheduled_at",
    "contact_time",
    "contact_timezone",
    "campaign",
    "agent",
    "mode",
    "attempts",
    "talk_seconds",
    "cost",
    "currency",
    "summary",
)


def export_calls(*, actor: Actor, calls: Iterable[Call], filters: Sequence[str]) -> Iterator[list[str]]:
    """The head, then a row for each of the calls, which have what a list shows.

    ``filters`` names those by which they were found, for the audit log.

    Raises:
        Forbidden
    """
    actor.require(Role.OPERATOR)
    AuditEntry.record(actor, "calls.export", "calls", filters=list(filters))
    return _rows(calls)


def _rows(calls: Iterable[Call]) -> Iterator[list[str]]:
    yield list(COLUMNS)
    prices = Prices()
    for call in calls:
        yield _cells(call, prices)


def _cells(call: Call, prices: Prices) -> list[str]:
    contact, attempts, mark = call.contact, list(call.attempts.all()), mark_of(call)
    last = attempts[-1] if attempts else None
    cost = prices.of_attempts(attempts)
    agent = call.agent or (call.campaign.agent if call.campaign else None)
    return [
        call.pk,
        contact.pk,
        contact.name,
        contact.company,
        contact.phone,
        call.status,
        call.outcome or "",
        mark.outcome if mark else "",
        call.answered_by or "",
        iso(call.scheduled_at),
        _local(call.scheduled_at, contact.timezone),
        contact.timezone,
        call.campaign.name if call.campaign else "",
        agent.name if agent else "",
        call.mode,
        str(len(attempts)),
        str(last.duration_s) if last and last.duration_s is not None else "",
        "" if cost is None else f"{cost:.5f}",
        "" if cost is None else settings.CURRENCY,
        last.summary if last else "",
    ]


def _local(moment: datetime, zone_name: str) -> str:
    return f"{moment.astimezone(zone(zone_name)):%Y-%m-%d %H:%M}"
