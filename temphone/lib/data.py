"""Values as programs are shown them."""

from collections.abc import Mapping
from datetime import datetime

from temphone.lib.clock import iso


def present(values: Mapping[str, object]) -> dict[str, object]:
    """The same without what is None, with instants as text."""
    return {
        key: iso(value) if isinstance(value, datetime) else value
        for key, value in values.items()
        if value is not None
    }
