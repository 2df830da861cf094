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
TEMPHONE_LLM_URL: an OpenAI-compatible endpoint, such as https://llm.example.org/v1; empty, no language model.
TEMPHONE_LLM_KEY, or TEMPHONE_LLM_KEY_FILE: its key; empty.
TEMPHONE_LLM_MODEL: the name of the model; needed with a URL.
TEMPHONE_LLM_TIMEOUT_S: how long the next sentence may take before the playbook takes over; 4.
TEMPHONE_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; WARNING.

After the semicolon the default; relative files are in TEMPHONE_DATA_DIR.
"""

import importlib.util
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from temphone.gateway.conversation.llm import ModelSettings
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
    speed: float
    log_level: int
    llm: ModelSettings | None = None  # None: playbooks converse alone


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
        llm=_llm(read),
    )


def _llm(read: "_Reader") -> ModelSettings | None:
    url = read.url("LLM_URL", "")
    if not url:
        return None
    if importlib.util.find_spec("openai") is None:
        raise BadSetting("TEMPHONE_LLM_URL needs the package openai: install requirements/voice.txt.")
    model = read.text("LLM_MODEL", "")
    if not model:
        raise BadSetting("TEMPHONE_LLM_MODEL must name the model that TEMPHONE_LLM_URL is to use.")
    return ModelSettings(
        url=url,
        key=read.text_or_file("LLM_KEY"),
        model=model,
        timeout_s=read.number("LLM_TIMEOUT_S", 4.0),
    )


class _Reader:
    """Reads variables by their names without the prefix. An empty one counts as absent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(PREFIX + name, "").strip() or default

    def text_or_file(self, name: str) -> str:
        """The text, or what the file holds that the variable with _FILE names."""
        named = self.text(f"{name}_FILE", "")
        if not named or self.text(name, ""):
            return self.text(name, "")
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise _wrong(f"{name}_FILE", "a file that can be read") from error

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
