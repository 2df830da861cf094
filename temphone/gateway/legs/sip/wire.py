"""The messages that the stack sends and gets, as far as it does not report them itself.

It lets go of a call at the CANCEL, so what the callee did in that moment it keeps to itself; and of a REFER
it reports the end alone. Its trace of messages tells. Nothing of it is kept or logged.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

TRACE = "baresip.native.sip"
STATUS = re.compile(r"^SIP/2\.0 (\d{3})[^\r\n]*", re.MULTILINE)
CALL_ID = re.compile(r"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
CSEQ = re.compile(r"^CSeq[ \t]*:[ \t]*\d+[ \t]+(\w+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer to a request of ours, or with NOTIFY what the peer tells of a REFER."""

    call_id: str
    method: str
    status: int


class Wire(logging.Handler):
    """Reads the stack's trace, in the stack's thread, and hands what matters to the loop's."""

    def __init__(self, listener: Callable[[Received], None]) -> None:
        super().__init__(logging.DEBUG)
        self._listener = listener
        self._loop = asyncio.get_running_loop()

    def attach(self) -> None:
        """Begin; the trace goes nowhere else."""
        # Numbers and names are in what the stack logs, so none of it reaches our log.
        logging.getLogger("baresip").propagate = False
        trace = logging.getLogger(TRACE)
        trace.setLevel(logging.DEBUG)
        trace.propagate = False
        trace.addHandler(self)

    def detach(self) -> None:
        """End."""
        logging.getLogger(TRACE).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        received = read(record.getMessage())
        if received is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._listener, received)


def read(message: str) -> Received | None:
    """What one message of the trace says; None when it is none of ours to know."""
    route, _, sip = message.partition("\n")
    if not route.startswith("RX"):
        return None
    notify = sip.startswith("NOTIFY ")
    if not notify and not sip.startswith("SIP/2.0 "):
        return None
    head, _, body = sip.partition("\r\n\r\n")
    status, call_id, cseq = STATUS.search(body if notify else head), CALL_ID.search(head), CSEQ.search(head)
    if status is None or call_id is None or cseq is None:
        return None
    return Received(call_id=call_id[1], method=cseq[1].upper(), status=int(status[1]))
