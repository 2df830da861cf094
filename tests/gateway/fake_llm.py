"""A small server that speaks OpenAI's chat completions, and does what a test tells it to."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Self

from aiohttp import web

HANG = object()  # nothing more comes
BREAK = object()  # the connection ends here

Piece = dict[str, Any] | bytes | object


def piece(**delta: object) -> dict[str, Any]:
    """One event of a stream."""
    return {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}


def says(text: str, size: int = 7) -> list[Piece]:
    """The text in small pieces."""
    return [piece(content=text[start : start + size]) for start in range(0, len(text), size)]


def does(name: str, arguments: object = None, *, index: int | None = 0, id_: str = "call_1") -> list[Piece]:
    """A call of a tool, its arguments in pieces of three characters."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    first = {"index": index, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": text[at : at + 3]}} for at in range(0, len(text), 3)]
    return [piece(tool_calls=[fragment]) for fragment in (first, *rest)]


class FakeLLM:
    """Answers request after request as told; what is asked for beyond that is answered by silence."""

    def __init__(self) -> None:
        self.replies: list[Iterable[Piece] | int | Callable[[], Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.left = 0  # streams whose reader went away before their end
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://127.0.0.1:{1}/v1".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_) -> None:
        await self._runner.cleanup()

    def will(self, *replies: Iterable[Piece] | int) -> None:
        self.replies += replies

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("Authorization", ""))
        reply = self.replies.pop(0) if self.replies else []
        if isinstance(reply, int):
            return web.json_response({"error": {"message": "no"}}, status=reply)
        if isinstance(reply, str):
            message = {"role": "assistant", "content": reply}
            return web.json_response({"id": "c", "choices": [{"index": 0, "message": message}]})
        return await self._stream(request, reply)

    async def _stream(self, request: web.Request, pieces: Iterable[Piece]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            for one in pieces:
                if one is HANG:
                    await asyncio.sleep(60)
                if one is BREAK:
                    request.transport.abort()
                    return response
                data = one if isinstance(one, bytes) else json.dumps(one).encode()
                await response.write(b"data: " + data + b"\n\n")
                await asyncio.sleep(0)
            await response.write(b"data: [DONE]\n\n")
        except (ConnectionError, asyncio.CancelledError):
            self.left += 1
            raise
        return response
