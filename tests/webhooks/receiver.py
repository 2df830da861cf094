"""A webhook receiver on loopback: it counts connections, keeps what it is sent, answers as told."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer. It is held back until ``gate`` opens."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    gate: threading.Event | None = None


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Listens on a free port of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.seen = threading.Event()
        self.hung_up = threading.Event()

    @property
    def host(self) -> str:
        """As the allow-list wants it."""
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str = "/calls") -> str:
        """Where to send."""
        return f"http://{self.host}{path}"

    def reply_to(self, _received: Received) -> Reply:
        """What it answers: the next of ``replies``, if there is one."""
        return self.replies.popleft() if self.replies else Reply()

    def verify_request(self, request: object, client_address: object) -> bool:
        self.connections += 1
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """The other side hung up before it had the whole answer."""
        self.hung_up.set()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body)
        reply = self.server.reply_to(received)
        self.server.received.append(received)
        self.server.seen.set()
        if reply.gate:
            reply.gate.wait(30)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    """One that listens until the block ends."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
