from collections.abc import Iterator

import pytest

from tests.webhooks.receiver import Receiver, a_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback, which the guard refuses."""
    with a_receiver() as found:
        yield found


@pytest.fixture
def allowed(receiver: Receiver, settings) -> Receiver:
    """A receiver on loopback, which the allow-list lets through."""
    settings.WEBHOOK_ALLOW = [receiver.host]
    return receiver
