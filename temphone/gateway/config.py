"""The gateway's settings, read from the environment.

TEMPHONE_DATA_DIR: where everything that is written goes, recordings to ``recordings`` in it; ``var``.
TEMPHONE_GATEWAY_SECRET, or TEMPHONE_GATEWAY_SECRET_FILE: shared with Django; made in ``secrets/gateway``.
TEMPHONE_GATEWAY_LISTEN: host:port to listen on, port 0 is any free one; ``127.0.0.1:0``.
TEMPHONE_GATEWAY_URL: where Django reaches the gateway; where it listens.
TEMPHONE_CALLBACK_URL: where the gateway reaches Django; ``http://127.0.0.1:8000``.
TEMPHONE_GATEWAY_LINES: how many calls may be up at once; 1000.
TEMPHONE_GATEWAY_LEDGER: the ledger's file, on a local disk; ``gateway/ledger.sqlite3``.
TEMPHONE_PHONE_LOG: the simulated network's log; ``gateway/phone.log``.
TEMPHONE_SIMULATION_SPEED: divides all waiting of the simulated network; 1.0.
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
    recordings: Path  # what waits there for its upload
    speed: float
    log_level: int


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
        recordings=data_dir / "recordings",
        speed=read.number("SIMULATION_SPEED", 1.0),
        log_level=read.log_level("LOG_LEVEL", "WARNING"),
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
