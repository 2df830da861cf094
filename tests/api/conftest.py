import pytest

from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
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
