"""Sends one message to one address: signed, guarded, bounded in time and size. No database here."""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from standardwebhooks.webhooks import Webhook

from temphone import __version__
from temphone.webhooks import guard

TIMEOUT_S = 15.0
READ_BYTES = 64 * 1024
KEPT_BYTES = 2 * 1024
GONE = 410
USER_AGENT = f"TemPhone/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes out. ``id`` and ``body`` are the same at every try."""

    id: str
    url: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Without a status code nothing did, and ``error`` says why."""

    status_code: int | None = None
    text: str = ""
    error: str = ""
    retry_after: str = ""
    duration_ms: int = 0

    @property
    def is_success(self) -> bool:
        """2xx only: a redirect is a failure too."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more of these."""
        return self.status_code == GONE

    def retry_after_from(self, now: datetime) -> timedelta:
        """How long the receiver asks to be left alone; zero when it does not."""
        if self.retry_after.isascii() and self.retry_after.isdigit():
            return timedelta(seconds=int(self.retry_after[:9]))
        try:
            return max(parsedate_to_datetime(self.retry_after).astimezone(UTC) - now, timedelta(0))
        except (ValueError, OverflowError):
            return timedelta(0)


async def send(message: Message, *, secrets: Collection[str], at: datetime) -> Answer:
    """Try once; what goes wrong on the way comes back as an answer."""
    began = time.monotonic()
    try:
        answer = await _post(message, headers(message, secrets=secrets, at=at))
    except TimeoutError:
        answer = Answer(error=f"no answer within {TIMEOUT_S:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        answer = Answer(error=str(error) or type(error).__name__)
    return replace(answer, duration_ms=round((time.monotonic() - began) * 1000))


def headers(message: Message, *, secrets: Collection[str], at: datetime) -> dict[str, str]:
    """Those of Standard Webhooks; while a secret is being changed, with a signature by each."""
    signatures = [Webhook(secret).sign(message.id, at, message.body) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "accept-encoding": "identity",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _post(message: Message, fields: dict[str, str]) -> Answer:
    url = guard.canonical(message.url)
    connector = aiohttp.TCPConnector(
        socket_factory=guard.socket_factory(url), use_dns_cache=False, force_close=True
    )
    async with (
        aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            trust_env=False,
            # A small answer could unpack to gigabytes.
            auto_decompress=False,
        ) as session,
        session.post(url, data=message.body.encode(), headers=fields, allow_redirects=False) as response,
    ):
        return Answer(
            status_code=response.status,
            text=await _beginning(response.content),
            error="redirects are not followed" if 300 <= response.status < 400 else "",
            retry_after=response.headers.get("retry-after", ""),
        )


async def _beginning(stream: aiohttp.StreamReader) -> str:
    """What is kept of an answer. The status decides, so a body that breaks off costs nothing."""
    read = bytearray()
    try:
        while chunk := await stream.read(READ_BYTES - len(read)):  # nothing when there is no room left
            read += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass
    return read[:KEPT_BYTES].decode("utf-8", "replace")
