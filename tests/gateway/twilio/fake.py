"""A fake Twilio: its REST API, its callbacks and its media streams, as published, with faults on demand.

The shapes are those of the package ``twilio`` and of Twilio's pages on calls, status callbacks and media
streams. ``rung`` is the oracle: what the phones heard, one entry a ring, per attempt.
"""

import asyncio
import base64
import html
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web

API = "/2010-04-01/Accounts"
FIELDS = {
    *("To", "From", "Twiml", "Timeout", "TimeLimit"),
    *("StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod"),
}
FINAL = ("completed", "busy", "no-answer", "failed", "canceled")
EVENTS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
# Twilio's own numbers for tests.
MAGIC = {
    "+15005550001": (21217, "Phone number does not appear to be valid"),
    "+15005550002": (21214, "'To' phone number cannot be reached"),
    "+15005550003": (21215, "Geo Permission configuration is not permitting call"),
    "+15005550004": (21216, "Account not allowed to call this number"),
}
QUIET = b"\xff" * 160
FRAME_S = 0.02


class FakeCall:
    """One call at Twilio. Tests move it on, or the fake's plan does."""

    def __init__(self, twilio: "FakeTwilio", account_sid: str, form) -> None:
        self.twilio = twilio
        self.account_sid = account_sid
        self.sid = "CA" + secrets.token_hex(16)
        self.to, self.from_ = form["To"], form["From"]
        self.timeout_s = int(form.get("Timeout", 60))
        self.time_limit_s = int(form.get("TimeLimit", 14_400))
        self.callback = form.get("StatusCallback", "")
        self.told_of = set(form.getall("StatusCallbackEvent", ["completed"]))
        self.twiml = form["Twiml"]
        self.attempt = parse_qs(urlsplit(self.callback).query).get("attempt", [""])[0]
        self.status = "queued"
        self.created_at = datetime.now(UTC)
        self.answered_at: float | None = None
        self.duration_s = 0
        self.sip_code = ""
        self.sequence = 0
        self.stream: FakeStream | None = None
        self.over = asyncio.Event()

    async def goes(self, status: str, *, sip_code: str = "") -> None:
        """It comes to this status, and Twilio tells of it."""
        if self.status in FINAL:
            return
        self.status, self.sip_code = status, sip_code
        if status in {"initiated", "ringing"} and self.sid not in self.twilio.rung_calls:
            self.twilio.rung_calls.add(self.sid)
            self.twilio.rung[self.attempt] += 1
        if status == "in-progress":
            self.answered_at = asyncio.get_running_loop().time()
        if status in FINAL:
            if self.answered_at is not None:
                self.duration_s = round(asyncio.get_running_loop().time() - self.answered_at) or 1
            self.over.set()
        event = EVENTS.get(status, "completed")
        if event in self.told_of:
            await self.twilio.tell(self, status)

    async def answers(self) -> None:
        """The callee answers: Twilio runs the markup."""
        await self.goes("in-progress")
        self.twilio.do(self._run_twiml())

    async def hangs_up(self) -> None:
        """The callee hangs up."""
        await self._end("completed")

    async def updated(self, form) -> str | None:
        """What the API was asked; returns the error, if it is one."""
        if "Status" in form:
            return await self._update_status(form["Status"])
        if self.status != "in-progress":
            return "Call is not in-progress. Cannot redirect."
        self.twiml = form["Twiml"]
        self.time_limit_s = int(form.get("TimeLimit", self.time_limit_s))
        if self.stream:
            await self.stream.stop()
        return None

    def parameters(self, status: str) -> dict[str, str]:
        """What a status callback says."""
        self.sequence += 1
        told = {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
            "CallStatus": status,
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-api",
            "Timestamp": format_datetime(datetime.now(UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self.sequence - 1),
            "CallerName": "",
        }
        if status in FINAL:
            told |= {"CallDuration": str(self.duration_s), "Duration": str(self.duration_s // 60)}
            told |= {"SipResponseCode": self.sip_code} if self.sip_code else {}
        return told

    def resource(self) -> dict[str, object]:
        """The API's form of it."""
        status = "ringing" if self.status == "initiated" else self.status
        over = self.status in FINAL
        return {
            "sid": self.sid,
            "date_created": format_datetime(self.created_at),
            "date_updated": format_datetime(datetime.now(UTC)),
            "parent_call_sid": None,
            "account_sid": self.account_sid,
            "to": self.to,
            "from": self.from_,
            "phone_number_sid": None,
            "status": status,
            "start_time": None if status == "queued" else format_datetime(self.created_at),
            "end_time": format_datetime(datetime.now(UTC)) if over else None,
            "duration": str(self.duration_s) if over else None,
            "price": None,
            "price_unit": "USD",
            "direction": "outbound-api",
            "answered_by": None,
            "api_version": "2010-04-01",
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{API}/{self.account_sid}/Calls/{self.sid}.json",
            "subresource_uris": {},
        }

    async def _update_status(self, status: str) -> str | None:
        if self.status in FINAL:
            return "Call is not in-progress. Cannot redirect."
        if status == "completed" or self.status != "in-progress":
            await self._end("completed" if self.status == "in-progress" else "canceled")
        return None

    async def _end(self, status: str) -> None:
        if self.stream:
            await self.stream.stop()
        await self.goes(status)

    async def _run_twiml(self) -> None:
        self.stream = FakeStream(self)
        await self.stream.run()
        if self.status == "in-progress" and "<Dial" not in self.twiml and not self.twilio.lingers:
            await self.goes("completed")  # the markup is at its end


class FakeStream:
    """One media stream."""

    def __init__(self, call: FakeCall) -> None:
        self.call = call
        self.sid = "MZ" + secrets.token_hex(16)
        self.url = html.unescape(re.search(r'<Stream url="([^"]*)"', call.twiml)[1])
        found = re.findall(r'<Parameter name="([^"]*)" value="([^"]*)"', call.twiml)
        self.parameters = {name: html.unescape(value) for name, value in found}
        self.heard = bytearray()  # what was played to the callee
        self.gaps_ms = 0  # silence within it, when paced
        self.away_s = 0.0  # how long a message takes, each way
        self.clears = 0
        self.refused = 0  # the status of a refused upgrade
        self.open = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._sequence = 0
        self._clock_ms = 0
        self._buffer: list[tuple[str, bytes | str]] = []  # not played yet: sound and marks
        self._speech: list[bytes] = []
        self._silent_ms = 0

    async def run(self) -> None:
        twilio = self.call.twilio
        headers = {"x-twilio-signature": twilio.signature(self.call.account_sid, self.url, {})}
        try:
            async with twilio.session.ws_connect(twilio.reached(self.url), headers=headers) as socket:
                self._socket = socket
                await self._carry(socket)
        except aiohttp.WSServerHandshakeError as error:
            self.refused = error.status
        except aiohttp.ClientConnectorError:
            self.refused = -1

    async def _carry(self, socket) -> None:
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self.send({"event": "start", "start": self._opening(), **self._numbered()})
        self.open.set()
        pacing = asyncio.create_task(self._pace()) if self.call.twilio.paced else None
        try:
            async for message in socket:
                await self._later(self._take(json.loads(message.data)))
        finally:
            if pacing:
                pacing.cancel()

    def _opening(self) -> dict[str, object]:
        return {
            "streamSid": self.sid,
            "accountSid": self.call.account_sid,
            "callSid": self.call.sid,
            "tracks": ["inbound"],
            "customParameters": self.parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }

    def _numbered(self) -> dict[str, str]:
        self._sequence += 1
        return {"sequenceNumber": str(self._sequence), "streamSid": self.sid}

    async def send(self, message: dict[str, object] | str) -> None:
        if not self._socket.closed:
            await self._socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def media(self, coded: bytes = QUIET, *, skip_ms: int = 0) -> None:
        """One message of sound, after a gap in the time stamps."""
        self._clock_ms += skip_ms
        media = {
            "track": "inbound",
            "chunk": str(self._sequence),
            "timestamp": str(self._clock_ms),
            "payload": base64.b64encode(coded).decode(),
        }
        self._clock_ms += len(coded) // 8
        await self.send({"event": "media", "media": media, **self._numbered()})

    def says(self, coded: bytes) -> None:
        """The callee speaks, when paced."""
        self._speech += [coded[start : start + 160] for start in range(0, len(coded), 160)]

    async def presses(self, digit: str) -> None:
        dtmf = {"track": "inbound_track", "digit": digit}
        await self.send({"event": "dtmf", "dtmf": dtmf, **self._numbered()})

    async def stop(self) -> None:
        if self._socket and not self._socket.closed:
            stop = {"accountSid": self.call.account_sid, "callSid": self.call.sid}
            await self.send({"event": "stop", "stop": stop, **self._numbered()})
            await self._socket.close()

    async def drops(self) -> None:
        """The connection breaks; Twilio still has the call."""
        self._socket._response.connection.transport.abort()

    async def _take(self, message: dict) -> None:
        if message.get("streamSid") != self.sid:
            self.call.twilio.complaints.append("a message for another stream")
        match message["event"]:
            case "media":
                await self._play("sound", base64.b64decode(message["media"]["payload"], validate=True))
            case "mark":
                await self._play("mark", message["mark"]["name"])
            case "clear":
                self.clears += 1
                marks = [name for kind, name in self._buffer if kind == "mark"]
                self._buffer.clear()
                for name in marks:
                    await self._return(name)
            case _:
                self.call.twilio.complaints.append(f"31924: {message['event']}")

    async def _play(self, kind: str, what: bytes | str) -> None:
        if self.call.twilio.paced or not self.call.twilio.plays:
            self._buffer.append((kind, what))
        elif kind == "sound":
            self.heard += what
        else:
            await self._return(what)

    async def _later(self, work: Coroutine[None, None, None]) -> None:
        """At once, or in their turn after the time that messages take."""
        if not self.away_s:
            return await work
        loop = asyncio.get_running_loop()
        loop.call_later(self.away_s, lambda: self.call.twilio.do(work))
        return None

    async def _return(self, name: str) -> None:
        await self._later(self.send({"event": "mark", "mark": {"name": name}, **self._numbered()}))

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.media(self._speech.pop(0) if self._speech else QUIET)
            await self._play_on(160)
            due += FRAME_S
            await asyncio.sleep(max(0, due - loop.time()))

    async def _play_on(self, bytes_: int) -> None:
        if not any(kind == "sound" for kind, _ in self._buffer):
            self._silent_ms += round(FRAME_S * 1000) if self.heard else 0
        else:
            self.gaps_ms, self._silent_ms = self.gaps_ms + self._silent_ms, 0
        while self._buffer and (bytes_ or self._buffer[0][0] == "mark"):
            kind, what = self._buffer.pop(0)
            if kind == "mark":
                await self._return(what)
                continue
            self.heard += what[:bytes_]
            if rest := what[bytes_:]:
                self._buffer.insert(0, (kind, rest))
            bytes_ -= min(bytes_, len(what))


class FakeTwilio:
    """Twilio, at ``url``. ``public`` says where a public address is really reached."""

    def __init__(self, accounts: dict[str, str]) -> None:
        """``accounts``: auth token by SID."""
        self.accounts = accounts
        self.calls: dict[str, FakeCall] = {}
        self.created: Counter[str] = Counter()  # calls, by attempt
        self.rung: Counter[str] = Counter()  # phones that rang, by attempt
        self.rung_calls: set[str] = set()
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # what came to the API
        self.complaints: list[str] = []
        self.told: list[tuple[str, str, int]] = []  # callbacks: attempt, status, the answer's HTTP status
        self.plan: Callable[[FakeCall], object] | None = None  # what a new call does by itself
        self.fault: Callable[[str, dict[str, str]], str | None] = lambda *_: None
        self.callbacks = "once"  # or: twice, reordered, lost
        self.paced = True
        self.lingers = False  # whether a call stays up when its media break off
        self.plays = True  # when not paced: whether marks come back
        self.account_status = "active"
        self.public: dict[str, str] = {}
        self.url = ""
        self._held: list[tuple[FakeCall, dict[str, str]]] = []
        self._tasks: set[asyncio.Task] = set()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get(API + "/{account}.json", self._account)
        app.router.add_post(API + "/{account}/Calls.json", self._create)
        app.router.add_get(API + "/{account}/Calls.json", self._list)
        app.router.add_get(API + "/{account}/Calls/{sid}.json", self._fetch)
        app.router.add_post(API + "/{account}/Calls/{sid}.json", self._update)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://127.0.0.1:{1}".format(*self._runner.addresses[0])
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()
        await self._runner.cleanup()

    def do(self, work) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def reached(self, url: str) -> str:
        """Where this public address is in the test."""
        for public, real in self.public.items():
            host = public.removeprefix("https")
            if url.removeprefix("https").removeprefix("wss").startswith(host):
                return real + url.removeprefix("https").removeprefix("wss").removeprefix(host)
        raise AssertionError(f"Twilio cannot reach {url}")

    def signature(self, account_sid: str, url: str, parameters: dict[str, str]) -> str:
        from twilio.request_validator import RequestValidator  # of the voice installation

        return RequestValidator(self.accounts[account_sid]).compute_signature(url, parameters)

    def call(self, attempt: str) -> FakeCall:
        """The one call of this attempt."""
        (call,) = (call for call in self.calls.values() if call.attempt == attempt)
        return call

    async def tell(self, call: FakeCall, status: str) -> None:
        """A status callback, or what becomes of it."""
        parameters = call.parameters(status)
        if self.callbacks == "lost":
            return
        if self.callbacks == "reordered":
            self._held.append((call, parameters))
            if status in FINAL:
                held, self._held = self._held, []
                for one, told in reversed(held):
                    await self.post(one, told)
            return
        for _ in range(2 if self.callbacks == "twice" else 1):
            await self.post(call, parameters)

    async def post(self, call: FakeCall, parameters: dict[str, str], *, signature: str | None = None) -> int:
        """Deliver a callback; returns the answer's status, -1 when nobody answers."""
        signed = signature or self.signature(call.account_sid, call.callback, parameters)
        try:
            async with self.session.post(
                self.reached(call.callback), data=parameters, headers={"X-Twilio-Signature": signed}
            ) as response:
                answer = response.status
        except aiohttp.ClientError:
            answer = -1
        self.told.append((call.attempt, parameters["CallStatus"], answer))
        return answer

    async def _account(self, request: web.Request) -> web.Response:
        if fault := await self._faulty(request, {}):
            return fault
        return web.json_response({"sid": request.match_info["account"], "status": self.account_status})

    async def _create(self, request: web.Request) -> web.Response:
        form = await request.post()
        kind = self._kind(request)
        if fault := self._early(request, form):
            return fault
        fault = self.fault(kind, dict(form))
        if fault in {"429", "401", "500 before"}:
            return _error(int(fault[:3]), {"429": 20429, "401": 20003}.get(fault, 20500), fault)
        if form["To"] in MAGIC:
            code, message = MAGIC[form["To"]]
            return _error(400, code, message)
        call = FakeCall(self, request.match_info["account"], form)
        self.calls[call.sid] = call
        self.created[call.attempt] += 1
        if self.plan:
            self.do(self.plan(call))
        return await self._late(request, fault) or web.json_response(call.resource(), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        if fault := await self._faulty(request, {}):
            return fault
        query, account = request.query, request.match_info["account"]
        found = [
            call.resource()
            for call in reversed(self.calls.values())
            if call.account_sid == account
            and call.to == query.get("To", call.to)
            and call.from_ == query.get("From", call.from_)
        ]
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        more = len(found) > (page + 1) * size
        after = urlencode({**query, "Page": page + 1, "PageToken": f"PA{page}"})
        return web.json_response(
            {
                "calls": found[page * size : (page + 1) * size],
                "page": page,
                "page_size": size,
                "uri": request.path_qs,
                "first_page_uri": request.path_qs,
                "next_page_uri": f"{request.path}?{after}" if more else None,
                "previous_page_uri": None,
                "start": page * size,
                "end": page * size + size,
            }
        )

    async def _fetch(self, request: web.Request) -> web.Response:
        if fault := await self._faulty(request, {}):
            return fault
        return web.json_response(self.calls[request.match_info["sid"]].resource())

    async def _update(self, request: web.Request) -> web.Response:
        form = await request.post()
        if fault := await self._faulty(request, dict(form)):
            return fault
        call = self.calls[request.match_info["sid"]]
        if error := await call.updated(form):
            return _error(400, 21220, error)
        return web.json_response(call.resource())

    async def _faulty(self, request: web.Request, form: dict[str, str]) -> web.Response | None:
        """For what is asked beside creates: refused, or the fault asked for, before anything is done."""
        if fault := self._early(request, form):
            return fault
        fault = self.fault(self._kind(request), form)
        if fault in {"429", "401", "500 before"}:
            return _error(int(fault[:3]), {"429": 20429, "401": 20003}.get(fault, 20500), fault)
        return await self._late(request, fault)

    def _early(self, request: web.Request, form) -> web.Response | None:
        self.asked.append((self._kind(request), request.path, dict(form)))
        account = request.match_info["account"]
        expected = aiohttp.encode_basic_auth(account, self.accounts.get(account, secrets.token_hex(8)))
        if request.headers.get("Authorization") != expected:
            return _error(401, 20003, "Authenticate")
        sid = request.match_info.get("sid")
        if sid and (sid not in self.calls or self.calls[sid].account_sid != account):
            return _error(404, 20404, "The requested resource was not found")
        if self._kind(request) == "create" and (wrong := _wrong_with(form)):
            self.complaints.append(wrong)
            return _error(400, 21205, wrong)
        return None

    async def _late(self, request: web.Request, fault: str | None) -> web.Response | None:
        """A fault after it was done."""
        if fault == "500 after":
            return _error(500, 20500, "An internal server error has occurred")
        if fault == "reset":
            request.transport.abort()
        if fault == "no json":
            return web.Response(status=201, text="<html>")
        if fault and fault.startswith("slow "):
            await asyncio.sleep(float(fault[5:]))
        return None

    @staticmethod
    def _kind(request: web.Request) -> str:
        if not request.path.partition("/Calls")[1]:
            return "account"
        if "sid" in request.match_info:
            return "update" if request.method == "POST" else "fetch"
        return "create" if request.method == "POST" else "list"


def _wrong_with(form) -> str:
    """What Twilio would object to in a create."""
    stream = re.search(r'<Stream url="([^"]*)"', form.get("Twiml", ""))
    told_of = set(form.getall("StatusCallbackEvent", []))
    objections = {
        "unknown fields": set(form) - FIELDS,
        "no number to call": not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")),
        "no number to show": "From" not in form,
        "Url is not a valid URL": not form.get("StatusCallback", "").startswith("https://"),
        "no such event": told_of - {"initiated", "ringing", "answered", "completed"},
        "31922: only wss, without a query": not stream or not re.fullmatch(r"wss://[^?]+", stream[1]),
        "a limit is out of range": not 1 <= int(form.get("Timeout", 60)) <= 600
        or not 1 <= int(form.get("TimeLimit", 60)) <= 14_400,
    }
    return ", ".join(objection for objection, holds in objections.items() if holds)


def _error(status: int, code: int, message: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response(
        {"code": code, "message": message, "more_info": more, "status": status}, status=status
    )


# Plans.


async def answers(call: FakeCall) -> None:
    await call.goes("initiated")
    await call.goes("ringing")
    await call.answers()


async def rings(call: FakeCall) -> None:
    await call.goes("initiated")
    await call.goes("ringing")


def fails(status: str, sip_code: str = ""):
    async def plan(call: FakeCall) -> None:
        await call.goes("initiated")
        await call.goes("ringing")
        await call.goes(status, sip_code=sip_code)

    return plan
