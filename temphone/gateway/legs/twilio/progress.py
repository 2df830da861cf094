"""What is known of one call at Twilio, from whichever side it was told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from temphone.gateway.legs.waiting import Waiting


class Status(StrEnum):
    """Twilio's own words. Initiated is told by callbacks alone; the API calls that ringing."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def rank(self) -> int:
        """How far a call has come; every end is as far as the others."""
        return min(list(Status).index(self), list(Status).index(Status.COMPLETED))

    @property
    def is_final(self) -> bool:
        """Whether the call is over."""
        return self.rank == Status.COMPLETED.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing that Twilio told of a call, in a callback or an answer of its API."""

    sid: str
    status: Status
    duration_s: int = 0
    sip_code: str = ""
    created_at: datetime | None = None


class Progress(Waiting):
    """One call, as far as it is known. It only goes forward.

    Callbacks come twice, late and out of order, and between them come answers of the API, which have no
    sequence number. How far a call has come orders them all: what is behind it changes nothing, and the
    first end stays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sid = ""
        self.status = Status.QUEUED
        self.duration_s = 0
        self.sip_code = ""

    def tell(self, news: News) -> None:
        """Take it in."""
        self.sid = self.sid or news.sid
        if news.status.rank > self.status.rank:
            self.status = news.status
            self.sip_code = news.sip_code
        self.duration_s = max(self.duration_s, news.duration_s)
        self.stir()

    def has_come_to(self, status: Status) -> bool:
        """Whether it is there, or further."""
        return self.status.rank >= status.rank
