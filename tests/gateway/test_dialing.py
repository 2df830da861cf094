"""At most one ring per attempt, whatever is asked, how often, and in what order."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime

import pytest

from temphone.gateway.journal import Journal
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.phone_log import PhoneLog
from temphone.gateway.legs.simulated import SimulatedLeg, SimulatedNetwork
from temphone.telephony.messages import EndedBy, EventType, Outcome, Placed, Refused, Sighting, Unsure
from temphone.telephony.port import Unreachable
from tests.gateway.builders import HUMAN, NO_ANSWER, TALKS_ON, VOICEMAIL, dial
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway, rings


@pytest.fixture
def on_gateway(tmp_path):
    """Runs a test's coroutine with a fake Django and the client of a gateway."""

    def run(test, **fields):
        async def whole():
            async with FakeDjango() as django, gateway(tmp_path, django, **fields) as client:
                return await test(django, client)

        return asyncio.run(whole())

    return run


def test_it_never_rings_an_attempt_twice(on_gateway, tmp_path):
    async def test(django, client):
        first = await client.dial(dial("att_1"))
        again = await asyncio.gather(*(client.dial(dial("att_1")) for _ in range(20)))
        await django.ended("att_1")
        late = await client.dial(dial("att_1"))
        assert first == late == [Placed(attempt_id="att_1")]
        assert all(answer == first for answer in again)

    on_gateway(test)
    assert rings(tmp_path) == {"att_1": 1}


def test_it_rings_once_when_one_batch_names_an_attempt_twice(on_gateway, tmp_path):
    async def test(django, client):
        await client.dial(dial("att_1"), dial("att_1"))
        await django.ended("att_1")

    on_gateway(test)
    assert rings(tmp_path) == {"att_1": 1}


def test_it_answers_a_batch_in_its_order(on_gateway):
    async def test(django, client):
        answers = await client.dial(dial("att_1"), dial("att_2", seconds=-1), dial("att_3"))
        assert [type(answer) for answer in answers] == [Placed, Refused, Placed]
        assert [answer.attempt_id for answer in answers] == ["att_1", "att_2", "att_3"]

    on_gateway(test)


def test_it_refuses_after_not_after_and_for_ever(on_gateway, tmp_path):
    async def test(django, client):
        refused = Refused(attempt_id="att_1", cause="too late", retry=True)
        assert await client.dial(dial("att_1", seconds=-0.1)) == [refused]
        assert await client.dial(dial("att_1", seconds=10)) == [refused]
        assert await client.find("att_1") is Sighting.NEVER

    on_gateway(test)
    assert not rings(tmp_path)


def test_it_refuses_what_it_has_no_line_for_and_takes_it_never_more(on_gateway, tmp_path):
    async def test(django, client):
        answers = await client.dial(*(dial(f"att_{number}") for number in range(3)))
        assert answers[2] == Refused(attempt_id="att_2", cause="no free line", retry=True)
        await django.ended("att_0", "att_1")
        assert await client.dial(dial("att_2")) == answers[2:]
        assert await client.dial(dial("att_3")) == [Placed(attempt_id="att_3")]

    on_gateway(test, lines=2)
    assert "att_2" not in rings(tmp_path)


def test_it_refuses_a_kind_of_leg_that_it_has_not(on_gateway, tmp_path):
    async def test(django, client):
        (answer,) = await client.dial(dial("att_1", leg="sip"))
        assert answer == Refused(attempt_id="att_1", cause="no such kind of leg", retry=False)

    on_gateway(test)
    assert not rings(tmp_path)


def test_a_hang_up_that_comes_first_refuses_the_dial(on_gateway, tmp_path):
    async def test(django, client):
        await client.hang_up("att_1")
        await client.hang_up("att_1")
        assert await client.dial(dial("att_1")) == [
            Refused(attempt_id="att_1", cause="withdrawn", retry=True)
        ]

    on_gateway(test)
    assert not rings(tmp_path)


