"""Calls over a line without memory: what a kill took from the gateway nobody can know, and it must say so."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from calls.models import Attempt, Call
from tests.proofs.lab.callees import CALLEES
from tests.proofs.lab.traffic import FORGOTTEN, Placed, Traffic


class Forgetting(Traffic):
    """The calls of one trial. Unknown is a call only where the gateway was struck while it was up."""

    callees = tuple(one for one in CALLEES if one.rings == 1 and not one.opts_out)
    line_forgets = True

    def problems(self, judged: Sequence[Placed]) -> Iterator[tuple[Placed, str]]:
        """What is said to be unknown and is not, or to have been heard and was not."""
        ids = [one.call_id for one in judged]
        calls = Call.objects.in_bulk(ids)
        attempts: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in Attempt.objects.filter(call__in=ids):
            attempts[attempt.call_id].append(attempt)
        rings = Counter(ring["to"] for ring in self.lab.rings())
        struck = [float(strike["at"]) for strike in self.lab.strikes()]
        for one in judged:
            call = calls[one.call_id]
            self.counts["unknown, rang" if rings[one.number] else "unknown, silent"] += is_forgotten(call)
            if is_forgotten(call) and not any(_was_up(each, struck) for each in attempts[call.pk]):
                yield one, "unknown, although nobody was struck meanwhile"
            if not is_forgotten(call) and not one.answered and not rings[one.number]:
                yield one, f"ended {call.outcome}, although it never rang"


def is_forgotten(call: Call) -> bool:
    """Whether it ended so that nobody knows how."""
    return (call.status, call.outcome) == FORGOTTEN


def _was_up(attempt: Attempt, instants: Sequence[float]) -> bool:
    began, ended = attempt.created_at.timestamp(), attempt.ended_at
    return any(began <= at and (ended is None or at <= ended.timestamp()) for at in instants)
