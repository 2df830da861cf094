from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from calls.models import Beat, Gateway
from temphone import health
from temphone.health import report
from temphone.lib.clock import now as utc_now
from tests.builders import NOON, a_gateway


def all_well(now) -> None:
    Beat.mark("clock", now)
    Beat.mark("worker", now)
    a_gateway(now=now)


def test_it_is_alive_without_a_database(client: Client):
    # No fixture gives this test a database: a query would fail it.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_nothing_is_well_before_it_was_seen(client: Client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "database": "ok",
        "queue": "not seen yet",
        "clock": "not seen yet",
        "gateway": "none reachable",
        "time": "ok",
    }


def test_it_is_ready_when_every_part_was_seen_lately(client: Client, db, django_assert_num_queries):
    all_well(utc_now())
    with django_assert_num_queries(3 if connection.vendor == "postgresql" else 2):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json().values()) == {"ok"}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("part", "silence", "what"),
    [
        ("clock", timedelta(seconds=11), "not seen for 11 s"),
        ("queue", timedelta(seconds=46), "not seen for 46 s"),
        ("gateway", timedelta(seconds=8), "none reachable"),
    ],
)
def test_a_part_that_fell_silent_is_named(db, part, silence, what):
    all_well(NOON)
    if part != "clock":
        Beat.mark("clock", NOON + silence)
    if part != "queue":
        Beat.mark("worker", NOON + silence)
    if part != "gateway":
        Gateway.objects.update(last_seen_at=NOON + silence)
    found = report(NOON + silence)
    assert {name: state for name, state in found.items() if state != "ok"} == {part: what}


def test_a_database_that_is_away_is_said_not_raised(db, monkeypatch):
    def away(_now):
        raise OperationalError("away")

    monkeypatch.setitem(health.CHECKS, "gateway", away)
    assert report(NOON)["database"] == "unreachable"


def test_it_can_only_be_read(client: Client):
    assert client.post("/healthz").status_code == 405
    assert not connection.queries_log


@pytest.mark.parametrize(
    ("address", "status"), [("/healthz", 200), ("/carriers/gateway/heartbeat", 405), ("/login/", 301)]
)
def test_behind_tls_only_what_is_asked_from_inside_stays_plain(settings, address, status):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(address).status_code == status
