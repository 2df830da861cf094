"""What dials is on the disk before it dials."""

import asyncio
import sqlite3

import pytest

from temphone.gateway.journal import Journal
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.base import Failed
from temphone.gateway.writer import Writer
from temphone.telephony.messages import CarrierEvent, EventType, Outcome
from tests.gateway.builders import dial


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    with ledger.transaction():
        ledger.admit([dial("att_1")], lambda request, open_count: None)
    yield ledger
    ledger.close()


async def noting(ledger, during):
    """A journal while its writer works."""
    writer = Writer(ledger)
    working = asyncio.create_task(writer.work())
    try:
        return await during(Journal("att_1", writer.append, durable=writer.flush))
    finally:
        writer.close()
        await working


def test_it_returns_when_another_reader_of_the_disk_sees_it(tmp_path, ledger):
    async def during(journal):
        assert not journal.begun
        await journal.about_to_dial()
        with sqlite3.connect(tmp_path / "ledger.sqlite3") as db:
            return db.execute("SELECT body FROM events ORDER BY sequence DESC LIMIT 1").fetchone()[0]

    assert b'"dialing"' in asyncio.run(noting(ledger, during))
    (attempt,) = ledger.open_attempts()
    assert attempt.last.type is EventType.DIALING
    assert Journal("att_1", print, last=attempt.last).begun


def test_a_disk_that_fails_keeps_the_phone_from_ringing(ledger, monkeypatch):
    def fails(event):
        raise sqlite3.OperationalError("disk I/O error")

    async def during(journal):
        with monkeypatch.context() as broken:
            broken.setattr(ledger, "append", fails)
            with pytest.raises(Failed) as caught:
                await journal.about_to_dial()
            return caught.value

    failed = asyncio.run(noting(ledger, during))
    assert (failed.outcome, failed.cause, failed.rang) == (Outcome.CARRIER_ERROR, "not_rung", False)


def test_only_taken_is_not_begun(ledger):
    (attempt,) = ledger.open_attempts()
    assert not Journal("att_1", print, last=attempt.last).begun


def test_a_ledger_of_an_earlier_version_learns_of_trunks(tmp_path):
    path = tmp_path / "old.sqlite3"
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE attempts DROP COLUMN trunk")
        db.execute("INSERT INTO attempts (attempt_id, state, changed_at) VALUES ('att_old', 'open', 0)")
    ledger = Ledger(path)
    with ledger.transaction():
        ledger.admit([dial("att_1", trunk="trunk_1")], lambda request, open_count: None)
        ledger.admit([dial("att_2", trunk="trunk_1")], lambda request, open_count: None)
        assert (ledger.open_on("trunk_1"), ledger.open_on("trunk_2")) == (2, 0)
        ended = CarrierEvent(attempt_id="att_1", sequence=2, type=EventType.ENDED, at=dial("att_1").not_after)
        ledger.append(ended)
        assert ledger.open_on("trunk_1") == 1
    ledger.close()
