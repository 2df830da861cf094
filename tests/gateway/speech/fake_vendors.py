"""Small servers that speak the vendors' published interfaces, on this machine."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

from aiohttp import web

KEY = "key-of-the-tests"


class Vendor:
    """A server; what it was asked, and what it is to answer."""

    def __init__(self):
        self.asked = []
        self.headers = []
        self.status = 200
        self.pieces = []
        self.hears = ""
        self.hangs = False
        self.breaks_off = False

    async def take(self, request, read):
        """Note the request; the answer to one that is refused, or None."""
        self.asked.append(read)
        self.headers.append(request.headers)
        if self.hangs:
            await asyncio.sleep(3600)
        if self.status != 200:
            return web.json_response({"error": {"message": "a quoted text"}}, status=self.status)
        return None

    async def stream(self, request, pieces):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
            await asyncio.sleep(0.01)
        if self.breaks_off:
            request.transport.abort()
        return answer

    async def raw(self, request):
        """OpenAI, Deepgram, Cartesia: the bytes of the sound."""
        refused = await self.take(request, {**await request.json(), **request.query})
        return refused or await self.stream(request, self.pieces)

    async def elevenlabs(self, request):
        """A JSON object a line."""
        voice = {"voice": request.match_info["voice"]}
        refused = await self.take(request, {**await request.json(), **request.query, **voice})
        lines = (
            json.dumps({"audio_base64": base64.b64encode(piece).decode(), "alignment": ALIGNMENT}) + "\n"
            for piece in self.pieces
        )
        return refused or await self.stream(request, (line.encode() for line in lines))

    async def transcribe(self, request):
        """OpenAI and ElevenLabs: a form with a recording."""
        form = await request.post()
        fields = {name: value for name, value in form.items() if name != "file"}
        with form["file"].file as file:
            refused = await self.take(request, fields | {"recording": file.read()})
        return refused or web.json_response({"text": self.hears, "language_code": "eng"})

    async def listen(self, request):
        """Deepgram: the recording alone, and what else it is to know in the address."""
        refused = await self.take(request, {**request.query, "recording": await request.read()})
        return refused or web.json_response(deepgram_answer(self.hears))


def deepgram_answer(transcript):
    """Source: Deepgram's reference of POST /v1/listen."""
    metadata = {
        "request_id": "f1f1f1f1-0000-4000-8000-000000000000",
        "sha256": "0" * 64,
        "created": "2026-03-15T12:00:00.000Z",
        "duration": 1.0,
        "channels": 1,
        "models": ["m"],
        "model_info": {"m": {"name": "general-nova-3", "version": "1", "arch": "nova-3"}},
    }
    alternative = {"transcript": transcript, "confidence": 0.99, "words": []}
    return {"metadata": metadata, "results": {"channels": [{"alternatives": [alternative]}]}}


ALIGNMENT = {
    "characters": list("Hello "),
    "character_start_times_seconds": [0, 0.1, 0.2, 0.3, 0.4, 0.5],
    "character_end_times_seconds": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
}


@asynccontextmanager
async def running(vendor):
    """The server's address."""
    app = web.Application()
    app.router.add_post("/audio/speech", vendor.raw)
    app.router.add_post("/v1/speak", vendor.raw)
    app.router.add_post("/tts/bytes", vendor.raw)
    app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", vendor.elevenlabs)
    app.router.add_post("/audio/transcriptions", vendor.transcribe)
    app.router.add_post("/v1/speech-to-text", vendor.transcribe)
    app.router.add_post("/v1/listen", vendor.listen)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
