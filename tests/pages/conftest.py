from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import get_resolver

from calls.models import Attempt, Call, CallEvent, TranscriptTurn
from calls.states import CallStatus
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from tests.builders import NOON, a_call, a_gateway

EARLIER = NOON - timedelta(hours=1)
Browse = Callable[..., Client]


@pytest.fixture
def at(monkeypatch) -> Callable[[datetime], None]:
    """Set the clock that the pages read."""
    list(get_resolver().url_patterns)  # who imports the clock by its name does so before it is set

    def set_clock(moment: datetime) -> None:
        for name in (
            "temphone.lib.clock.now",
            "temphone.templatetags.times.now",
            "temphone.templatetags.chrome.now",
        ):
            monkeypatch.setattr(name, lambda: moment)

    return set_clock


@pytest.fixture
def browse(db, at) -> Browse:
    """Browsers of staff, an hour before NOON."""
    at(EARLIER)

    def log_in(role: Role = Role.OPERATOR, *, timezone: str = "Europe/Madrid") -> Client:
        user = User.objects.create(username=f"{role}-{User.objects.count()}", role=role, timezone=timezone)
        client = Client()
        client.force_login(user)
        return client

    return log_in


def an_attempt(call: Call, **columns: object) -> Attempt:
    """A dial of the call, in conversation, as the claim and the carrier leave it."""
    number = call.attempts.count() + 1
    defaults = {
        "number": number,
        "state": "answered",
        "carrier": "simulated",
        "to": call.contact.phone,
        "caller_id": "+14155550199",
        "rendered_message": "Hi Jordan.",
        "not_after": NOON,
        "lease_until": NOON,
        "created_at": NOON,
        "accepted_at": NOON,
        "answered_at": NOON,
    }
    attempt = Attempt.objects.create(call=call, **{**defaults, **columns})
    CallEvent.objects.create(call=call, attempt=attempt, name="dialing", at=NOON)
    return attempt


def a_live_call(**fields: object) -> tuple[Call, Attempt]:
    """A call in conversation."""
    call = a_call(**fields)
    Call.objects.filter(pk=call.pk).update(status=CallStatus.IN_PROGRESS)
    call.refresh_from_db()
    return call, an_attempt(call)


def a_finished_call(outcome: str = "message_delivered", **fields: object) -> Call:
    """A call that ended so."""
    call = a_call(**fields)
    an_attempt(call, state="ended", outcome=outcome, duration_s=64)
    status = {"message_delivered": "completed", "callback_requested": "completed"}.get(outcome, "failed")
    Call.objects.filter(pk=call.pk).update(status=status, outcome=outcome)
    call.refresh_from_db()
    return call


def say(attempt: Attempt, text: str, *, speaker: str = "callee") -> TranscriptTurn:
    """One more thing said."""
    sequence = attempt.turns.count() + 1
    return TranscriptTurn.objects.create(
        attempt=attempt, sequence=sequence, speaker=speaker, text=text, offset_ms=sequence * 1000, at=NOON
    )


def htmx(client: Client, url: str, **data: str) -> str:
    """The fragment that htmx gets."""
    return client.get(url, data, headers={"HX-Request": "true"}).content.decode()


def text_of(client: Client, url: str) -> str:
    """A page's markup."""
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch) -> None:
    """However slow this machine is, campaigns are counted at every look."""
    monkeypatch.setattr("campaigns.actions.tallies.QUICK_S", 600.0)


@pytest.fixture(autouse=True)
def gateway(db) -> None:
    """The simulated network is there."""
    a_gateway(now=EARLIER)
