"""What stands beside TemPhone in a benchmark does the same work: the same rows, the same checks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from benchmarks.databases import Tables
from benchmarks.dispatch import check_rows
from benchmarks.peers.statements import statements
from benchmarks.peers.writes import LIKE_OURS
from calls.actions.dialing import claim_due
from calls.models import Attempt, Call, CallEvent, Decision
from contacts.models import Consent
from temphone.accounts.models import Mode
from tests.builders import NOON, a_call, a_contact, a_gateway

BEFORE = NOON - timedelta(days=1)
OWN = {"id", "call", "contact", "attempt", "to", "caller_id", "checks"}  # what no two calls have alike


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


def _agreed_call() -> str:
    contact = a_contact()
    agreed = {"purpose": "informational", "kind": "express", "source": "form", "captured_at": BEFORE}
    Consent.objects.create(contact=contact, phone=contact.phone, **agreed)
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