def test_what_it_was_asked_to_find_and_did_not_know_it_refuses(on_gateway, tmp_path):
    async def test(django, client):
        assert await client.find("att_1") is Sighting.NEVER
        assert await client.find("att_1") is Sighting.NEVER
        (answer,) = await client.dial(dial("att_1"))
        assert isinstance(answer, Refused)

    on_gateway(test)
    assert not rings(tmp_path)


def test_it_finds_what_is_live_and_what_has_ended(on_gateway):
    async def test(django, client):
        await client.dial(dial("att_1"), dial("att_2", TALKS_ON, max_duration_s=3000))
        await django.ended("att_1")
        assert await client.find("att_1") is Sighting.ENDED
        assert await client.find("att_2") is Sighting.LIVE

    on_gateway(test)


def test_dials_hang_ups_and_finds_that_race_ring_once_or_never(on_gateway, tmp_path):
    """Whichever comes first, an attempt that is found never does not ring."""

    async def test(django, client):
        ids = [f"att_{number}" for number in range(40)]
        asked = [
            action
            for id_ in ids
            for action in (client.dial(dial(id_)), client.find(id_), client.hang_up(id_))
        ]
        answers = await asyncio.gather(*asked)
        placed = {id_ for id_, (answer,) in zip(ids, answers[::3], strict=True) if isinstance(answer, Placed)}
        never = {id_ for id_, found in zip(ids, answers[1::3], strict=True) if found is Sighting.NEVER}
        await django.ended(*placed)
        assert placed.isdisjoint(never)
        assert set(rings(tmp_path)) <= placed

    on_gateway(test, speed=10.0)
    assert set(rings(tmp_path).values()) <= {1}


def test_a_hang_up_while_it_rings_cancels_the_call(on_gateway):
    async def test(django, client):
        await client.dial(dial("att_1", NO_ANSWER))
        await until(lambda: EventType.RINGING in django.types("att_1"))
        await client.hang_up("att_1")
        await django.ended("att_1")
        ending = django.ending("att_1")
        assert (ending.outcome, ending.ended_by) == (Outcome.CANCELED_BY_USER, EndedBy.STAFF)
        assert EventType.ANSWERED not in django.types("att_1")

    on_gateway(test, speed=1.0)


def test_a_hang_up_in_the_message_leaves_it_incomplete(on_gateway):
    async def test(django, client):
        await client.dial(dial("att_1"))
        await until(lambda: EventType.CLASSIFIED in django.types("att_1"))
        await client.hang_up("att_1")
        await django.ended("att_1")
        ending = django.ending("att_1")
        assert (ending.outcome, ending.ended_by) == (Outcome.MESSAGE_INCOMPLETE, EndedBy.STAFF)

    on_gateway(test, speed=20.0)


def test_a_hang_up_after_the_message_keeps_it_delivered(on_gateway):
    async def test(django, client):
        await client.dial(dial("att_1", TALKS_ON, max_duration_s=80_000))
        await until(lambda: len(django.said("att_1", "agent")) == 2)
        await client.hang_up("att_1")
        await django.ended("att_1")
        ending = django.ending("att_1")
        assert (ending.outcome, ending.ended_by) == (Outcome.MESSAGE_DELIVERED, EndedBy.STAFF)

    on_gateway(test, speed=100.0)


def test_a_hang_up_after_the_end_changes_nothing(on_gateway):
    async def test(django, client):
        await client.dial(dial("att_1", VOICEMAIL))
        await django.ended("att_1")
        before = list(django.events["att_1"])
        await client.hang_up("att_1")
        assert await client.find("att_1") is Sighting.ENDED
        assert django.events["att_1"] == before

    on_gateway(test)


