"""A SIP peer of our own, for what sipp cannot do: it counts, races, and sends and keeps sound exactly."""

import asyncio
import re
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.gateway.sip.sounds import from_ulaw, to_ulaw

FRAME = 160  # bytes of G.711 in 20 ms
Send = Callable[[str], None]


@dataclass
class Message:
    """A request or an answer, taken apart."""

    first: str
    headers: dict[str, str]
    body: str

    @property
    def method(self) -> str:
        return self.first.split()[0]

    @property
    def call_id(self) -> str:
        return self.headers["call-id"]

    @property
    def attempt(self) -> str:
        return self.headers.get("x-temphone-attempt", "")


def parse(text: str) -> Message:
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return Message(first, headers, body)


@dataclass
class Manners:
    """What the peer does with a call; times are in seconds after what comes before."""

    rings_after: float | None = 0.0  # None: never
    answers_after: float | None = 0.05  # None: never
    ends_after: float | None = None
    early: str = ""  # 183 with sound instead of 180
    status: str = ""  # refuse it so, after ringing
    cancel: str = "487"  # or 200: answered as the CANCEL came
    refer: tuple[str, ...] = ("202 Accepted",)  # the answer, then what NOTIFY tells
    bye_after_refer: bool = False
    says: bytes = b""  # PCM, from the answer on
    silent: bool = False  # sends no packet at all
    mute: bool = False  # never says a word


@dataclass
class Dialog:
    """One call at the peer."""

    invite: Message
    send: Send
    rtp: "Rtp"
    tag: str
    answered: bool = False
    over: bool = False
    cseq: int = 100
    tasks: list[asyncio.Task] = field(default_factory=list)


