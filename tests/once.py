"""What takes longer to make than to look at is made once for all tests of a module."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker


@contextmanager
def made_once(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make it in here: in a transaction around those of the tests, which is rolled back after the last."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
