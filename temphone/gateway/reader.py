"""Reads settings from the environment, and says what is wrong with one."""

import logging
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from temphone.telephony.signing import secret_in, sign

PREFIX = "TEMPHONE_"


class BadSetting(Exception):
    """A setting is there but wrong; the message names it."""


class Reader:
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
            raise wrong(f"{name}_FILE", "a file that can be read") from error

    def choice(self, name: str, default: str, choices: Collection[str]) -> str:
        text = self.text(name, default).lower()
        if text not in choices:
            raise wrong(name, f"one of {', '.join(choices)}")
        return text

    def file(self, name: str) -> Path | None:
        """A file that must be there; None when none is named."""
        if not (text := self.text(name, "")):
            return None
        if not Path(text).is_file():
            raise wrong(name, "a file that is there")
        return Path(text).absolute()

    def folder(self, name: str) -> Path | None:
        """A folder that must be there; None when none is named."""
        if not (text := self.text(name, "")):
            return None
        if not Path(text).is_dir():
            raise wrong(name, "a folder that is there")
        return Path(text).absolute()

    def number(self, name: str, default: float, *, whole: bool = False) -> float:
        text = self.text(name, str(default))
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise wrong(name, "a whole number above 0" if whole else "a number above 0")
        return value

    def url(self, name: str, default: str) -> str:
        text = self.text(name, default).rstrip("/")
        if text and not _is_base_url(text):
            raise wrong(name, "an address such as http://127.0.0.1:8000")
        return text

    def listen(self, name: str, default: str) -> tuple[str, int]:
        text = self.text(name, default)
        host, port = _host_and_port(f"//{text}")
        if host is None or port is None or "/" in text or "@" in text:
            raise wrong(name, "host:port, such as 127.0.0.1:9000")
        return host, port

    def log_level(self, name: str, default: str) -> int:
        levels = logging.getLevelNamesMapping()
        text = self.text(name, default).upper()
        if text not in levels:
            raise wrong(name, "one of DEBUG, INFO, WARNING, ERROR")
        return levels[text]

    def secret(self, data_dir: Path) -> str:
        secret = self.text("GATEWAY_SECRET", "") or self._secret_of_file(data_dir)
        try:
            sign(b"", secret=secret)
        except Exception as error:
            raise wrong("GATEWAY_SECRET", "whsec_ and the base64 of random bytes") from error
        return secret

    def _secret_of_file(self, data_dir: Path) -> str:
        named = self.text("GATEWAY_SECRET_FILE", "")
        try:
            if named:
                return Path(named).read_text(encoding="ascii").strip()
            return secret_in(data_dir / "secrets" / "gateway")
        except (OSError, ValueError) as error:
            raise wrong("GATEWAY_SECRET_FILE", "a file that can be read") from error


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


def wrong(name: str, expected: str) -> BadSetting:
    """What to raise when the variable of this name, without the prefix, is not as expected."""
    return BadSetting(f"{PREFIX}{name} must be {expected}.")