def test_the_leg_itself_refuses_to_ring_after_not_after(tmp_path):
    """Between the acceptance and the ring a machine may stand still."""
    network = SimulatedNetwork(log=PhoneLog(tmp_path / "phone.log"), speed=1000)
    request = dial("att_1", seconds=-0.001)
    with pytest.raises(Failed, match="not_rung"):
        asyncio.run(network.leg(request, Journal("att_1", lambda _: None)).ring())
    assert not rings(tmp_path)


def test_the_phone_log_says_who_was_rung_and_when(on_gateway, tmp_path):
    async def test(django, client):
        began = datetime.now(UTC)
        await client.dial(dial("att_1"))
        await django.ended("att_1")
        return began

    began = on_gateway(test)
    (line,) = (tmp_path / "phone.log").read_text().splitlines()
    ring = json.loads(line)
    assert set(ring) == {"to", "at", "attempt_id"}
    assert ring["to"] == HUMAN
    assert began <= datetime.fromisoformat(ring["at"]) <= datetime.now(UTC)


def test_three_hundred_dials_at_once_all_ring(on_gateway, tmp_path):
    async def test(django, client):
        ids = [f"att_{number}" for number in range(300)]
        batches = [[dial(id_, seconds=60) for id_ in ids[start : start + 100]] for start in (0, 100, 200)]
        answers = await asyncio.gather(*(client.dial(*batch) for batch in batches))
        assert all(isinstance(answer, Placed) for batch in answers for answer in batch)
        await django.ended(*ids)

    on_gateway(test, speed=100.0)
    assert len(rings(tmp_path)) == 300


def test_nothing_rings_that_was_not_recorded(on_gateway, tmp_path, monkeypatch):
    """A full disk: the answer is a server error, which Django takes for Unsure, and no phone rings."""

    def full(self, request):
        raise sqlite3.OperationalError("database or disk is full")

    async def test(django, client):
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "_accept", full)
            (answer,) = await client.dial(dial("att_1"))
            assert isinstance(answer, Unsure)
        assert await client.find("att_1") is Sighting.NEVER

    on_gateway(test)
    assert not rings(tmp_path)


def test_a_hang_up_reaches_a_live_call_though_the_disk_is_full(on_gateway, monkeypatch):
    def full(self, attempt_id):
        raise sqlite3.OperationalError("database or disk is full")

    async def test(django, client):
        await client.dial(dial("att_1", to=TALKS_ON))
        await until(lambda: EventType.ANSWERED in django.types("att_1"))
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "withdraw", full)
            with pytest.raises(Unreachable):
                await client.hang_up("att_1")
        await django.ended("att_1")
        assert django.ending("att_1").ended_by is EndedBy.STAFF

    on_gateway(test, speed=1.0)


def test_events_outlive_a_disk_that_fails_for_a_while(on_gateway, monkeypatch):
    append, failures = Ledger.append, iter([True, True])

    def sometimes(self, event):
        if event.type is EventType.ANSWERED and next(failures, False):
            raise sqlite3.OperationalError("disk I/O error")
        append(self, event)

    async def test(django, client):
        monkeypatch.setattr(Ledger, "append", sometimes)
        await client.dial(dial("att_1"))
        await django.ended("att_1")
        events = django.events["att_1"]
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert django.ending("att_1").outcome is Outcome.ANSWERED_HUMAN

    on_gateway(test)


def test_a_call_that_breaks_ends_unknown_and_the_others_go_on(on_gateway, monkeypatch):
    """Unknown is never dialled again, and our errors must not ring a phone twice."""
    say = SimulatedLeg.say

    async def stumble(self, text):
        if self._request.attempt_id == "att_1":
            raise RuntimeError("a fault of ours")
        return await say(self, text)

    async def test(django, client):
        monkeypatch.setattr(SimulatedLeg, "say", stumble)
        await client.dial(dial("att_1"), dial("att_2"))
        await django.ended("att_1", "att_2")
        assert django.ending("att_1").outcome is Outcome.UNKNOWN
        assert django.ending("att_2").outcome is Outcome.ANSWERED_HUMAN

    on_gateway(test)
