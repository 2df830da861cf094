"""Django's sessions in the database, each with whose it is, and when it was last used."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.utils import timezone

from temphone.accounts.models import LoginSession
from temphone.lib import clock


class SessionStore(DatabaseSession):
    """The engine. That a session is used is written apart: it must not make the login last longer."""

    SEEN_EVERY = timedelta(minutes=5)
    seen_at: datetime | None = None  # as it was read

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        """Where sessions are kept."""
        return LoginSession

    def load(self) -> dict[str, Any]:
        """What the session holds; its last use is read along."""
        row = LoginSession.objects.filter(pk=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None  # as Django does: nobody chooses the key of a new session
            return {}
        self.seen_at = row.seen_at
        return self.decode(row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:
        """The row, of whoever is logged in."""
        made = super().create_model_instance(data)
        return LoginSession(
            session_key=made.session_key,
            session_data=made.session_data,
            expire_date=made.expire_date,
            user_id=int(data[SESSION_KEY]) if SESSION_KEY in data else None,
            seen_at=clock.now(),
        )

    def mark_seen(self, now: datetime) -> None:
        """Say that it is used, at most once in five minutes."""
        if self.seen_at is not None and self.seen_at <= now - self.SEEN_EVERY:
            self.seen_at = now
            LoginSession.objects.filter(pk=self.session_key).update(seen_at=now)
