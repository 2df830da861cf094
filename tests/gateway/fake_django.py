"""A fake Django: takes events and heartbeats, checks what the real one relies on."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from aiohttp import web

from temphone.telephony.messages import (
    Acknowledged,
    CarrierEvent,
    Ending,
    Events,
    EventType,
    Heartbeat,
    Trunk,
    Welcome,
    decode,
    encode,
)
from temphone.telephony.signing import SignedRequest, verify
from tests.gateway.builders import SECRET

POLL_S = 0.005


class FakeDjango:
    """Keeps each attempt's events in their order; ``batches`` has what came, as it came."""

    def __init__(self) -> None:
        self.events: dict[str, list[CarrierEvent]] = defaultdict(list)
        self.batches: list[list[CarrierEvent]] = []
        self.beats: list[Heartbeat] = []
        self.up = True
        self.hold = asyncio.Event()  # cleared: events are left without an answer
        self.hold.set()
        self.understands: Callable[[CarrierEvent], bool] = lambda _: True
        self.stumbles: Callable[[CarrierEvent], bool] = lambda _: False
        self.in_flight = 0
        self.most_in_flight = 0
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.trunks: Sequence[Trunk] = ()  # those that gateways are to have ready
        self.also: list[tuple[str, Callable[[web.Request], Awaitable[web.Response]]]] = []  # further doors
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/carriers/gateway/events", self._take_events)
        app.router.add_post("/carriers/gateway/heartbeat", self._take_beat)
        for path, door in self.also:
            app.router.add_post(path, door)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://127.0.0.1:{1}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_) -> None:
        self.hold.set()
        await self._runner.cleanup()

    def ending(self, attempt_id: str) -> Ending | None:
        events = self.events.get(attempt_id, ())
        return next((event.ending for event in events if event.ending), None)

    def types(self, attempt_id: str) -> list[EventType]:
        return [event.type for event in self.events.get(attempt_id, ())]

    def said(self, attempt_id: str, speaker: str) -> list[str]:
        turns = [event.turn for event in self.events.get(attempt_id, ()) if event.turn]
        return [turn.text for turn in turns if turn.speaker == speaker]

    async def ended(self, *attempt_ids: str, within_s: float = 20) -> None:
        await until(lambda: all(self.ending(id_) for id_ in attempt_ids), within_s)

    async def _take_events(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify(SignedRequest(headers=request.headers, body=body), secret=SECRET)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await self.hold.wait()
            return self._answer(list(decode(body, Events).events))
        finally:
            self.in_flight -= 1

    def _answer(self, batch: list[CarrierEvent]) -> web.Response:
        if not self.up:
            return web.Response(status=503)
        self.batches.append(batch)
        if not all(map(self.understands, batch)):
            return web.Response(status=400)
        if any(map(self.stumbles, batch)):
            return web.Response(status=500)
        for event in batch:
            kept = self.events[event.attempt_id]
            if event.sequence == len(kept) + 1:
                kept.append(event)
        sequences = {event.attempt_id: len(self.events[event.attempt_id]) for event in batch}
        return web.Response(body=encode(Acknowledged(sequences=sequences)))

    async def _take_beat(self, request: web.Request) -> web.Response:
        body = await request.read()
        verify(SignedRequest(headers=request.headers, body=body), secret=SECRET)
        self.beats.append(decode(body, Heartbeat))
        return web.Response(body=encode(Welcome(at=self.now(), trunks=self.trunks)))


async def until(done: Callable[[], object], within_s: float = 10) -> None:
    for _ in range(round(within_s / POLL_S)):
        if done():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("It did not happen in time.")
