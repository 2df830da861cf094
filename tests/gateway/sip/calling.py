"""A SIP network inside the test, and what a line gives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from temphone.gateway.config import SipSettings
from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.telephony.messages import DialRequest, SipTrunk
from tests.gateway.builders import dial
from tests.gateway.fake_django import until

if TYPE_CHECKING:  # it needs baresip-python
    from temphone.gateway.legs.sip.line import SipLine
    from temphone.gateway.legs.sip.network import SipNetwork

CALLEE = "+14155550100"


class Remembers:
    """A history; ``noted`` is called when it is to be kept."""

    replaying = False

    def __init__(self, *, begun: bool = False) -> None:
        self.begun = begun
        self.noted = asyncio.Event()

    async def about_to_dial(self) -> None:
        self.noted.set()


def trunk(port: int, **fields) -> SipTrunk:
    return SipTrunk(**({"id": "trunk_1", "lines": 100, "host": "127.0.0.1", "port": port} | fields))


def request(attempt_id: str = "att_1", **fields) -> DialRequest:
    return replace(dial(attempt_id), **({"to": CALLEE, "leg": "sip", "trunk": "trunk_1"} | fields))


def settings(**fields) -> SipSettings:
    return SipSettings(**({"host": "127.0.0.1"} | fields))


@asynccontextmanager
async def sip(*trunks: SipTrunk, ca: Path | None = None) -> AsyncIterator["SipNetwork"]:
    """A network with these trunks, up."""
    from temphone.gateway.legs.sip.network import SipNetwork

    network = SipNetwork(settings(ca=ca))
    network.keep(trunks)
    running = asyncio.create_task(network.run())
    try:
        await until(lambda: network._up.is_set() or running.done(), 30)
        yield network
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await network.close()


async def answered(network: "SipNetwork", **fields) -> "SipLine":
    line = network.line(request(**fields), Remembers())
    await line.ring()
    await line.answer()
    return line


async def failure(line: "SipLine") -> Failed:
    """How it fails before it is answered."""
    try:
        await line.ring()
        await line.answer()
    except Failed as failed:
        return failed
    raise AssertionError("It was answered.")


class Ear:
    """Keeps what a line gives, until it is over."""

    def __init__(self, line: "SipLine") -> None:
        self.frames: list[bytes] = []
        self.began = self.last = asyncio.get_running_loop().time()
        self.keys = ""
        self.gone: Gone | None = None
        self._line = line
        self._task = asyncio.create_task(self._listen())

    @property
    def sound(self) -> bytes:
        return b"".join(self.frames)

    @property
    def astray_s(self) -> float:
        """By how much the frames differ from the time that has passed."""
        return abs(len(self.frames) * 0.02 - (self.last - self.began))

    async def over(self, within_s: float = 10) -> Gone:
        await asyncio.wait_for(self._task, within_s)
        return self.gone

    async def _listen(self) -> None:
        while self.gone is None:
            match await self._line.receive():
                case Sound(frame=frame):
                    self.frames.append(frame)
                    self.last = asyncio.get_running_loop().time()
                case Pressed(digit=digit):
                    self.keys += digit
                case Gone() as gone:
                    self.gone = gone
