"""How the gateway speaks to Django: signed HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import msgspec

from temphone.telephony.messages import decode, encode
from temphone.telephony.signing import sign

T = TypeVar("T")
TIMEOUT_S = 10.0


class Unavailable(Exception):
    """No usable answer; the same may work later."""


class Broke(Unavailable):
    """Django stumbled over the message, or is not well."""


class NotUnderstood(Exception):
    """Django cannot use this message, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A message as it goes over the wire."""

    body: bytes
    headers: Mapping[str, str]


class Callback:
    """A connection to Django."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._session = aiohttp.ClientSession(trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, path: str, message: object, kind: type[T]) -> T:
        """The answer to a message.

        Raises:
            NotUnderstood: the message is at fault.
            Broke: an error inside Django.
            Unavailable: anything else.
        """
        return await self.send(path, self.signed(message), kind)

    def signed(self, message: object) -> Signed:
        """The message, ready to be sent. Signing a large one takes milliseconds: do it in a thread."""
        body = encode(message)
        return Signed(body, sign(body, secret=self._secret))

    async def send(self, path: str, message: Signed, kind: type[T], *, timeout_s: float = TIMEOUT_S) -> T:
        """The answer to a message that is signed already; raises as ``post``."""
        status, answer = await self._exchange(path, message, timeout_s)
        if status in {400, 413, 422}:
            raise NotUnderstood(f"HTTP {status}")
        if status == 500:
            raise Broke("HTTP 500")
        if status != 200:
            raise Unavailable(f"HTTP {status}")
        try:
            return decode(answer, kind)
        except msgspec.DecodeError as error:
            raise Unavailable("an answer of the wrong shape") from error

    async def _exchange(self, path: str, message: Signed, timeout_s: float) -> tuple[int, bytes]:
        try:
            async with self._session.post(
                self._url + path,
                data=message.body,
                headers=message.headers,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as response:
                return response.status, await response.read()
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unavailable(type(error).__name__) from error
