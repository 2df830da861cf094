"""Puts the gateway together and runs it until it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from temphone import __version__
from temphone.gateway.callback import Callback, Unavailable
from temphone.gateway.config import Config
from temphone.gateway.conversation.llm import OpenAIModel
from temphone.gateway.heartbeat import Pulse
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs import sip
from temphone.gateway.legs.base import Network
from temphone.gateway.legs.phone_log import PhoneLog
from temphone.gateway.legs.simulated import SimulatedNetwork
from temphone.gateway.legs.twilio import doors
from temphone.gateway.legs.twilio.network import TwilioNetwork
from temphone.gateway.outbox import Outbox
from temphone.gateway.server import application
from temphone.gateway.switchboard import Switchboard
from temphone.gateway.talking import Made, Silent, talks_here
from temphone.gateway.trunks import Trunks
from temphone.gateway.uploads import Uploads
from temphone.gateway.writer import LedgerUnavailable, Writer
from temphone.telephony.messages import Heartbeat, Welcome

if TYPE_CHECKING:
    from temphone.gateway.legs.sip.network import SipNetwork

REMEMBER_S = 7 * 86_400.0
FORGET_EVERY_S = 3600.0
LAST_SEND_S = 1.0
LAST_WORDS_S = 5.0  # whoever stops us gives us 15 in all

log = logging.getLogger(__name__)


class Broken(Exception):
    """Something is dead that only a new process can have again; the message says what."""


class Gateway:
    """One gateway on one ledger."""

    def __init__(
        self, config: Config, ledger: Ledger, callback: Callback, *, talks: Made = talks_here
    ) -> None:
        """Where nothing ``talks`` it carries simulated calls alone."""
        self._config = config
        self._ledger = ledger
        self._callback = callback
        self._writer = Writer(ledger)
        self._outbox = Outbox(ledger, self._writer, callback)
        self._uploads = Uploads(config.recordings, ledger.identity, callback)
        self._open = ledger.open_attempts()
        simulated = SimulatedNetwork(
            log=PhoneLog(config.phone_log),
            speed=config.speed,
            open_attempts={attempt.request.attempt_id for attempt in self._open},
        )
        self._networks: dict[str, Network] = {"simulated": simulated}
        self._talks = talks(config, self._uploads)
        self._trunks = Trunks(
            config.ledger.with_suffix(".trunks"), secret=config.secret, problem=self._talks.problem
        )
        silent = isinstance(self._talks, Silent)
        self._sip = None if silent else _sip_network(config)
        if self._sip:
            self._networks["sip"] = self._talks.over(self._sip)
            self._trunks.kept_by("sip", self._sip)
        self._twilio = TwilioNetwork(config.public.url)
        if not silent:
            self._networks["twilio"] = self._talks.over(self._twilio)
            self._trunks.kept_by("twilio", self._twilio)
        self._broken = ""
        self._model = OpenAIModel(config.llm) if config.llm else None
        self._switchboard = Switchboard(
            ledger=ledger,
            writer=self._writer,
            outbox=self._outbox,
            networks=self._networks,
            trunks=self._trunks,
            lines=config.lines,
            model=self._model,
            model_timeout_s=config.llm.timeout_s if config.llm else 0.0,
        )
        self._url = config.url

    async def run(self, stop: asyncio.Event) -> None:
        """Carry calls until ``stop`` is set.

        Raises:
            OSError: it cannot listen there.
            Broken: it ended by itself.
        """
        self._switchboard.resume(self._open)
        runners = [await self._listen(), *await self._open_doors()]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writer.work())
            pulse = Pulse(self._callback, self._beat, self._welcomed)
            work = [self._outbox.run(), self._uploads.run(), pulse.run(), self._forget()]
            work.append(self._talks.start())
            if self._sip:
                work.append(self._carry_sip(self._sip, stop))
            loops = [tasks.create_task(each) for each in work]
            log.info("Gateway %s listens at %s.", self._ledger.identity, self._url)
            await stop.wait()
            await self._wind_up(runners, loops)
        if self._broken:
            raise Broken(self._broken)

    async def _listen(self) -> web.AppRunner:
        app = application(
            self._switchboard, self._talks, ledger=self._ledger.identity, secret=self._config.secret
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._config.host, self._config.port).start()
        host, port = runner.addresses[0][:2]
        self._url = self._url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return runner

    async def _open_doors(self) -> list[web.AppRunner]:
        """What Twilio reaches is apart from everything else; nothing is open without it."""
        public = self._config.public
        if "twilio" not in self._networks or not public.url:
            return []
        return [await doors.listen(self._twilio, public.host, public.port)]

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
            trunks=self._trunks.states(),
            speaks=self._talks.problem() is None,
        )

    def _welcomed(self, welcome: Welcome) -> None:
        self._trunks.learn(welcome.trunks)

    async def _carry_sip(self, network: "SipNetwork", stop: asyncio.Event) -> None:
        """Carry calls over SIP; when its stack dies, end the gateway in good order."""
        from temphone.gateway.legs.sip.stack import StackDied

        try:
            await network.run()
        except StackDied as error:
            self._broken = f"The SIP stack has died ({error})"
            stop.set()

    async def _forget(self) -> None:
        """Drop what was said long ago, a little at a time."""
        while True:
            try:
                dropped = await self._writer.run(partial(self._ledger.forget, time.time() - REMEMBER_S))
            except LedgerUnavailable:
                dropped = 0
            await asyncio.sleep(0 if dropped else FORGET_EVERY_S)

    async def _wind_up(self, runners: Iterable[web.AppRunner], loops: Iterable[asyncio.Task[None]]) -> None:
        """Refuse what comes, let the calls come to their end or be, send what can be sent at once."""
        await self._switchboard.close(within_s=LAST_WORDS_S)
        await self._talks.close()
        if self._sip:
            await self._sip.close()
        await self._twilio.close()
        if self._model:
            await self._model.close()
        for runner in runners:
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


def _sip_network(config: Config) -> "SipNetwork | None":
    """Lines over SIP, where that is wanted and installed."""
    if config.sip is None or not sip.is_installed():
        return None
    from temphone.gateway.legs.sip.network import SipNetwork

    return SipNetwork(config.sip)


async def serve(config: Config, ledger: Ledger, *, talks: Made = talks_here) -> None:
    """Run a gateway until SIGTERM or SIGINT.

    Raises:
        OSError: it cannot listen there.
        Broken: it ended by itself.
    """
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Callback(config.callback_url, config.secret) as callback:
        await Gateway(config, ledger, callback, talks=talks).run(stop)
