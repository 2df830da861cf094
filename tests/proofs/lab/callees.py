"""The laboratory's callees: the area code says what they do, and each call has a number of its own.

But who opts out is called again, in vain: all calls to such a number count together.

So it is known before the first dial how often each number must ring and how its call must end.
"""

from dataclasses import dataclass

from calls.states import CallStatus, status_after
from temphone.gateway.legs.stories import STORIES, Story, polite_human
from temphone.telephony.messages import Outcome

TRIES = 2  # of those that are tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """What a number does when it rings."""

    area: str
    story: str = ""  # a key of STORIES; empty: a polite human
    outcome: Outcome
    rings: int = 1
    often: int = 1
    canceled: bool = False  # staff asks to hang up, at some time

    @property
    def opts_out(self) -> bool:
        """Whether they ask not to be called again."""
        return self.outcome == Outcome.OPTED_OUT

    @property
    def status(self) -> CallStatus:
        """How the call must end."""
        return status_after(self.outcome)


CALLEES = (
    Callee(area="201", outcome=Outcome.ANSWERED_HUMAN, often=8),
    Callee(area="202", story="01", outcome=Outcome.VOICEMAIL_LEFT, often=2),
    Callee(area="203", story="02", outcome=Outcome.BUSY, rings=TRIES, often=2),
    Callee(area="205", story="03", outcome=Outcome.NO_ANSWER, rings=TRIES),
    Callee(area="206", story="04", outcome=Outcome.SCREENED),
    Callee(area="207", story="05", outcome=Outcome.OPTED_OUT, often=2),
    Callee(area="208", story="07", outcome=Outcome.MESSAGE_INCOMPLETE),
    Callee(area="209", story="08", outcome=Outcome.CALLBACK_REQUESTED),
    Callee(area="210", story="11", outcome=Outcome.REJECTED),
    Callee(area="212", story="12", outcome=Outcome.INVALID_NUMBER),
    Callee(area="213", story="15", outcome=Outcome.MAX_DURATION),
    Callee(area="214", outcome=Outcome.ANSWERED_HUMAN, canceled=True, often=3),
)
BY_AREA = {callee.area: callee for callee in CALLEES}


def callee_at(number: str) -> Callee:
    """Who has this number."""
    return BY_AREA[number[2:5]]


def story_for(number: str, attempt_id: str) -> Story:
    """What the simulated network asks instead of its own list."""
    story = callee_at(number).story
    return STORIES[story] if story else polite_human(attempt_id)
