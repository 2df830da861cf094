"""A line, its network and a fake Twilio, in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.legs.twilio.doors import listen
from temphone.gateway.legs.twilio.line import TwilioLine
from temphone.gateway.legs.twilio.network import TwilioNetwork
from temphone.telephony.messages import DialRequest, TwilioTrunk
from tests.gateway.builders import dial
from tests.gateway.fake_django import until
from tests.gateway.twilio.fake import FakeCall, FakeTwilio

PUBLIC_URL = "https://gateway.test"
ACCOUNT, TOKEN = "AC" + "1" * 32, "token of the first"
OTHER_ACCOUNT, OTHER_TOKEN = "AC" + "2" * 32, "token of the second"
TO = "+14155552671"


@dataclass
class Note:
    """What a line is told of its past; counts the notes before a dial."""

    begun: bool = False
    replaying: bool = False
    notes: int = 0
    failure: Failed | None = None
    noted: list[str] = field(default_factory=list)

    async def about_to_dial(self) -> None:
        if self.failure:
            raise self.failure
        self.notes += 1


@dataclass
class Stage:
    """Everything that a test of lines needs."""

    twilio: FakeTwilio
    network: TwilioNetwork
    address: str

    def line(self, attempt_id: str = "att_1", *, note: Note | None = None, **fields) -> TwilioLine:
        return self.network.line(request(attempt_id, **fields), note or Note())

    async def answered(self, attempt_id: str = "att_1", **fields) -> tuple[TwilioLine, FakeCall]:
        """A line whose media are open."""
        line = self.line(attempt_id, **fields)
        ringing = asyncio.create_task(line.ring())
        await until(lambda: self.twilio.created[attempt_id])
        call = self.twilio.call(attempt_id)
        if self.twilio.plan is None:
            await call.goes("ringing")
            await call.answers()
        await ringing
        await line.answer()
        await until(lambda: call.stream and call.stream.open.is_set())
        return line, call


def request(attempt_id: str = "att_1", **fields) -> DialRequest:
    defaults = {"to": TO, "leg": "twilio", "trunk": "first", "ring_timeout_s": 5, "max_duration_s": 60}
    return dial(attempt_id, **(defaults | fields))


def trunk(api_url: str, **fields) -> TwilioTrunk:
    defaults = {"id": "first", "lines": 10, "account_sid": ACCOUNT, "auth_token": TOKEN}
    return TwilioTrunk(api_url=api_url, **(defaults | fields))


def trunks(api_url: str) -> list[TwilioTrunk]:
    other = trunk(api_url, id="second", account_sid=OTHER_ACCOUNT, auth_token=OTHER_TOKEN)
    return [trunk(api_url), other]


async def taken(line: TwilioLine) -> None:
    await line.ring()
    await line.answer()


@asynccontextmanager
async def stage(**settings) -> AsyncIterator[Stage]:
    async with FakeTwilio({ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN}) as twilio:
        for name, value in settings.items():
            setattr(twilio, name, value)
        network = TwilioNetwork(PUBLIC_URL)
        runner = await listen(network, "127.0.0.1", 0)
        address = "http://127.0.0.1:{1}".format(*runner.addresses[0])
        twilio.public[PUBLIC_URL] = address
        network.keep(trunks(twilio.url))
        try:
            yield Stage(twilio, network, address)
        finally:
            await network.close()
            await runner.cleanup()
        assert twilio.complaints == []


async def failure_of(waiting) -> Failed:
    try:
        await asyncio.wait_for(waiting, 60)
    except Failed as failed:
        return failed
    raise AssertionError("It did not fail.")


async def sounds(line: TwilioLine, count: int) -> list[bytes]:
    heard = [await asyncio.wait_for(line.receive(), 5) for _ in range(count)]
    assert all(isinstance(sound, Sound) for sound in heard)
    return [sound.frame for sound in heard]


async def end_of(line: TwilioLine) -> Gone:
    while True:
        match await asyncio.wait_for(line.receive(), 10):
            case Gone() as gone:
                return gone
            case Sound() | Pressed():
                continue


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def a_call_made_by_hand(here: Stage, attempt_id: str) -> FakeCall:
    """A call whose callbacks name this attempt, though no line made it just now."""
    network, attempts = here.network, here.twilio.created.copy()
    account = await network.account("first", 5)
    await account.create(
        to="+14155552671",
        caller_id="+14155550199",
        twiml='<Response><Connect><Stream url="wss://gateway.test/twilio/media"></Stream></Connect></Response>',
        ring_timeout_s=30,
        time_limit_s=60,
        told_at=network.told_at(attempt_id),
    )
    assert here.twilio.created != attempts
    return next(reversed(here.twilio.calls.values()))
