"""The programs that others call with: sipp, and the baresip of Debian."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager
from pathlib import Path

from tests.gateway.fake_django import until

SCENARIOS = Path(__file__).parent / "scenarios"
BARESIP_MODULES = Path("/usr/lib/baresip/modules")
ANSWERS_WITHIN_S = 15
SILENCE = b"\xff" * 8_000  # a second of G.711


def free_port() -> int:
    """A UDP port of 127.0.0.1 that nobody has at the moment; the one after it is free too."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as next_:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                next_.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Sipp:
    """One run of a scenario of ours; ``log`` has what its actions wrote."""

    def __init__(self, process, port: int, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.port = port

    async def ended(self) -> int:
        """Its exit code: 0 when every call went as the scenario says."""
        return await asyncio.wait_for(self._process.wait(), ANSWERS_WITHIN_S)

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self._folder.glob("*_logs.log"))


@asynccontextmanager
async def sipp(name: str, folder: Path, *options: str, calls: int = 1, sound: bytes = SILENCE):
    """sipp with this scenario, listening; ``sound`` is the G.711 that it plays."""
    port = free_port()
    _write(folder, {"sound.ulaw": sound})
    process = await asyncio.create_subprocess_exec(
        *("sipp", "-sf", SCENARIOS / f"{name}.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1"),
        *("-p", str(port), "-mp", str(free_port()), "-m", str(calls), "-nostdin", "-trace_logs", *options),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listens(port, "tcp" if "t1" in options else "udp")
        yield Sipp(process, port, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Baresip:
    """A running baresip; it answers by itself, plays a file, and keeps what it hears."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._folder = folder

    @property
    def heard(self) -> bytes:
        """PCM."""
        (path,) = self._folder.glob("dump-*-dec.wav")
        data = path.read_bytes()
        return data[data.index(b"data") + 8 :]


@asynccontextmanager
async def baresip(folder: Path, wav: Path, *, number: str = "+14155550100", certificate: Path | None = None):
    """Debian's baresip at a port of 127.0.0.1; TLS, with a certificate, at the one after it."""
    port = free_port()
    lines = [
        f"sip_listen 127.0.0.1:{port}",
        f"module_path {BARESIP_MODULES}",
        *(f"module {name}.so" for name in ("g711", "aufile", "sndfile")),
        *("module_app account.so", "module_app menu.so"),
        f"audio_source aufile,{wav}",
        "audio_player aufile,/dev/null",
        f"snd_path {folder}",
        *([f"sip_certificate {certificate}"] if certificate else []),
    ]
    accounts = f"<sip:{number}@127.0.0.1>;regint=0;answermode=auto\n".encode()
    config = ("\n".join(lines) + "\n").encode()
    _write(folder, {"config": config, "accounts": accounts, "contacts": b""})
    process = await asyncio.create_subprocess_exec(
        *("baresip", "-f", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
    )
    try:
        await _listens(port, "udp")
        yield Baresip(port, folder)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _listens(port: int, protocol: str) -> None:
    """Return when a socket of that port is open, as the kernel lists them."""
    await until(
        lambda: f"0100007F:{port:04X} " in Path(f"/proc/net/{protocol}").read_text(), ANSWERS_WITHIN_S
    )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