class Rtp(asyncio.DatagramProtocol):
    """One stream of sound, both ways."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes]] = []  # timestamp, G.711
        self.events: list[int] = []  # telephone-events, each once
        self.arrivals: list[float] = []
        self._seen: set[int] = set()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport) -> None:
        self.transport = transport

    @property
    def port(self) -> int:
        return self.transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, _addr) -> None:
        kind, timestamp = data[1] & 0x7F, int.from_bytes(data[4:8], "big")
        if kind == 0:
            self.heard.append((timestamp, data[12:]))
            self.arrivals.append(asyncio.get_running_loop().time())
        elif kind == 101 and timestamp not in self._seen:
            self._seen.add(timestamp)
            self.events.append(data[12])

    @property
    def sound(self) -> bytes:
        return from_ulaw(b"".join(payload for _, payload in self.heard))

    async def say(self, pcm: bytes, to: tuple[str, int]) -> None:
        loop, coded, due = asyncio.get_running_loop(), to_ulaw(pcm), asyncio.get_running_loop().time()
        for number, at in enumerate(range(0, len(coded), FRAME)):
            head = bytes([0x80, 0x00]) + number.to_bytes(2, "big") + (number * FRAME).to_bytes(4, "big")
            self.transport.sendto(head + b"peer" + coded[at : at + FRAME], to)
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def press(self, digit: int, to: tuple[str, int], timestamp: int) -> None:
        for number, end in enumerate((False, False, True, True, True)):
            duration = (number + 1) * FRAME
            event = bytes([digit, 0x8A if end else 0x0A]) + duration.to_bytes(2, "big")
            mark = 0xE5 if number == 0 else 0x65
            head = bytes([0x80, mark]) + (9000 + timestamp + number & 0xFFFF).to_bytes(2, "big")
            self.transport.sendto(head + timestamp.to_bytes(4, "big") + b"peer" + event, to)


class Uas(asyncio.DatagramProtocol):
    """Listens on UDP and TCP (or TLS) at one port of 127.0.0.1."""

    def __init__(self, manners: Manners | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.manners = manners or Manners()
        self.requests: list[Message] = []
        self.dialogs: dict[str, Dialog] = {}
        self.calls_of: dict[str, set[str]] = defaultdict(set)  # the calls of each attempt
        self.answers = Counter()
        self.users: dict[str, str] = {}
        self.tasks: list[asyncio.Task] = []
        self._streams: list[Rtp] = []
        self._tls = tls
        self._sent: dict[tuple[str, str], str] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(self, *_) -> None:
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=0.2)
        for dialog in self.dialogs.values():
            for task in dialog.tasks:
                task.cancel()
        for rtp in self._streams:
            rtp.transport.close()
        self._transport.close()
        self._server.close()
        await asyncio.sleep(0)

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.requests)

    def datagram_received(self, data, addr) -> None:
        self._take(data.decode(), lambda text: self._transport.sendto(text.encode(), addr))

    async def _connected(self, reader, writer) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                size = re.search(r"(?im)^content-length:\s*(\d+)", head)
                body = await reader.readexactly(int(size[1]) if size else 0)
                self._take(head.lstrip() + body.decode(), lambda text: writer.write(text.encode()))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _take(self, text: str, send: Send) -> None:
        if not text.strip():
            return
        message = parse(text)
        if message.first.startswith("SIP/2.0"):
            answer = f"{message.first.split()[1]} {message.headers['cseq'].split()[1]}"
            self.answers[answer] += 1
            if answer == "200 INVITE":
                self.ask(self.dialogs[message.call_id], "ACK")
            return
        transaction = message.method, message.headers["via"]
        if transaction in self._sent:
            send(self._sent[transaction])
            return
        self._sent[transaction] = ""
        self.requests.append(message)
        handler = getattr(self, f"_{message.method.lower()}", None)
        if handler:
            handler(message, send)

    def _reply(self, request: Message, send: Send, status: str, *, tag: str = "", more: str = "") -> None:
        body = more if more.startswith("v=0") else ""
        to = request.headers["to"] + (f";tag={tag}" if tag and "tag=" not in request.headers["to"] else "")
        text = (
            f"SIP/2.0 {status}\r\nVia: {request.headers['via']}\r\nFrom: {request.headers['from']}\r\n"
            f"To: {to}\r\nCall-ID: {request.call_id}\r\nCSeq: {request.headers['cseq']}\r\n"
            f"Contact: <sip:peer@127.0.0.1:{self.port}>\r\n"
            + ("Content-Type: application/sdp\r\n" if body else more)
            + f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._sent[request.method, request.headers["via"]] = text
        send(text)

    def _invite(self, request: Message, send: Send) -> None:
        self.calls_of[request.attempt].add(request.call_id)
        if not self.manners.mute:
            self.tasks.append(asyncio.ensure_future(self._carry(request, send)))

    async def _carry(self, request: Message, send: Send) -> None:
        loop, manners = asyncio.get_running_loop(), self.manners
        _, rtp = await loop.create_datagram_endpoint(Rtp, local_addr=("127.0.0.1", 0))
        self._streams.append(rtp)
        dialog = self.dialogs[request.call_id] = Dialog(request, send, rtp, tag=f"t{len(self.dialogs)}")
        dialog.tasks.append(asyncio.current_task())
        if manners.rings_after is not None:
            await asyncio.sleep(manners.rings_after)
            early = manners.early
            self._reply(
                request, send, early or "180 Ringing", tag=dialog.tag, more=self.sdp(rtp) if early else ""
            )
            if early and manners.says:
                dialog.tasks.append(asyncio.ensure_future(rtp.say(manners.says, rtp_of(request))))
        if manners.status:
            self._reply(request, send, manners.status, tag=dialog.tag)
            return
        if manners.answers_after is None:
            return
        await asyncio.sleep(manners.answers_after)
        if not dialog.over:
            self._answer(dialog)

    def _answer(self, dialog: Dialog) -> None:
        dialog.answered = True
        self._reply(dialog.invite, dialog.send, "200 OK", tag=dialog.tag, more=self.sdp(dialog.rtp))

    def _ack(self, request: Message, _send: Send) -> None:
        dialog = self.dialogs.get(request.call_id)
        if dialog is None or not dialog.answered or dialog.over:
            return
        to = rtp_of(dialog.invite)
        if self.manners.says and not self.manners.silent and not self.manners.early:
            dialog.tasks.append(asyncio.ensure_future(dialog.rtp.say(self.manners.says, to)))
        if self.manners.ends_after is not None:
            dialog.tasks.append(asyncio.ensure_future(self._end_after(dialog, self.manners.ends_after)))

    async def _end_after(self, dialog: Dialog, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.ask(dialog, "BYE")

    def ask(self, dialog: Dialog, method: str, more: str = "", body: str = "") -> None:
        """Send a request within the call."""
        dialog.cseq += method != "ACK"
        dialog.over = dialog.over or method == "BYE"
        invite = dialog.invite
        uri = re.search(r"<(.+?)>", invite.headers["contact"])[1]
        dialog.send(
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKp{dialog.tag}{dialog.cseq};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {invite.headers['to']};tag={dialog.tag}\r\n"
            f"To: {invite.headers['from']}\r\nCall-ID: {invite.call_id}\r\n"
            f"CSeq: {dialog.cseq} {method}\r\nContact: <sip:peer@127.0.0.1:{self.port}>\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _cancel(self, request: Message, send: Send) -> None:
        dialog = self.dialogs.get(request.call_id)
        self._reply(request, send, "200 OK")
        if dialog is None or dialog.answered:
            return
        if self.manners.cancel == "200":
            self._answer(dialog)
        else:
            dialog.over = True
            self._reply(dialog.invite, send, "487 Request Terminated", tag=dialog.tag)

    def _bye(self, request: Message, send: Send) -> None:
        if dialog := self.dialogs.get(request.call_id):
            dialog.over = True
        self._reply(request, send, "200 OK")

    def _notify(self, request: Message, send: Send) -> None:
        self._reply(request, send, "200 OK")

    def _options(self, request: Message, send: Send) -> None:
        self._reply(request, send, "200 OK", tag="o")

    def _refer(self, request: Message, send: Send) -> None:
        status, *told = self.manners.refer
        self._reply(request, send, status)
        dialog = self.dialogs[request.call_id]
        for line in told:
            end = "terminated;reason=noresource" if not line.startswith("1") else "active;expires=60"
            self.ask(
                dialog,
                "NOTIFY",
                f"Event: refer\r\nSubscription-State: {end}\r\nContent-Type: message/sipfrag\r\n",
                f"SIP/2.0 {line}\r\n",
            )
        if self.manners.bye_after_refer:
            self.ask(dialog, "BYE")

    def _register(self, request: Message, send: Send) -> None:
        if not self.users:
            self._reply(request, send, "200 OK", tag="r", more=_contact(request))
        elif "authorization" not in request.headers:
            challenge = 'WWW-Authenticate: Digest realm="t", nonce="n1", algorithm=MD5\r\n'
            self._reply(request, send, "401 Unauthorized", tag="r", more=challenge)
        elif _is_right(request, self.users):
            self._reply(request, send, "200 OK", tag="r", more=_contact(request))
        else:
            self._reply(request, send, "403 Forbidden", tag="r")

    def sdp(self, rtp: Rtp) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {rtp.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        )


def rtp_of(invite: Message) -> tuple[str, int]:
    return "127.0.0.1", int(re.search(r"m=audio (\d+)", invite.body)[1])


def _contact(request: Message) -> str:
    return f"Contact: {request.headers['contact']}\r\n"


def _is_right(request: Message, users: dict[str, str]) -> bool:
    """Whether the digest was made with the password; RFC 2617 without qop."""
    from hashlib import md5

    def digest(text: str) -> str:
        return md5(text.encode(), usedforsecurity=False).hexdigest()

    given = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers["authorization"]))
    user = given["username"]
    secret = digest(f"{user}:{given['realm']}:{users.get(user)}")
    asked = digest(f"{request.method}:{given['uri']}")
    return given["response"] == digest(f"{secret}:{given['nonce']}:{asked}")
