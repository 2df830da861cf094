"""A gateway that runs inside the test, and one that runs as a process of its own."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from temphone.gateway.callback import Callback
from temphone.gateway.config import Config
from temphone.gateway.gateway import Gateway
from temphone.gateway.ledger import Ledger
from temphone.gateway.talking import Made, talks_here
from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.messages import DialRequest, DialResult, GatewayRef, LegRef, Sighting
from tests.gateway.builders import SECRET, config
from tests.gateway.fake_django import FakeDjango, until

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Client:
    """Django's side of the wire: the real adapter."""

    ref: GatewayRef
    carrier: GatewayCarrier

    async def dial(self, *requests: DialRequest) -> list[DialResult]:
        return list(await self.carrier.dial([replace(request, gateway=self.ref) for request in requests]))

    async def hang_up(self, attempt_id: str) -> None:
        await self.carrier.hang_up(LegRef(attempt_id=attempt_id, gateway=self.ref))

    async def find(self, attempt_id: str) -> Sighting:
        return await self.carrier.find(LegRef(attempt_id=attempt_id, gateway=self.ref))


async def client_of(django: FakeDjango) -> Client:
    """The client of the gateway that beats next."""
    django.beats.clear()
    await until(lambda: django.beats)
    beat = django.beats[-1]
    return Client(GatewayRef(ledger=beat.ledger, url=beat.url), GatewayCarrier(secret=SECRET))


@asynccontextmanager
async def gateway(
    folder: Path, django: FakeDjango, *, talks: Made = talks_here, **fields
) -> AsyncIterator[Client]:
    """A gateway in this process; it stops as on SIGTERM."""
    settings: Config = config(folder, django.url, **fields)
    ledger, stop = Ledger(settings.ledger), asyncio.Event()
    try:
        async with Callback(settings.callback_url, settings.secret) as callback:
            running = asyncio.create_task(Gateway(settings, ledger, callback, talks=talks).run(stop))
            try:
                yield await client_of(django)
            finally:
                stop.set()
                await running
    finally:
        ledger.close()


class Process:
    """A gateway as a process."""

    def __init__(
        self, folder: Path, django: FakeDjango, *, speed: float, module: str = "temphone.gateway"
    ) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TEMPHONE_")},
            "TEMPHONE_DATA_DIR": str(folder),
            "TEMPHONE_GATEWAY_LEDGER": str(folder / "ledger.sqlite3"),
            "TEMPHONE_PHONE_LOG": str(folder / "phone.log"),
            "TEMPHONE_GATEWAY_SECRET": SECRET,
            "TEMPHONE_CALLBACK_URL": django.url,
            "TEMPHONE_SIMULATION_SPEED": str(speed),
        }
        self._django = django
        self._module = module
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **environment: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            cwd=ROOT,
            env=self._environment | environment,
            stderr=asyncio.subprocess.PIPE,
        )

    async def client(self) -> Client:
        return await client_of(self._django)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_) -> None:
        """Leave nothing behind, however the test went."""
        if self._process and self._process.returncode is None:
            await self.kill()

    async def kill(self) -> None:
        self._process.kill()
        await self._process.communicate()

    async def stop(self) -> int:
        self._process.terminate()
        await self._process.communicate()
        return self._process.returncode

    async def refusal(self) -> tuple[int, str]:
        """The exit code and what it said, of one that does not start."""
        _, errors = await asyncio.wait_for(self._process.communicate(), 20)
        return self._process.returncode, errors.decode()


def rings(folder: Path) -> Counter[str]:
    """How often each attempt rang, as the phone heard it."""
    log = folder / "phone.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(json.loads(line)["attempt_id"] for line in lines)
