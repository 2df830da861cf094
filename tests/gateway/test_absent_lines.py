"""A gateway that is restarted without the lines that its open calls went over starts all the same."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from temphone.gateway.ledger import Ledger
from temphone.gateway.talking import Silent
from temphone.telephony.messages import CarrierEvent, EventType, Outcome, Placed
from tests.gateway.builders import config, dial
from tests.gateway.fake_django import FakeDjango
from tests.gateway.running import gateway

LATE = datetime.now(UTC) + timedelta(hours=1)


def left_open(folder, *events):
    """A call over SIP that a former gateway took, and what it has told of it."""
    ledger = Ledger(config(folder, "").ledger)
    with ledger.transaction():
        ledger.admit([dial("att_1", leg="sip", trunk="trunk_1", not_after=LATE)], lambda *_: None)
        for sequence, type_ in enumerate(events, start=2):
            at = datetime.now(UTC)
            ledger.append(CarrierEvent(attempt_id="att_1", sequence=sequence, type=type_, at=at))
    ledger.close()


@pytest.mark.parametrize(
    ("events", "outcome", "rang"),
    [
        ((), Outcome.CARRIER_ERROR, False),
        ((EventType.DIALING,), Outcome.UNKNOWN, True),
        ((EventType.DIALING, EventType.RINGING, EventType.ANSWERED), Outcome.UNKNOWN, True),
    ],
    ids=["not dialled", "dialled", "answered"],
)
def test_it_tells_what_became_of_them_and_takes_others(tmp_path, events, outcome, rang):
    async def whole():
        left_open(tmp_path, *events)
        async with FakeDjango() as django, gateway(tmp_path, django, talks=lambda *_: Silent("no")) as client:
            await django.ended("att_1")
            (answer,) = await client.dial(dial("att_2", not_after=LATE))
            return django.ending("att_1"), answer

    ending, answer = asyncio.run(whole())
    assert (ending.outcome, ending.rang) == (outcome, rang)
    assert isinstance(answer, Placed)
