"""Who fails to log in too often waits: what django-axes asks of us."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from temphone.accounts.sessions import SessionStore


def address_of(request: HttpRequest) -> str | None:
    """The address that a request comes from; of IPv6 the /64 network, all of which its owner has.

    ``X-Forwarded-For`` is believed from its end, as far as our own proxies wrote it.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    found = None
    for hop in (request.META.get("REMOTE_ADDR", ""), *reversed(forwarded)):
        address = _parsed(hop)
        if address is None:
            break
        found = address
        if not any(address in network for network in settings.TRUSTED_PROXIES):
            break
    return _bucket(found)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _bucket(address: IPv4Address | IPv6Address | None) -> str | None:
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False).network_address)
    return str(address) if address else None


def nobody(_request: HttpRequest, _credentials: object = None) -> str:
    """The user name to keep with a failure: none."""
    return ""


def locked_out(request: HttpRequest, _response: object = None, _credentials: object = None) -> HttpResponse:
    """The page for who failed too often; the same whether the user exists or not."""
    wait = settings.AXES_COOLOFF_TIME
    context = {"minutes": int(wait.total_seconds()) // 60}
    answer = render(request, "accounts/locked_out.html", context, status=429)
    answer["Retry-After"] = str(int(wait.total_seconds()))
    return answer


def forget(now: datetime) -> None:
    """Drop failures that count no more, and sessions that are over."""
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    SessionStore.clear_expired()
