"""A gateway that goes wrong on request: real HTTP, a ledger that outlives it, and the phone's own log.

It speaks the signed wire protocol as ours does. What it is told to do wrong, it does to one kind of
request, before it acts or after, so many times.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from temphone.telephony.messages import (
    CarrierEvent,
    Dial,
    Dialed,
    DialRequest,
    Done,
    EventType,
    Find,
    Found,
    HangUp,
    Refused,
    Sighting,
    decode,
    encode,
)
from temphone.telephony.signing import SignedRequest, verify

KINDS = {"/dial": Dial, "/find": Find, "/hang-up": HangUp}
DRIP_S = 0.05
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


@dataclass(kw_only=True)
class Trouble:
    """What goes wrong with a kind of request; ``how`` is an HTTP status, a word of ``Door``, or a change."""

    path: str
    how: int | str | Callable[[object], object]
    acts: bool  # whether the request is acted upon before it goes wrong
    times: int = 1


@dataclass(kw_only=True)
class Leg:
    """An attempt that rang, and its events."""

    request: DialRequest
    events: list[CarrierEvent] = field(default_factory=list)
    acknowledged: int = 0

    @property
    def is_up(self) -> bool:
        return self.events[-1].type != EventType.ENDED


class Listening(ThreadingHTTPServer):
    """Answers each in a thread of its own; many may come at once."""

    request_queue_size = 256  # with the library's 5 the rest would wait a second for their connection
    daemon_threads = False


class FakeGateway:
    """One gateway. ``phone_log`` and ``ledger_file`` are only ever appended to."""

    def __init__(self, folder: Path, *, ledger: str, secret: str, now: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.secret = secret
        self.now = now
        self.phone_log = folder / "phone.log"
        self.ledger_file = folder / f"{ledger}.ledger"
        self.troubles: list[Trouble] = []
        self.objection: Callable[[DialRequest], Refused | None] = lambda _: None
        self.legs: dict[str, Leg] = {}
        self.refused: dict[str, Refused] = {}
        self.hang_ups: list[str] = []
        self.over = threading.Event()  # lets go of those that wait for an answer in vain
        self._lock = threading.Lock()
        self._listen(0)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _listen(self, port: int) -> None:
        self._server = Listening(("127.0.0.1", port), Door)
        self._server.gateway = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Close the port. What it knows stays, as a ledger does."""
        self.over.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def start_again(self) -> None:
        """Listen at the same port again."""
        self.over.clear()
        self._listen(self._server.server_address[1])

    def trouble(self, path: str) -> Trouble | None:
        """What goes wrong with this request."""
        with self._lock:
            for one in self.troubles:
                if one.path == path and one.times > 0:
                    one.times -= 1
                    return one
        return None

    def act(self, message: Dial | Find | HangUp) -> object:
        """What ours would do."""
        with self._lock:
            match message:
                case Dial(requests=requests):
                    return self._dial(requests)
                case Find(attempt_id=id_):
                    return Found(sighting=self._find(id_))
                case HangUp(attempt_id=id_):
                    self.hang_ups.append(id_)
                    self._find(id_)
                    return Done()

    def _dial(self, requests: Sequence[DialRequest]) -> Dialed:
        for request in requests:
            if request.attempt_id not in self.legs and request.attempt_id not in self.refused:
                self._admit(request)
        ids = [request.attempt_id for request in requests]
        return Dialed(
            placed=[id_ for id_ in ids if id_ in self.legs],
            refused=[self.refused[id_] for id_ in ids if id_ in self.refused],
        )

    def _admit(self, request: DialRequest) -> None:
        id_ = request.attempt_id
        refused = self.objection(request)
        if self.now() > request.not_after:
            refused = Refused(attempt_id=id_, cause="too late", retry=True)
        if refused:
            self.refused[id_] = refused
            self._write(self.ledger_file, attempt=id_, state="refused")
            return
        self._write(self.ledger_file, attempt=id_, state="open")
        self._write(self.phone_log, attempt=id_, to=request.to, call=request.script.message)
        event = CarrierEvent(attempt_id=id_, sequence=1, type=EventType.ACCEPTED, at=self.now())
        self.legs[id_] = Leg(request=request, events=[event])

    def _find(self, id_: str) -> Sighting:
        if id_ in self.legs:
            return Sighting.LIVE if self.legs[id_].is_up else Sighting.ENDED
        self.refused.setdefault(id_, Refused(attempt_id=id_, cause="withdrawn", retry=True))
        self._write(self.ledger_file, attempt=id_, state="refused")
        return Sighting.NEVER

    @staticmethod
    def _write(path: Path, **line: str) -> None:
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


class Door(BaseHTTPRequestHandler):
    """Reads a request, and answers it well or badly."""

    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_POST(self) -> None:
        gateway: FakeGateway = self.server.gateway
        body = self.rfile.read(int(self.headers["content-length"]))
        verify(SignedRequest(headers=self.headers, body=body), secret=gateway.secret)
        message = decode(body, KINDS[self.path])
        self.close_connection = True
        trouble = gateway.trouble(self.path)
        if trouble and not trouble.acts:
            self._go_wrong(trouble.how, Done())
        elif message.ledger != gateway.ledger:
            self._answer(409, b"")
        else:
            answer = gateway.act(message)
            if trouble:
                self._go_wrong(trouble.how, answer)
            else:
                self._answer(200, encode(answer))

    def _answer(self, status: int, body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(length or len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _go_wrong(self, how: int | str | Callable[[object], object], answer: object) -> None:
        body = encode(answer)
        # Whoever asked may be gone long before this is over.
        with suppress(OSError):
            match how:
                case int():
                    self._answer(how, body)
                case "time out":
                    self.server.gateway.over.wait(self.timeout)
                case "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                    self.connection.shutdown(socket.SHUT_RD)
                    self.connection.close()
                case "half":
                    self._answer(200, body[: len(body) // 2], length=len(body))
                case "drip":
                    self._drip(body)
                case "no JSON":
                    self._answer(200, b"<html>Welcome!</html>")
                case "nothing":
                    self._answer(200, b"")
                case _:
                    self._answer(200, encode(how(answer)))

    def _drip(self, body: bytes) -> None:
        self._answer(200, b"", length=len(body))
        for byte in body:
            if self.server.gateway.over.wait(DRIP_S):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Say nothing."""
