"""A whole internet inside one network namespace: every address is local, so every connection is counted.

Started by ``tests.proofs.network`` under ``unshare``, as ``python -m tests.proofs.stage.namespace
<variant> <plan> <result>``. It has one listener for all addresses, one name server of our own behind
glibc's resolver, and nothing else: what is asked for at any address arrives here, and nothing leaves.
"""

import asyncio
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
from django.conf import settings

PORTS = (22, 80, 443, 8080)
DEAF = ("9.9.9.9", "2620:fe::9")  # public addresses that nobody answers at
OURS = ("8.8.4.4/32", "2001:4860:4860::8844/128")  # glibc asks for A and AAAA only where both are spoken
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
TYPES = {1: 4, 28: 6}  # A, AAAA

Variant = Callable[[str], Awaitable[object]]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def make_internet(folder: Path) -> None:
    """Every address is ours, but for the deaf ones; names are asked of us."""
    ip("link", "set", "lo", "up")
    for address in OURS:
        ip("address", "add", address, "dev", "lo")
    ip("route", "add", "local", "0.0.0.0/0", "dev", "lo")
    ip("-6", "route", "add", "local", "::/0", "dev", "lo")
    ip("route", "add", "unreachable", f"{DEAF[0]}/32", "table", "local")
    ip("-6", "route", "add", "unreachable", f"{DEAF[1]}/128", "table", "local")
    resolv = folder / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", str(resolv), "/etc/resolv.conf"], check=True)


class Listener:
    """Accepts whatever comes; keeps at which address, and redirects as it is asked to."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.lock = threading.Lock()
        for port in PORTS:
            server = socket.create_server(
                ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=500
            )
            threading.Thread(target=self.serve, args=(server,), daemon=True).start()

    def serve(self, server: socket.socket) -> None:
        while True:
            connection, _ = server.accept()
            called = ipaddress.IPv6Address(connection.getsockname()[0])
            with self.lock:
                self.heard[str(called.ipv4_mapped or called)] += 1
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError, IndexError):  # who speaks TLS is only counted
            connection.settimeout(5)
            target = connection.recv(65536).split(b" ", 2)[1].decode()
            to = parse_qs(urlsplit(target).query).get("to")
            head = f"HTTP/1.1 307 Go\r\nLocation: {to[0]}" if to else "HTTP/1.1 200 OK"
            connection.sendall(f"{head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    def settle(self) -> None:
        """Return when everything that was connected before is counted: each queue is first in, first out."""
        for port in PORTS:
            before = self.heard[OURS[0].split("/")[0]]
            with socket.create_connection((OURS[0].split("/")[0], port)):
                while self.heard[OURS[0].split("/")[0]] == before:
                    threading.Event().wait(0.01)


class NameServer:
    """Answers at each look-up with the next of the name's rounds, the last for ever."""

    def __init__(self, zone: dict[str, list[list[str]]]) -> None:
        self.zone = zone
        self.asked: Counter[tuple[str, int]] = Counter()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            query, sender = self.socket.recvfrom(4096)
            self.socket.sendto(self.reply(query), sender)

    def reply(self, query: bytes) -> bytes:
        """Source: RFC 1035, 4.1: header, the question as it came, answers that point at its name."""
        name, end = _name(query)
        (kind,) = struct.unpack(">H", query[end : end + 2])
        rounds = self.zone.get(name, [[]])
        answers = rounds[min(self.asked[name, kind], len(rounds) - 1)]
        self.asked[name, kind] += 1
        packed = [ipaddress.ip_address(text).packed for text in answers if _version(text) == TYPES.get(kind)]
        header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(packed), 0, 0)
        records = [b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data for data in packed]
        return header + query[12 : end + 4] + b"".join(records)


def _name(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _version(text: str) -> int:
    return ipaddress.ip_address(text).version


async def product(url: str) -> object:
    """What TemPhone does."""
    from temphone.webhooks.sender import Message, send

    return await send(Message(id="msg_1", url=url, body="{}"), secrets=[SECRET], at=datetime.now(UTC))


async def by_the_text(url: str) -> object:
    """The mistake of looking at the address in the URL alone."""
    host = urlsplit(url).hostname or ""
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_private:
            return None
    return await _post(url) if host != "localhost" else None


async def by_a_look_before(url: str) -> object:
    """The mistake of asking for the addresses, by Python's word for global, and then connecting by name."""
    found = socket.getaddrinfo(urlsplit(url).hostname, 80, type=socket.SOCK_STREAM)
    if all(ipaddress.ip_address(address[4][0]).is_global for address in found):
        return await _post(url)
    return None


async def with_redirects(url: str) -> object:
    """The mistake of guarding the first address well, and following where it leads."""
    from temphone.webhooks import guard

    guard.check_url(url)
    found = socket.getaddrinfo(urlsplit(url).hostname, 80, type=socket.SOCK_STREAM)
    if all(guard.is_public(ipaddress.ip_address(address[4][0])) for address in found):
        return await _post(url, redirects=True)
    return None


async def _post(url: str, *, redirects: bool = False) -> int:
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, allow_redirects=redirects) as got,
    ):
        return got.status


VARIANTS: dict[str, Variant] = {
    variant.__name__: variant for variant in (product, by_the_text, by_a_look_before, with_redirects)
}


async def ask_all(urls: list[str], variant: Variant) -> list[str]:
    """Ask for each; what was raised. The product raises nothing, whatever it is given."""
    raised = []
    for url in urls:
        (came,) = await asyncio.gather(variant(url), return_exceptions=True)
        if isinstance(came, Exception):
            raised.append(f"{url!r}: {came!r}")
    return raised


def main(variant: str, plan_path: Path, result_path: Path) -> None:
    plan = json.loads(plan_path.read_text())
    make_internet(plan_path.parent)
    settings.configure(WEBHOOK_ALLOW=[])
    NameServer(plan["zone"])
    listener = Listener()
    raised = asyncio.run(ask_all(plan["urls"], VARIANTS[variant]))
    listener.settle()
    result_path.write_text(json.dumps({"heard": listener.heard, "raised": raised}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
