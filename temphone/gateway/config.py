"""The gateway's settings, read from the environment.

TEMPHONE_DATA_DIR: where everything that is written goes; ``var``.
TEMPHONE_GATEWAY_SECRET, or TEMPHONE_GATEWAY_SECRET_FILE: shared with Django; made in ``secrets/gateway``.
TEMPHONE_GATEWAY_LISTEN: host:port to listen on, port 0 is any free one; ``127.0.0.1:0``.
TEMPHONE_GATEWAY_URL: where Django reaches the gateway; where it listens.
TEMPHONE_CALLBACK_URL: where the gateway reaches Django; ``http://127.0.0.1:8000``.
TEMPHONE_GATEWAY_LINES: how many calls may be up at once; 1000.
TEMPHONE_GATEWAY_LEDGER: the ledger's file, on a local disk; ``gateway/ledger.sqlite3``.
TEMPHONE_PHONE_LOG: the simulated network's log; ``gateway/phone.log``.
TEMPHONE_SIMULATION_SPEED: divides all waiting of the simulated network; 1.0.
TEMPHONE_SIP_LISTEN: host:port from which SIP trunks are spoken to, or ``off``; ``0.0.0.0:0``.
TEMPHONE_SIP_RTP_PORTS: from-to, the UDP ports that their sound comes to; ``20000-29999``.
TEMPHONE_SIP_CA: a file of certificates that trunks over TLS are checked with; the system's.
TEMPHONE_PUBLIC_URL: where Twilio reaches this gateway, https; empty, and Twilio's trunks are not ready.
TEMPHONE_PUBLIC_LISTEN: host:port where that arrives, apart from everything else; ``127.0.0.1:8090``.
TEMPHONE_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; WARNING.

After the semicolon the default; relative files are in TEMPHONE_DATA_DIR.
"""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from temphone.telephony.signing import secret_in, sign

PREFIX = "TEMPHONE_"
EVERYWHERE = re.compile(r"0\.0\.0\.0|::")


class BadSetting(Exception):
    """A setting is there but wrong; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipSettings:
    """How this gateway speaks SIP."""

    host: str = ""  # empty: every interface
    port: int = 0  # any free one; TLS has the next
    rtp_ports: tuple[int, int] = (20_000, 29_999)  # both included
    ca: Path | None = None  # None: the system's


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSettings:
    """Where the gateway is reached from outside, and where that arrives."""

    url: str = ""  # empty: nowhere
    host: str = "127.0.0.1"
    port: int = 8090


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, checked."""

    secret: str
    host: str
    port: int
    url: str  # empty: where it listens
    callback_url: str
    lines: int
    ledger: Path
    phone_log: Path
    speed: float
    log_level: int
    sip: SipSettings | None = None  # None: no SIP
    public: PublicSettings = PublicSettings()


def from_environment(environment: Mapping[str, str]) -> Config:
    """The settings in these variables.

    Raises:
        BadSetting: one is wrong.
    """
    read = _Reader(environment)
    data_dir = Path(read.text("DATA_DIR", "var")).absolute()
    host, port = read.listen("GATEWAY_LISTEN", "127.0.0.1:0")
    url = read.url("GATEWAY_URL", "")
    if EVERYWHERE.fullmatch(host) and not url:
        raise BadSetting(
            "TEMPHONE_GATEWAY_URL must say where Django reaches a gateway that listens everywhere."
        )
    return Config(
        secret=read.secret(data_dir),
        host=host,
        port=port,
        url=url,
        callback_url=read.url("CALLBACK_URL", "http://127.0.0.1:8000"),
        lines=int(read.number("GATEWAY_LINES", 1000, whole=True)),
        ledger=Path(read.text("GATEWAY_LEDGER", str(data_dir / "gateway" / "ledger.sqlite3"))),
        phone_log=Path(read.text("PHONE_LOG", str(data_dir / "gateway" / "phone.log"))),
        speed=read.number("SIMULATION_SPEED", 1.0),
        log_level=read.log_level("LOG_LEVEL", "WARNING"),
        sip=_sip(read),
        public=_public(read),
    )


def _public(read: "_Reader") -> PublicSettings:
    url = read.url("PUBLIC_URL", "")
    if url and not url.startswith("https://"):
        raise _wrong("PUBLIC_URL", "an address such as https://calls.example.org; Twilio speaks TLS alone")
    host, port = read.listen("PUBLIC_LISTEN", "127.0.0.1:8090")
    return PublicSettings(url=url, host=host, port=port)


def _sip(read: "_Reader") -> SipSettings | None:
    if read.text("SIP_LISTEN", "").lower() == "off":
        return None
    host, port = read.listen("SIP_LISTEN", "0.0.0.0:0")
    return SipSettings(
        host="" if EVERYWHERE.fullmatch(host) else host,
        port=port,
        rtp_ports=read.ports("SIP_RTP_PORTS", "20000-29999"),
        ca=read.file("SIP_CA"),
    )


class _Reader:
    """Reads variables by their names without the prefix. An empty one counts as absent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(PREFIX + name, "").strip() or default

    def number(self, name: str, default: float, *, whole: bool = False) -> float:
        text = self.text(name, str(default))
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise _wrong(name, "a whole number above 0" if whole else "a number above 0")
        return value

    def url(self, name: str, default: str) -> str:
        text = self.text(name, default).rstrip("/")
        if text and not _is_base_url(text):
            raise _wrong(name, "an address such as http://127.0.0.1:8000")
        return text

    def listen(self, name: str, default: str) -> tuple[str, int]:
        text = self.text(name, default)
        host, port = _host_and_port(f"//{text}")
        if host is None or port is None or "/" in text or "@" in text:
            raise _wrong(name, "host:port, such as 127.0.0.1:9000")
        return host, port

    def ports(self, name: str, default: str) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", self.text(name, default))
        first, last = map(int, match.groups()) if match else (0, 0)
        if not 1024 <= first < last <= 65_535:
            raise _wrong(name, "from-to, such as 20000-29999")
        return first, last

    def file(self, name: str) -> Path | None:
        """A file that must be there; None when none is named."""
        if not (text := self.text(name, "")):
            return None
        if not Path(text).is_file():
            raise _wrong(name, "a file that is there")
        return Path(text).absolute()

    def log_level(self, name: str, default: str) -> int:
        levels = logging.getLevelNamesMapping()
        text = self.text(name, default).upper()
        if text not in levels:
            raise _wrong(name, "one of DEBUG, INFO, WARNING, ERROR")
        return levels[text]

    def secret(self, data_dir: Path) -> str:
        secret = self.text("GATEWAY_SECRET", "") or self._secret_of_file(data_dir)
        try:
            sign(b"", secret=secret)
        except Exception as error:
            raise _wrong("GATEWAY_SECRET", "whsec_ and the base64 of random bytes") from error
        return secret

    def _secret_of_file(self, data_dir: Path) -> str:
        named = self.text("GATEWAY_SECRET_FILE", "")
        try:
            if named:
                return Path(named).read_text(encoding="ascii").strip()
            return secret_in(data_dir / "secrets" / "gateway")
        except (OSError, ValueError) as error:
            raise _wrong("GATEWAY_SECRET_FILE", "a file that can be read") from error


def _host_and_port(url: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None, None
    return parts.hostname, port


def _is_base_url(text: str) -> bool:
    host, _ = _host_and_port(text)
    return bool(host) and text.startswith(("http://", "https://")) and not re.search(r"[?#\s]", text)


def _wrong(name: str, expected: str) -> BadSetting:
    return BadSetting(f"{PREFIX}{name} must be {expected}.")
