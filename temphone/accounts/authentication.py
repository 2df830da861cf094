"""Programs prove who they are by an API key, and may ask so often a minute."""

import re
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from temphone.accounts.actors import Actor
from temphone.accounts.models import KEYS, ApiKey, KeyMinute
from temphone.lib import clock

if TYPE_CHECKING:
    from rest_framework.views import APIView

BEARER = re.compile(
    r"(?i:bearer) +(sk_(?P<mode>test|live)_(?P<public_id>[0-9A-Za-z]{1,40})_[0-9A-Za-z]{1,100})"
)


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer sk_test_...``. A key revoked by another process may work for 5 s more."""

    def authenticate(self, request: Request) -> tuple[Actor, ApiKey]:
        """The actor and its key.

        Raises:
            AuthenticationFailed: no key, or none that is in use; it does not say which.
        """
        given = BEARER.fullmatch(request.headers.get("Authorization", "").strip())
        key = given and KEYS.find(given["public_id"])
        if not given or not key or not key.matches(given[1]) or key.mode != given["mode"]:
            raise AuthenticationFailed
        key.mark_used(clock.now())
        return key.actor(), key

    def authenticate_header(self, _request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="TemPhone"'


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
        now = clock.now()
        self.seconds_left = 60 - now.second
        return GRANTS.take_one(key_of(request), now)

    def wait(self) -> float:
        """Seconds until the next minute."""
        return float(self.seconds_left)


class Grants:
    """Requests that this process has taken from the database's count, and not used yet.

    They are taken before they are used, so a limit is never exceeded. What one process took and does not
    use, another one lacks: at most a hundredth of the limit each. Limits below 200 are counted one by one.
    """

    PART = 100
    MOST = 1_000

    def __init__(self) -> None:
        self._left: dict[int, tuple[datetime, int | None]] = {}  # by key: minute, left; None: used up
        self._lock = threading.Lock()

    def take_one(self, key: ApiKey, now: datetime) -> bool:
        """Whether the key may make one more request in this minute; it is counted."""
        minute = now.replace(second=0, microsecond=0)
        known = self._from_those_here(key, minute)
        return self._from_the_database(key, minute) if known is None else known

    def _from_those_here(self, key: ApiKey, minute: datetime) -> bool | None:
        """None: the database must be asked."""
        with self._lock:
            of, left = self._left.get(key.pk, (minute, 0))
            if of != minute or left == 0:
                return None
            if left is None:
                return False
            self._left[key.pk] = (minute, left - 1)
            return True

    def _from_the_database(self, key: ApiKey, minute: datetime) -> bool:
        limit = key.requests_per_minute or settings.REQUESTS_PER_MINUTE
        wanted = max(1, min(limit // self.PART, self.MOST))
        granted = KeyMinute.take(key, minute, wanted=wanted, limit=limit)
        with self._lock:
            of, left = self._left.get(key.pk, (minute, 0))
            others = left or 0 if of == minute else 0
            self._left[key.pk] = (minute, others + granted - 1 if granted else others or None)
        return granted > 0

    def forget(self) -> None:
        """Ask the database again for every key."""
        with self._lock:
            self._left.clear()


GRANTS = Grants()
