"""Time and chance stand still, so that the same pages give the same pictures. Import it before Django."""

import random
from datetime import UTC, datetime

from temphone.lib import clock, ids

MOMENT = datetime(2026, 10, 14, 15, 42, 8, tzinfo=UTC)  # a Wednesday: noon in New York, late in Europe


def stand_still() -> None:
    """From now on it is MOMENT, and ids come in one order. Only what is imported later sees it."""
    chance = random.Random(1)
    clock.now = lambda: MOMENT
    ids.random_text = lambda length: "".join(chance.choices(ids.ALPHABET, k=length))
