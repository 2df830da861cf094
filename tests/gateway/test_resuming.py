"""What a gateway does with what it finds in its ledger and in the phone's log."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from temphone.gateway.journal import Journal
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.phone_log import PhoneLog, Ring
from temphone.telephony.messages import CarrierEvent, EndedBy, EventType, Outcome
from tests.gateway.builders import HUMAN, NO_ANSWER, config, dial
from tests.gateway.fake_django import FakeDjango
from tests.gateway.running import gateway, rings


@pytest.fixture
def left_open(tmp_path):
    """A ledger that a killed gateway left, with one attempt in it; more events as given."""

    def leave(request, *types, hang_up=False):
        ledger = Ledger(config(tmp_path, "").ledger)
        with ledger.transaction():
            ledger.admit([request], lambda request, open_count: None)
            (accepted,) = ledger.events.waiting(0, 1)
            for number, type_ in enumerate(types, start=2):
                ledger.append(
                    CarrierEvent(attempt_id=request.attempt_id, sequence=number, type=type_, at=accepted.at)
                )
            if hang_up:
                ledger.withdraw(request.attempt_id)
        ledger.close()

    return leave


def resumed(tmp_path, **fields):
    async def test():
        async with FakeDjango() as django, gateway(tmp_path, django, **fields):
            await django.ended("att_1")
            return django

    return asyncio.run(test())


def phone_heard(tmp_path, request):
    log = PhoneLog(tmp_path / "phone.log")
    log.append(Ring(to=request.to, at=request.not_after, attempt_id=request.attempt_id))


def test_what_was_accepted_and_had_not_rung_rings(tmp_path, left_open):
    left_open(dial("att_1"))
    assert resumed(tmp_path).ending("att_1").outcome is Outcome.ANSWERED_HUMAN
    assert rings(tmp_path) == {"att_1": 1}


def test_what_had_not_rung_in_time_never_rings(tmp_path, left_open):
    left_open(dial("att_1", seconds=-0.1))
    ending = resumed(tmp_path).ending("att_1")
    assert (ending.outcome, ending.ended_by) == (Outcome.CARRIER_ERROR, EndedBy.SYSTEM)
    assert ending.hangup_cause == "not_rung"
    assert not rings(tmp_path)


def test_what_the_phone_heard_does_not_ring_again(tmp_path, left_open):
    """Killed between the ring and its event; and by now it would be too late to ring."""
    request = dial("att_1", seconds=-0.1)
    left_open(request)
    phone_heard(tmp_path, request)
    django = resumed(tmp_path)
    assert django.ending("att_1").outcome is Outcome.ANSWERED_HUMAN
    assert EventType.RINGING in django.types("att_1")
    assert rings(tmp_path) == {"att_1": 1}


def test_what_rang_by_the_ledger_does_not_ring_again_though_the_log_lost_it(tmp_path, left_open):
    """After a loss of power the log may lack its last lines."""
    left_open(dial("att_1"), EventType.RINGING)
    assert resumed(tmp_path).ending("att_1").outcome is Outcome.ANSWERED_HUMAN
    assert not rings(tmp_path)


def test_what_is_on_record_takes_no_time_again(tmp_path, left_open):
    left_open(dial("att_1", NO_ANSWER, ring_timeout_s=86_400), EventType.RINGING, EventType.ANSWERED)
    # Were the wait before the second event waited again, it would take a day.
    assert resumed(tmp_path, speed=1.0).ending("att_1").outcome is Outcome.NO_ANSWER


def test_times_do_not_run_back_though_the_clock_does():
    ahead = datetime.now(UTC) + timedelta(hours=1)
    last = CarrierEvent(attempt_id="att_1", sequence=1, type=EventType.ACCEPTED, at=ahead)
    recorded = []
    Journal("att_1", recorded.append, last=last).record(EventType.RINGING)
    assert recorded[0].at == ahead


def test_a_story_that_became_shorter_still_ends(tmp_path, left_open):
    """A newer version may tell a call differently; its numbers stay without a gap, and it ends once."""
    left_open(dial("att_1", "+14155550102"), *[EventType.RINGING, EventType.ANSWERED, EventType.CLASSIFIED])
    django = resumed(tmp_path)
    assert [event.sequence for event in django.events["att_1"]] == [1, 2, 3, 4, 5]
    assert django.types("att_1").count(EventType.ENDED) == 1


def test_a_hang_up_that_was_recorded_keeps_the_phone_from_ringing(tmp_path, left_open):
    left_open(dial("att_1"), hang_up=True)
    assert resumed(tmp_path).ending("att_1").outcome is Outcome.CANCELED_BY_USER
    assert not rings(tmp_path)


def test_a_hang_up_that_was_recorded_ends_what_rings(tmp_path, left_open):
    left_open(dial("att_1", NO_ANSWER), EventType.RINGING, hang_up=True)
    assert resumed(tmp_path, speed=0.1).ending("att_1").outcome is Outcome.CANCELED_BY_USER


@pytest.mark.parametrize("torn", ['{"to":"+1415', '{"to":"+1415\n', "\n", "nonsense\n"])
def test_a_torn_line_in_the_phones_log_hides_no_other(tmp_path, left_open, torn):
    request = dial("att_1")
    left_open(request)
    (tmp_path / "phone.log").write_text(torn)
    phone_heard(tmp_path, request)
    resumed(tmp_path)
    assert (tmp_path / "phone.log").read_text().count("att_1") == 1


def test_what_ended_is_forgotten_after_a_week_but_its_id_stays(tmp_path):
    async def test():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            await client.dial(dial("att_1"), dial("att_2"))
            await django.ended("att_1", "att_2")
            await asyncio.sleep(0.2)

    asyncio.run(test())
    ledger = Ledger(config(tmp_path, "").ledger)
    with ledger.transaction():
        ledger._db.execute("UPDATE attempts SET changed_at = changed_at - 700000 WHERE attempt_id = 'att_1'")
    ledger.close()

    async def again():
        async with FakeDjango() as django, gateway(tmp_path, django) as client:
            await client.dial(dial("att_1", HUMAN))

    asyncio.run(again())
    assert rings(tmp_path) == {"att_1": 1, "att_2": 1}
    ledger = Ledger(config(tmp_path, "").ledger)
    kept = ledger._db.execute("SELECT attempt_id FROM attempts WHERE request IS NOT NULL").fetchall()
    told = ledger._db.execute("SELECT DISTINCT attempt_id FROM events").fetchall()
    ledger.close()
    assert kept == told == [("att_2",)]


def test_what_django_has_not_heard_is_not_forgotten(tmp_path, left_open):
    left_open(dial("att_1"), EventType.ENDED)
    ledger = Ledger(config(tmp_path, "").ledger)
    with ledger.transaction():
        assert ledger.forget(9e9) == 0
        ledger.events.acknowledge("att_1", 2)
        assert ledger.forget(9e9) == 1
        assert ledger.forget(9e9) == 0
    ledger.close()
