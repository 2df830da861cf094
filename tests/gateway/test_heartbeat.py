"""What Django learns of a gateway, and the gateway of Django."""

import asyncio
from datetime import UTC, datetime, timedelta

from temphone import __version__
from temphone.gateway import heartbeat
from tests.gateway.builders import TALKS_ON, dial
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway


def test_it_beats_at_once_and_says_what_it_can(tmp_path):
    async def test():
        async with FakeDjango() as django:
            began = datetime.now(UTC)
            async with gateway(tmp_path, django, lines=7) as client:
                (beat,) = django.beats
                assert began <= beat.at <= datetime.now(UTC)
                assert (beat.version, beat.lines, beat.live, beat.outbox) == (__version__, 7, 0, 0)
                assert beat.legs == ["simulated"]
                assert client.ref.url.startswith("http://127.0.0.1:")

    asyncio.run(test())


def test_it_counts_its_calls_and_what_django_has_not_heard(tmp_path, monkeypatch):
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)

    async def test():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            django.up = False
            await client.dial(dial("att_1", TALKS_ON, max_duration_s=80_000))
            await until(lambda: django.beats[-1].live == 1 and django.beats[-1].outbox > 3)
            django.up = True
            await until(lambda: django.beats[-1].outbox == 0)

    asyncio.run(test())


def test_it_keeps_its_identity_over_a_restart_and_another_ledger_has_another(tmp_path):
    async def test():
        async with FakeDjango() as django:
            async with gateway(tmp_path, django) as first:
                pass
            async with gateway(tmp_path, django) as again:
                assert again.ref.ledger == first.ref.ledger
            async with gateway(tmp_path, django, ledger=tmp_path / "other.sqlite3") as other:
                assert other.ref.ledger != first.ref.ledger

    asyncio.run(test())


def test_it_tells_the_address_that_it_was_given(tmp_path):
    async def test():
        async with FakeDjango() as django, gateway(tmp_path, django, url="https://gw.example") as client:
            assert client.ref.url == "https://gw.example"

    asyncio.run(test())


def warnings_with_clock(tmp_path, monkeypatch, caplog, *, ahead_s):
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.02)

    async def test():
        async with FakeDjango() as django:
            django.now = lambda: datetime.now(UTC) + timedelta(seconds=ahead_s)
            async with gateway(tmp_path, django):
                await until(lambda: len(django.beats) > 5)

    asyncio.run(test())
    return [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]


def test_it_warns_once_when_its_clock_differs_from_djangos(tmp_path, monkeypatch, caplog):
    assert len(warnings_with_clock(tmp_path, monkeypatch, caplog, ahead_s=-3)) == 1


def test_it_does_not_warn_of_a_small_difference(tmp_path, monkeypatch, caplog):
    assert warnings_with_clock(tmp_path, monkeypatch, caplog, ahead_s=1) == []
