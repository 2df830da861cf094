"""Programs prove who they are by an API key, and may ask so often a minute."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from temphone.accounts.actors import Actor
from temphone.accounts.models import ApiKey, KeyMinute
from temphone.lib import clock

if TYPE_CHECKING:
    from rest_framework.views import APIView

BEARER = re.compile(
    r"(?i:bearer) +(sk_(?P<mode>test|live)_(?P<public_id>[0-9A-Za-z]{1,40})_[0-9A-Za-z]{1,100})"
)
MARK_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer sk_test_...``. The key is looked up each time, so revoking it works at once."""

    def authenticate(self, request: Request) -> tuple[Actor, ApiKey]:
        """The actor and its key.

        Raises:
            AuthenticationFailed: no key, or none that is in use; it does not say which.
        """
        given = BEARER.fullmatch(request.headers.get("Authorization", "").strip())
        key = given and ApiKey.objects.usable().filter(public_id=given["public_id"]).first()
        if not given or not key or not key.matches(given[1]) or key.mode != given["mode"]:
            raise AuthenticationFailed
        _mark_used(key, clock.now())
        return key.actor(), key

    def authenticate_header(self, _request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="TemPhone"'


def _mark_used(key: ApiKey, now: datetime) -> None:
    if key.last_used_at is None or key.last_used_at <= now - MARK_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def key_of(request: Request) -> ApiKey:
    """The key that the request came with.

    Raises:
        NotAuthenticated: it came without.
    """
    if not isinstance(request.auth, ApiKey):
        raise NotAuthenticated
    return request.auth


class PerMinute(BaseThrottle):
    """So many requests a key and minute, counted in the database, so over all processes."""

    def allow_request(self, request: Request, _view: "APIView") -> bool:
        """Count the request; whether it is within the key's limit."""
        key, now = key_of(request), clock.now()
        limit = key.requests_per_minute or settings.REQUESTS_PER_MINUTE
        self.seconds_left = 60 - now.second
        return KeyMinute.count(key, now) <= limit

    def wait(self) -> float:
        """Seconds until the next minute."""
        return float(self.seconds_left)
