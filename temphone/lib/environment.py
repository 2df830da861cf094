"""Settings as the environment gives them. Present but wrong stops the start, with one clear line."""

import base64
import json
import os
import re
from collections.abc import Callable
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from temphone.lib.phone import to_e164

T = TypeVar("T")
DATABASE_FORMS = "sqlite:////absolute/path.sqlite3 or postgres://user:password@host:5432/name"


class BadSetting(Exception):
    """A setting is present but wrong; the message names it and the mend."""


def text(name: str, default: str) -> str:
    """The variable, or the content of the file that ``NAME_FILE`` names, or the default.

    An empty variable counts as absent.
    """
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE: cannot read {path} ({error.strerror}).") from error
    return os.environ.get(name) or default


def _parsed(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    value = text(name, "")
    if not value:
        return default
    try:
        return parse(value)
    except (ValueError, KeyError):
        raise BadSetting(f"{name} must be {expected}, not {value!r}.") from None


def number(name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
    """An integer within bounds."""

    def parse(value: str) -> int:
        parsed = int(value)
        if not least <= parsed <= most:
            raise ValueError
        return parsed

    return _parsed(name, default, parse, f"an integer between {least} and {most}")


def switch(name: str, *, default: bool) -> bool:
    """A boolean: 1/0, true/false, yes/no, on/off."""
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    return _parsed(name, default, lambda value: words[value.lower()], "1 or 0")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError
        return value

    return _parsed(name, default, parse, "one of " + ", ".join(allowed))


def currency(name: str, default: str) -> str:
    """A currency by its code of ISO 4217, in which all prices are."""

    def parse(value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError
        return value

    return _parsed(name, default, parse, "the three letters of a currency, such as EUR")


def phone_number(name: str, default: str) -> str:
    """A phone number, as E.164."""
    return _parsed(name, default, to_e164, "an international phone number such as +14155550199")


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in text(name, ",".join(default)).split(",") if word.strip()]


def options(name: str, default: dict[str, object]) -> dict[str, object]:
    """A JSON object: what a class is made with. It may hold secrets, so a wrong one is not repeated."""
    value = text(name, "")
    if not value:
        return default
    try:
        parsed: object = json.loads(value)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise BadSetting(f'{name} must be a JSON object such as {{"bucket_name": "recordings"}}.') from None
    return parsed


def hosts_with_ports(name: str) -> list[str]:
    """Comma-separated ``host:port``, in lower case; an IPv6 address in brackets."""

    def parse(value: str) -> list[str]:
        found = [word.strip().lower() for word in value.split(",") if word.strip()]
        if not all(re.fullmatch(r"(\[[0-9a-f:.]+\]|[^][:/@\s]+):[0-9]{1,5}", word) for word in found):
            raise ValueError
        return found

    return _parsed(name, [], parse, "hosts with ports such as hooks.internal:8443, [fd00::1]:80")


def networks(name: str, default: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated addresses or networks, such as ``10.0.0.0/8, ::1``."""

    def parse(value: str) -> list[IPv4Network | IPv6Network]:
        return [ip_network(word.strip()) for word in value.split(",") if word.strip()]

    return _parsed(name, parse(default), parse, "IP addresses or networks such as 127.0.0.1, 10.0.0.0/8")


def signing_secret(name: str, default: str) -> str:
    """``whsec_`` and base64, as Standard Webhooks has it. A wrong one is not repeated in the message."""
    value = text(name, "") or default
    if value and not _is_signing_secret(value):
        raise BadSetting(f"{name} must be whsec_ and the base64 of at least 24 random bytes.")
    return value


def _is_signing_secret(value: str) -> bool:
    try:
        return value.startswith("whsec_") and len(base64.b64decode(value[6:], validate=True)) >= 24
    except ValueError:
        return False


def database(url: str) -> dict[str, object]:
    """Django's settings for a database URL.

    Raises:
        BadSetting: neither SQLite with an absolute path nor PostgreSQL with a name.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("//"):
        return _sqlite(Path(unquote(parts.path[1:])))
    if parts.scheme in {"postgres", "postgresql"} and parts.path.strip("/"):
        try:
            port = str(parts.port or "")
        except ValueError:
            raise BadSetting("DATABASE_URL: its port is not a number.") from None
        return _postgresql(
            parts.path.strip("/"), parts.hostname, port, parts.username, parts.password, parts.query
        )
    raise BadSetting(f"DATABASE_URL must look like {DATABASE_FORMS}.")


def _sqlite(path: Path) -> dict[str, object]:
    # FULL: a power cut must not forget a dial that was committed, or the person would be rung again.
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
    return {
        "ENGINE": "temphone.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas},
        "TEST": {"NAME": str(path.with_name(f"test_{path.name}"))},
    }


def _postgresql(
    name: str, host: str | None, port: str, user: str | None, password: str | None, query: str
) -> dict[str, object]:
    options: dict[str, object] = {"connect_timeout": 5, **dict(parse_qsl(query))}
    return {
        "ENGINE": "temphone.postgresql",
        "NAME": unquote(name),
        "HOST": str(options.pop("host", unquote(host or ""))),
        "PORT": port,
        "USER": unquote(user or ""),
        "PASSWORD": unquote(password or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def hours(name: str, default: str) -> tuple[time, time]:
    """An opening and a closing wall time, ``08:00-21:00``."""

    def parse(value: str) -> tuple[time, time]:
        opens, closes = (time.fromisoformat(part) for part in value.split("-"))
        if not opens < closes:
            raise ValueError
        return opens, closes

    return _parsed(name, parse(default), parse, "two times such as 08:00-21:00, the first the earlier")
