"""Our own gateway as a carrier: signed HTTP, one request for a whole batch of dials, no retries."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO

import aiohttp
import msgspec

from temphone.telephony.messages import (
    Dial,
    Dialed,
    DialRequest,
    DialResult,
    Done,
    Find,
    Found,
    GatewayRef,
    HangUp,
    LegRef,
    Placed,
    Refused,
    Sighting,
    Speak,
    Spoken,
    Unsure,
    decode,
    encode,
)
from temphone.telephony.port import Speechless, Unreachable
from temphone.telephony.signing import SignedRequest, sign, verify

TIMEOUT_S = 5.0
SPEAK_S = 60.0  # whoever asks gives up before
MOST_BYTES = 4_000_000  # of the scripts in a request; a gateway takes 8 MiB, and one script at most 6 MB


class NotSent(Exception):
    """The request surely did not reach a gateway that would act on it."""


class Unknown(Exception):
    """Perhaps the gateway acted on the request."""


class GatewayCarrier:
    """Carries calls over the gateways that the requests name."""

    def __init__(self, *, secret: str, timeout_s: float = TIMEOUT_S) -> None:
        self._secret = secret
        self._timeout_s = timeout_s

    async def dial(self, requests: Sequence[DialRequest], /) -> Sequence[DialResult]:
        """See the port."""
        batches: dict[GatewayRef, list[DialRequest]] = defaultdict(list)
        for request in requests:
            if request.gateway is None:
                raise ValueError(f"Attempt {request.attempt_id} names no gateway.")
            batches[request.gateway].append(request)
        sent = [(ref, part) for ref, batch in batches.items() for part in _parts(batch)]
        answers = await asyncio.gather(*(self._dial(ref, part) for ref, part in sent))
        results = {result.attempt_id: result for answer in answers for result in answer}
        return [results[request.attempt_id] for request in requests]

    async def hang_up(self, leg: LegRef, /) -> None:
        """See the port."""
        gateway = _gateway_of(leg)
        try:
            body = encode(HangUp(ledger=gateway.ledger, attempt_id=leg.attempt_id))
            decode(await self._post(gateway, "/hang-up", body), Done)
        except (NotSent, Unknown, msgspec.DecodeError) as error:
            raise Unreachable(str(error)) from error

    async def find(self, leg: LegRef, /) -> Sighting:
        """See the port."""
        gateway = _gateway_of(leg)
        try:
            body = encode(Find(ledger=gateway.ledger, attempt_id=leg.attempt_id))
            return decode(await self._post(gateway, "/find", body), Found).sighting
        except (NotSent, Unknown, msgspec.DecodeError):
            return Sighting.UNREACHABLE

    async def speak(
        self, gateway: GatewayRef, texts: Sequence[str], /, *, language: str, voice: str
    ) -> bytes:
        """See the port."""
        body = encode(Speak(ledger=gateway.ledger, texts=texts, language=language, voice=voice))
        try:
            spoken = decode(await self._post(gateway, "/speak", body, SPEAK_S), Spoken)
        except (NotSent, Unknown, msgspec.DecodeError) as error:
            raise Unreachable(str(error)) from error
        if spoken.problem:
            raise Speechless(spoken.problem)
        return spoken.wav

    def verify(self, request: SignedRequest, /) -> None:
        """See the port."""
        verify(request, secret=self._secret)

    async def _dial(self, gateway: GatewayRef, requests: Sequence[DialRequest]) -> list[DialResult]:
        ids = [request.attempt_id for request in requests]
        try:
            answer = await self._post(
                gateway, "/dial", encode(Dial(ledger=gateway.ledger, requests=requests))
            )
            dialed = decode(answer, Dialed)
        except NotSent as error:
            return [Refused(attempt_id=id_, cause=str(error), retry=True) for id_ in ids]
        except (Unknown, msgspec.DecodeError) as error:
            return [Unsure(attempt_id=id_, cause=str(error)) for id_ in ids]
        known: dict[str, DialResult] = {id_: Placed(attempt_id=id_) for id_ in dialed.placed}
        known |= {refused.attempt_id: refused for refused in dialed.refused}
        return [known.get(id_) or Unsure(attempt_id=id_, cause="not in the answer") for id_ in ids]

    async def _post(
        self, gateway: GatewayRef, path: str, body: bytes, timeout_s: float | None = None
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(total=timeout_s or self._timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(
                    gateway.url + path,
                    data=BytesIO(body),  # bytes over 1 MB would be warned of
                    headers=sign(body, secret=self._secret),
                    allow_redirects=False,
                ) as response,
            ):
                answer = await response.read()
                status = response.status
        except aiohttp.ClientConnectorError as error:
            raise NotSent("gateway unreachable") from error
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unknown(type(error).__name__) from error
        if 400 <= status < 500:
            # The gateway refuses before it acts: a wrong ledger, signature or shape.
            raise NotSent(f"gateway answered {status}")
        if status != 200:
            raise Unknown(f"gateway answered {status}")
        return answer


def _parts(requests: Sequence[DialRequest]) -> Iterator[list[DialRequest]]:
    """The requests, in parts that a gateway takes: what it refused would be claimed anew, and refused."""
    part: list[DialRequest] = []
    size = 0
    for request in requests:
        more = len(encode(request))
        if part and size + more > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(request)
        size += more
    yield part


def _gateway_of(leg: LegRef) -> GatewayRef:
    if leg.gateway is None:
        raise ValueError(f"Attempt {leg.attempt_id} names no gateway.")
    return leg.gateway
