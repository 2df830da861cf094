"""The gateway's side of the wire: what Django asks of it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from temphone.gateway.speech.ports import SpeechFailed, Voice
from temphone.gateway.switchboard import Switchboard
from temphone.gateway.talking import Talks
from temphone.gateway.writer import LedgerUnavailable
from temphone.telephony.messages import Dial, Done, Find, Found, HangUp, Speak, Spoken, decode, encode
from temphone.telephony.signing import CONTENT_TYPE, BadSignature, SignedRequest, verify

MAX_BODY = 8 * 1024 * 1024

M = TypeVar("M", Dial, HangUp, Find, Speak)
Handler = Callable[[web.Request], Awaitable[web.Response]]


def application(switchboard: Switchboard, talks: Talks, *, ledger: str, secret: str) -> web.Application:
    """The web application. 401: not signed by Django; 400: wrong shape; 409: meant for another ledger."""

    async def dial(message: Dial) -> object:
        return await switchboard.dial(message.requests)

    async def hang_up(message: HangUp) -> object:
        await switchboard.hang_up(message.attempt_id)
        return Done()

    async def find(message: Find) -> object:
        return Found(sighting=await switchboard.find(message.attempt_id))

    async def speak(message: Speak) -> object:
        try:
            voice = Voice(name=message.voice, language=message.language)
            return Spoken(wav=await talks.speak(message.texts, voice))
        except SpeechFailed as failure:
            return Spoken(problem=str(failure))

    def door(kind: type[M], act: Callable[[M], Awaitable[object]]) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            message = await _read(request, kind, secret)
            if message.ledger != ledger:
                raise web.HTTPConflict(text="This is another ledger.")
            return await _answer(act(message))

        return handle

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/dial", door(Dial, dial))
    app.router.add_post("/hang-up", door(HangUp, hang_up))
    app.router.add_post("/find", door(Find, find))
    app.router.add_post("/speak", door(Speak, speak))
    app.router.add_get("/healthz", _healthz)
    return app


async def _read(request: web.Request, kind: type[M], secret: str) -> M:
    body = await request.read()
    try:
        verify(SignedRequest(headers=request.headers, body=body), secret=secret)
        return decode(body, kind)
    except BadSignature as error:
        raise web.HTTPUnauthorized(text="Not signed with our secret.") from error
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text="Not the message that belongs here.") from error


async def _answer(acting: Awaitable[object]) -> web.Response:
    try:
        answer = await acting
    except LedgerUnavailable as error:
        raise web.HTTPServiceUnavailable(text="The ledger cannot be written.") from error
    return web.Response(body=encode(answer), content_type=CONTENT_TYPE)


async def _healthz(_: web.Request) -> web.Response:
    return web.Response(text="ok")
