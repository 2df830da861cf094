"""Logs without numbers, names or speech, for Django and the gateway alike.

What an error says can hold any of them: PostgreSQL quotes the row that it refuses, a parser the text that
it cannot read. So a log tells where an error happened and of which kind it was, and not what it says.
"""

import logging
import re
import traceback
from collections.abc import Iterator

WELCOME = re.compile(r"(/welcome/)[^/\s]+/[^/\s]+")  # whoever has such a link chooses a password by it


class PlainFormatter(logging.Formatter):
    """Time, level, logger and message; below it where an error happened, the first cause first."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and those of the error."""
        # Another handler's formatter may have left the error's whole text on the record.
        error = record.exc_info[1] if record.exc_info else None
        quiet = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        line = WELCOME.sub(r"\1...", super().format(quiet))
        return "\n".join([line, *(_told(error) if error else ())])


def _told(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        yield from _told(cause)
        yield "which led to:"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    yield f"{type(error).__module__}.{type(error).__qualname__}"
