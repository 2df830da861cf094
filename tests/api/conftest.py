from types import SimpleNamespace

import pytest

from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.lib.clock import now as utc_now
from tests.api.client import Program
from tests.builders import a_key


@pytest.fixture
def program(db) -> Program:
    """A program with a test key of a manager."""
    return Program(a_key()[1])


@pytest.fixture
def live_program(db) -> Program:
    """A program with a live key of a manager."""
    return Program(a_key(mode=Mode.LIVE)[1])


@pytest.fixture
def viewer(db) -> Program:
    """A program with a test key of a viewer."""
    return Program(a_key(role=Role.VIEWER)[1])


@pytest.fixture(autouse=True)
def one_minute(request, monkeypatch):
    """Where queries are counted, the minute does not turn: a new one costs a key some more."""
    if "django_assert_num_queries" in request.fixturenames:
        at = utc_now()
        monkeypatch.setattr("temphone.accounts.authentication.clock", SimpleNamespace(now=lambda: at))
