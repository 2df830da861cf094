"""What stands beside TemPhone in a benchmark does the same work: the same rows, the same checks."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import Model
from psycopg.rows import dict_row
from psycopg.types.json import JsonbDumper, JsonbLoader

from benchmarks.databases import Tables
from benchmarks.dispatch import check_rows
from benchmarks.ingest_peers.facts import judge
from benchmarks.ingest_peers.statements import KEY, LOOK, TAKE, errand, values, write
from benchmarks.peers.statements import statements
from benchmarks.peers.writes import LIKE_OURS
from calls.actions.dialing import claim_due
from calls.actions.scheduling import CallRequest, schedule_call
from calls.gates import LOOKS_AT
from calls.models import Attempt, Call, CallEvent, Decision
from campaigns.models import Campaign
from contacts.models import Consent, Contact, Suppression
from temphone.accounts.actors import Actor
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.clock import iso
from temphone.lib.errors import DomainError
from tests.builders import NOON, a_call, a_campaign, a_contact, a_gateway, a_key

BEFORE = NOON - timedelta(days=1)
# What no two calls have alike.
OWN = {"id", "call", "contact", "attempt", "to", "caller_id", "checks", "target"}
# What a peer without an ORM knows of a case; it has none of the facts that no new number has.
KNOWN = {
    *("mode", "purpose", "zone", "campaign", "suppression", "consent", "was_open", "late_s"),
    *("number_in_use", "dialed_today", "room", "place"),
}


class Here(Tables):
    """The tables as this test sees them."""

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())


def _run(statement: str, **values: object) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(LIKE_OURS)
        checks, agent = cursor.fetchone()
        cursor.execute(statement, {"message": "Hi Jordan.", "checks": checks, "agent": agent, **values})
        return [row[0] for row in cursor.fetchall()]


def _left_by(row: Model) -> Mapping[str, object]:
    """What was written, but for what is this call's own; of an instant that there is one."""
    found = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {
        name: "an instant" if isinstance(value, datetime) else value
        for name, value in found.items()
        if name not in OWN
    }


def _rows_of(call: str) -> list[Mapping[str, object]]:
    """The call, and all that its start added."""
    attempt = Attempt.objects.get(call=call)
    decision = Decision.objects.get(call=call, stage="claim")
    event = CallEvent.objects.get(call=call, name="dialing")
    assert {decision.attempt_id, event.attempt_id} == {attempt.pk}
    assert attempt.to == attempt.call.contact.phone
    made = [_left_by(one) for one in (attempt.call, attempt, event, decision)]
    return [*made, {"checks": [check["rule"] for check in decision.checks]}]


def _agree(contact: Contact) -> None:
    agreed = {"purpose": "informational", "kind": "express", "source": "form", "captured_at": BEFORE}
    Consent.objects.create(contact=contact, phone=contact.phone, **agreed)


def _agreed_call() -> str:
    contact = a_contact()
    _agree(contact)
    return a_call(contact, initial_message="Hi Jordan.").pk


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_peer_writes_what_a_claim_writes():
    a_gateway(ledger="gw_benchmark")
    ours, one, first, second = calls = [_agreed_call() for _ in range(4)]
    due = Call.objects.filter(pk__in=calls)
    due.exclude(pk=ours).update(status="canceled", outcome="canceled_by_user")
    dials, _ = claim_due(mode=Mode.TEST, now=NOON)
    assert len(dials) == 1
    due.exclude(pk=ours).update(status="scheduled", outcome=None)

    made = statements()
    assert _run(made["one"], call=one) == [one]
    assert sorted(_run(made["batch"], limit=100)) == sorted([first, second])
    assert _run(made["one"], call=one) == []
    check_rows(Here(""), 4)
    for peers in (one, first, second):
        assert _rows_of(peers) == _rows_of(ours)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_claim_that_only_takes_writes_no_rows():
    due = {a_call().pk, a_call().pk}
    assert {_run(statements()["claim"], limit=1)[0] for _ in due} == due
    assert set(Call.objects.values_list("status", flat=True)) == {"in_progress"}
    assert not Attempt.objects.exists()


