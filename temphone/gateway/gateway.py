"""Puts the gateway together and runs it until it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from temphone import __version__
from temphone.gateway.callback import Callback, Unavailable
from temphone.gateway.config import Config
from temphone.gateway.conversation.llm import OpenAIModel
from temphone.gateway.heartbeat import Pulse
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.phone_log import PhoneLog
from temphone.gateway.legs.simulated import SimulatedNetwork
from temphone.gateway.outbox import Outbox
from temphone.gateway.server import application
from temphone.gateway.switchboard import Switchboard
from temphone.gateway.writer import LedgerUnavailable, Writer
from temphone.telephony.messages import Heartbeat

REMEMBER_S = 7 * 86_400.0
FORGET_EVERY_S = 3600.0
LAST_SEND_S = 1.0

log = logging.getLogger(__name__)


class Gateway:
    """One gateway on one ledger."""

    def __init__(self, config: Config, ledger: Ledger, callback: Callback) -> None:
        self._config = config
        self._ledger = ledger
        self._callback = callback
        self._writer = Writer(ledger)
        self._outbox = Outbox(ledger, self._writer, callback)
        self._open = ledger.open_attempts()
        simulated = SimulatedNetwork(
            log=PhoneLog(config.phone_log),
            speed=config.speed,
            open_attempts={attempt.request.attempt_id for attempt in self._open},
        )
        self._networks = {"simulated": simulated}
        self._model = OpenAIModel(config.llm) if config.llm else None
        self._switchboard = Switchboard(
            ledger=ledger,
            writer=self._writer,
            outbox=self._outbox,
            networks=self._networks,
            lines=config.lines,
            model=self._model,
            model_timeout_s=config.llm.timeout_s if config.llm else 0.0,
        )
        self._url = config.url

    async def run(self, stop: asyncio.Event) -> None:
        """Carry calls until ``stop`` is set.

        Raises:
            OSError: it cannot listen there.
        """
        self._switchboard.resume(self._open)
        runner = await self._listen()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writer.work())
            pulse = Pulse(self._callback, self._beat)
            loops = [tasks.create_task(work) for work in (self._outbox.run(), pulse.run(), self._forget())]
            log.info("Gateway %s listens at %s.", self._ledger.identity, self._url)
            await stop.wait()
            await self._wind_up(runner, loops)

    async def _listen(self) -> web.AppRunner:
        app = application(self._switchboard, ledger=self._ledger.identity, secret=self._config.secret)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._config.host, self._config.port).start()
        host, port = runner.addresses[0][:2]
        self._url = self._url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return runner

    async def _beat(self) -> Heartbeat:
        return Heartbeat(
            ledger=self._ledger.identity,
            url=self._url,
            version=__version__,
            lines=self._config.lines,
            live=self._switchboard.live,
            outbox=await self._writer.run(self._ledger.events.waiting_count),
            legs=list(self._networks),
            at=datetime.now(UTC),
        )

    async def _forget(self) -> None:
        """Drop what was said long ago, a little at a time."""
        while True:
            try:
                dropped = await self._writer.run(partial(self._ledger.forget, time.time() - REMEMBER_S))
            except LedgerUnavailable:
                dropped = 0
            await asyncio.sleep(0 if dropped else FORGET_EVERY_S)

    async def _wind_up(self, runner: web.AppRunner, loops: Iterable[asyncio.Task[None]]) -> None:
        """Refuse what comes, let the calls be, send what can be sent at once."""
        await self._switchboard.close()
        if self._model:
            await self._model.close()
        await runner.cleanup()
        for loop in loops:
            loop.cancel()
        try:
            async with asyncio.timeout(LAST_SEND_S):
                while await self._outbox.send():
                    pass
        except (TimeoutError, Unavailable, LedgerUnavailable):
            log.info("Some events wait for the next start.")
        self._writer.close()


async def serve(config: Config, ledger: Ledger) -> None:
    """Run a gateway until SIGTERM or SIGINT.

    Raises:
        OSError: it cannot listen there.
    """
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Callback(config.callback_url, config.secret) as callback:
        await Gateway(config, ledger, callback).run(stop)
