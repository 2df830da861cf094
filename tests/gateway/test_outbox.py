"""No event is lost, whatever Django does; one that it cannot use holds up no other."""

import asyncio
from contextlib import asynccontextmanager

from temphone.gateway import outbox
from temphone.telephony.messages import EventType, Outcome
from tests.gateway.builders import OPT_OUT, dial, script
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import client_of, gateway, rings


@asynccontextmanager
async def both(folder, **fields):
    async with FakeDjango() as django, gateway(folder, django, **fields) as client:
        yield django, client


def gapless(events):
    return [event.sequence for event in events] == list(range(1, len(events) + 1))


def test_events_wait_while_django_is_down(tmp_path):
    async def test():
        async with both(tmp_path) as (django, client):
            django.up = False
            await client.dial(dial("att_1"), dial("att_2"))
            await asyncio.sleep(0.4)
            assert not django.events
            django.up = True
            await django.ended("att_1", "att_2")
            assert gapless(django.events["att_1"])

    asyncio.run(test())


def test_one_batch_is_in_flight_at_a_time(tmp_path):
    async def test():
        async with both(tmp_path, speed=100.0) as (django, client):
            ids = [f"att_{number}" for number in range(60)]
            await client.dial(*map(dial, ids))
            await django.ended(*ids)
            assert django.most_in_flight == 1
            assert max(map(len, django.batches)) <= outbox.BATCH

    asyncio.run(test())


def test_what_was_acknowledged_is_not_sent_again(tmp_path):
    async def test():
        async with both(tmp_path) as (django, client):
            await client.dial(dial("att_1"))
            await django.ended("att_1")
            await asyncio.sleep(0.3)
            sent = [(event.attempt_id, event.sequence) for batch in django.batches for event in batch]
            assert len(sent) == len(set(sent))

    asyncio.run(test())


def test_what_django_has_lost_is_sent_again_from_there(tmp_path, monkeypatch):
    """A Django restored from a backup acknowledges less than before."""
    monkeypatch.setattr(outbox, "RESEND_S", 0.05)

    async def test():
        async with both(tmp_path, speed=20.0) as (django, client):
            await client.dial(dial("att_1"))
            await until(lambda: EventType.ANSWERED in django.types("att_1"))
            del django.events["att_1"][1:]
            await django.ended("att_1")
            assert gapless(django.events["att_1"])

    asyncio.run(test())


def test_an_event_that_django_cannot_use_holds_up_no_other_attempt(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(outbox, "RESEND_S", 0.05)

    async def test():
        async with both(tmp_path, speed=100.0) as (django, client):
            django.understands = lambda event: (event.attempt_id, event.sequence) != ("att_7", 4)
            ids = [f"att_{number}" for number in range(20)]
            await client.dial(*map(dial, ids))
            await django.ended(*(id_ for id_ in ids if id_ != "att_7"))
            await asyncio.sleep(0.5)
            assert len(django.events["att_7"]) == 3
            alone = [[(event.attempt_id, event.sequence) for event in batch] for batch in django.batches]
            assert alone.count([("att_7", 4)]) == 1

    asyncio.run(test())
    (line,) = [record.getMessage() for record in caplog.records if "cannot use" in record.getMessage()]
    assert line == "Django cannot use event 4 of att_7."


def test_an_event_that_breaks_django_holds_up_no_other_attempt(tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "BACKOFF_S", (0.01, 0.01))

    async def test():
        async with both(tmp_path, speed=100.0) as (django, client):
            django.stumbles = lambda event: event.attempt_id == "att_7" and event.sequence >= 4
            ids = [f"att_{number}" for number in range(20)]
            await client.dial(*map(dial, ids))
            await django.ended(*(id_ for id_ in ids if id_ != "att_7"))
            assert len(django.events["att_7"]) == 3

    asyncio.run(test())


def test_after_a_time_of_errors_everything_comes(tmp_path, monkeypatch):
    """Django answers 500 to everything; nothing but the time of its illness is lost."""
    monkeypatch.setattr(outbox, "BACKOFF_S", (0.01, 0.01))
    monkeypatch.setattr(outbox, "ASIDE_S", 0.2)

    async def test():
        async with both(tmp_path) as (django, client):
            django.stumbles = lambda _: True
            ids = [f"att_{number}" for number in range(20)]
            await client.dial(*map(dial, ids))
            await asyncio.sleep(0.3)
            django.stumbles = lambda _: False
            ill = len(django.batches)
            await django.ended(*ids)
            assert max(map(len, django.batches[ill:])) > 10, "it goes on with single events"
            assert all(gapless(django.events[id_]) for id_ in ids)

    asyncio.run(test())


def test_an_event_that_was_set_aside_is_tried_again_later(tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "PARKED_S", 0.1)
    monkeypatch.setattr(outbox, "RESEND_S", 0.05)

    async def test():
        async with both(tmp_path) as (django, client):
            django.understands = lambda event: event.sequence != 4
            await client.dial(dial("att_1"))
            await until(lambda: len(django.events["att_1"]) == 3)
            await asyncio.sleep(0.3)
            django.understands = lambda _: True
            await django.ended("att_1")
            assert gapless(django.events["att_1"])

    asyncio.run(test())


def test_a_restart_sends_what_was_not_acknowledged(tmp_path):
    async def test():
        async with FakeDjango() as django:
            django.up = False
            async with gateway(tmp_path, django) as client:
                await client.dial(dial("att_1"))
                await until(lambda: rings(tmp_path))
                await asyncio.sleep(0.2)
            assert not django.events
            django.up = True
            async with gateway(tmp_path, django):
                await django.ended("att_1")
            assert gapless(django.events["att_1"])
            assert rings(tmp_path) == {"att_1": 1}

    asyncio.run(test())


def test_an_opt_out_is_acknowledged_before_it_is_confirmed(tmp_path):
    texts = script()

    async def test():
        async with both(tmp_path) as (django, client):
            django.hold.clear()
            await client.dial(dial("att_1", OPT_OUT))
            await asyncio.sleep(0.5)  # at this speed the whole call would be over
            django.hold.set()
            await django.ended("att_1")
        events = django.events["att_1"]
        opted_out = next(event for event in events if event.type is EventType.OPTED_OUT)
        confirmed = next(
            event for event in events if event.turn and event.turn.text == texts.opt_out_confirmation
        )
        sent = next(number for number, batch in enumerate(django.batches) if opted_out in batch)
        assert all(confirmed not in batch for batch in django.batches[: sent + 1])
        assert confirmed.sequence == opted_out.sequence + 1

    asyncio.run(test())


def test_an_opt_out_does_not_wait_for_django_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("temphone.gateway.call.OPT_OUT_WAIT_S", 0.2)
    monkeypatch.setattr(outbox, "BACKOFF_S", (0.05, 0.05))

    async def test():
        async with both(tmp_path) as (django, client):
            django.up = False
            await client.dial(dial("att_1", OPT_OUT))
            await asyncio.sleep(0.6)
            beat = await client_of(django)
            assert beat.ref == client.ref
            assert django.beats[-1].live == 0
            django.up = True
            await django.ended("att_1")
            assert django.ending("att_1").outcome is Outcome.OPTED_OUT

    asyncio.run(test())


def test_events_come_while_the_call_lasts(tmp_path):
    """Staff see a call as it happens."""

    async def test():
        async with both(tmp_path, speed=10.0) as (django, client):
            await client.dial(dial("att_1"))
            await until(lambda: django.said("att_1", "agent"))
            assert django.ending("att_1") is None
            assert len(django.batches) > 1

    asyncio.run(test())