@pytest.fixture
def raw() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """PostgreSQL's own parameters, within the test's transaction."""
    connection.ensure_connection()
    with psycopg.RawCursor(connection.connection, row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("jsonb", JsonbLoader)
        cursor.adapters.register_dumper(dict, JsonbDumper)
        cursor.adapters.register_dumper(list, JsonbDumper)

        def run(sql: str, *given: object) -> list[dict[str, Any]]:
            cursor.execute(sql, given)
            return cursor.fetchall() if cursor.description else []

        yield run


def _asked(contact: Contact, campaign: Campaign | None = None) -> SimpleNamespace:
    """The body of a request, as a peer reads it."""
    return SimpleNamespace(
        contact_id=contact.pk,
        campaign_id=campaign.pk if campaign else None,
        scheduled_at=iso(NOON),
        timezone=None,
        initial_message="Hi {{first_name}}.",
        max_duration_seconds=900,
        caller_id="+14155550199",
        metadata={"order": "1"},
        recording_enabled=True,
        webhook_url="https://hooks.example.com/calls",
    )


def _schedule(asked: SimpleNamespace, actor: Actor) -> str:
    """What TemPhone makes of it."""
    request = CallRequest(
        contact_id=asked.contact_id,
        campaign_id=asked.campaign_id,
        scheduled_at=asked.scheduled_at,
        initial_message=asked.initial_message,
        caller_id=asked.caller_id,
        metadata=asked.metadata,
        webhook_url=asked.webhook_url,
    )
    return schedule_call(actor=actor, mode=Mode.TEST, request=request, now=BEFORE).call.pk


def _schedule_as_a_peer(asked: SimpleNamespace, public_id: str, raw: Callable[..., Any]) -> str:
    (key,) = raw(KEY, public_id)
    found = raw(LOOK, asked.contact_id, asked.campaign_id, BEFORE)
    plan = judge(asked, errand(found), now=BEFORE)
    raw(write(), *values(asked, plan, key, BEFORE))
    return plan.call_id


def _scheduled(call: str) -> list[object]:
    """The rows of a call that was just made."""
    decision, event = Decision.objects.get(call=call), CallEvent.objects.get(call=call)
    audited = AuditEntry.objects.get(target=call)
    made = [_left_by(one) for one in (Call.objects.get(pk=call), decision, event, audited)]
    return [*made, decision.checks, Call.objects.get(pk=call).due_at]


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize(
    "columns",
    [None, {}, {"status": "paused"}, {"opens": time(9), "closes": time(17)}],
    ids=["no campaign", "one that runs", "one that is paused", "one that calls later"],
)
def test_a_peer_without_an_orm_schedules_what_temphone_does(columns, agreed, raw):
    key, _ = a_key()
    contact = a_contact()
    if agreed:
        _agree(contact)
    campaign = None if columns is None else a_campaign(**columns)
    asked = _asked(contact, campaign)
    ours = _schedule(asked, key.actor())
    assert _scheduled(_schedule_as_a_peer(asked, key.public_id, raw)) == _scheduled(ours)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_peer_without_an_orm_refuses_what_temphone_does(raw):
    key, _ = a_key()
    barred, contact, over = a_contact(), a_contact(), a_campaign(status="completed")
    Suppression.objects.create(number=barred.phone)
    for asked in (_asked(barred), _asked(contact, over)):
        with pytest.raises(DomainError) as ours:
            _schedule(asked, key.actor())
        with pytest.raises(DomainError) as peers:
            _schedule_as_a_peer(asked, key.public_id, raw)
        assert peers.value.code == ours.value.code


def test_a_peer_without_an_orm_knows_all_that_the_gates_look_at():
    # A gate that looks at more: read it in LOOK, hand it to the gates in judge(), and name it above.
    assert {name for names in LOOKS_AT.values() for name in names} <= KNOWN


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_peer_counts_its_requests_as_temphone_does(raw):
    key, _ = a_key()
    assert [raw(TAKE, key.pk, NOON, 1_000)[0]["requests"] for _ in range(2)] == [1_000, 2_000]
