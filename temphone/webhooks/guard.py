"""Which addresses a webhook may reach. What counts is the IP that is connected to, not the URL's text.

A name can resolve to one address when it is checked and to another when it is used; so the URL is only
looked at to refuse early what can never work, and each connection is decided on its own address.
"""

import re
import socket
from collections.abc import Callable
from errno import EACCES
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from yarl import URL

MAX_LENGTH = 2048

# Source: IANA special-purpose address registries (IPv4 and IPv6), and the notes beside.
DENIED_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own host services, behind a public address
        "169.254.0.0/16",  # link-local; clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# All of IPv6 that is given out lies here. Outside: loopback, IPv4 inside (::/96, ::ffff:0:0:0/96), NAT64
# (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local, site-local, multicast, segment routing, and what
# nobody was given.
GLOBAL_V6 = ip_network("2000::/3")
DENIED_V6 = tuple(
    ip_network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address inside
        "3fff::/20",  # documentation
    )
)

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")

# As asyncio has it: family, type, protocol, canonical name, socket address.
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class Denied(OSError):
    """The address is not a public one."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the internet could mean this address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in DENIED_V4)
    if address.ipv4_mapped:  # the kernel connects by IPv4
        return is_public(address.ipv4_mapped)
    return address in GLOBAL_V6 and not any(address in block for block in DENIED_V6)


def guarded_socket(info: AddressInfo) -> socket.socket:
    """A socket for the connection about to be made to exactly this address.

    Raises:
        Denied: the address is not public.
    """
    family, kind, protocol, _, address = info
    host = str(address[0])
    # What is no literal address here would be resolved once more behind our back.
    known = literal(host)
    if known is None or not is_public(known):
        raise Denied(EACCES, f"{host} is not a public address")
    return socket.socket(family, kind, protocol)


def socket_factory(url: URL) -> Callable[[AddressInfo], socket.socket] | None:
    """What makes the sockets for a request to ``url``; None (no guard) where the setting allows it."""
    return None if is_allowed(url) else guarded_socket


def is_allowed(url: URL) -> bool:
    """Whether TEMPHONE_WEBHOOK_ALLOW names exactly this host and port."""
    return receiver(url) in settings.WEBHOOK_ALLOW


def receiver(url: URL) -> str:
    """Host and port of a URL, as in ``hooks.example.com:443`` or ``[::1]:8000``."""
    host = url.raw_host or ""
    return f"[{host}]:{url.port}" if ":" in host else f"{host}:{url.port}"


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that ``host`` spells, in any way that a resolver would read; None for a name.

    Such as ``127.1``, ``2130706433``, ``0x7f.1``, ``0177.0.0.1`` and ``[::ffff:7f00:1]``.
    """
    bare = host.rstrip(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fx.]+", bare):
        return None
    try:
        return IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None


def canonical(text: str) -> URL:
    """The URL to ask for, a literal address in it spelled the usual way.

    Raises:
        ValueError: not an HTTP(S) URL.
    """
    url = _parsed(text)
    address = literal(url.raw_host or "")
    return url.with_host(str(address)) if address else url


def _parsed(text: str) -> URL:
    if not text.isprintable() or " " in text:
        raise ValueError("with spaces or control characters")
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.raw_host or not url.port:
        raise ValueError("not an HTTP(S) URL")
    return url


def check_url(text: str) -> None:
    """Return if a webhook may be asked for at this URL; names are not resolved here.

    Raises:
        ValueError: not HTTP(S), too long, with credentials, or at a host that cannot be public.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    url = _parsed(text)
    if "@" in url.raw_authority:
        raise ValueError("with credentials")
    if not is_allowed(url) and not _may_be_public(url.raw_host or ""):
        raise ValueError("not a public host")


def _may_be_public(host: str) -> bool:
    address = literal(host)
    if address is not None:
        return is_public(address)
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        return False
    # A name whose last label is a number can only be a badly spelled address.
    return labels[-1] != "localhost" and not NUMERIC.fullmatch(labels[-1])
