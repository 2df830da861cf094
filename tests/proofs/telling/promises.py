"""The promises, and by what words of a flagged line one sees which of them was broken.

A line that may mean one or the other counts for both; one that no pattern knows is told of as another kind,
so that nothing that was flagged is ever missing from the sums.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Told = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """``broken``: what happened then. ``counts``: what proofs count that must never happen."""

    broken: str
    watched_by: tuple[str, ...]  # the proofs that would see it
    pattern: str
    counts: tuple[str, ...] = ()

    def times(self, proofs: Sequence[Told]) -> int:
        """How often it was broken, by what was flagged or by what was counted, whichever says more."""
        lines = sum(self.is_about(line) for told in proofs for line in told["flagged"])
        counted = sum(told["counts"].get(name, 0) for told in proofs for name in self.counts)
        return max(lines, counted)

    def watched(self, proofs: Sequence[Told]) -> int:
        """How many cases were run that would have shown it."""
        return sum(told["cases"] for told in proofs if told["name"] in self.watched_by)

    def is_about(self, line: str) -> bool:
        """Whether this flagged line tells of it."""
        return re.search(self.pattern, line) is not None


IN_THE_LAB = ("kills", "kills_of_web", "kills_on_a_line", "freezes")
STRUCK = (*IN_THE_LAB, "database")
TOGETHER = ("together", "load", "load_one_of_each")
ANY_ORDER = ("races", "faults", "machine", "nights")
PROMISES = (
    Promise(
        broken="rang twice, or again when it must not",
        watched_by=(*STRUCK, *TOGETHER, *ANY_ORDER),
        pattern=r"r[au]ng twice|rings twice|rang again|rung too often|rang ([2-9]|\d\d+) times"
        r"|call to (it|the number) was up|accepted call rang once|rang for an attempt|is unknown, though",
    ),
    Promise(
        broken="was accepted and lost, or never ended",
        watched_by=(*STRUCK, *TOGETHER, *ANY_ORDER),
        pattern=r"(?<!opt-out of )(?<!was )\blost\b|never (came to an end|ends?|rang|quiet)|did not end"
        r"|not there|rang 0 times|not at all|accepted call rang once|half made|: is |^is |: silent at"
        r"|for ever|are not those that were accepted",
    ),
    Promise(
        broken="rang after an accepted cancel, move or opt-out",
        watched_by=("kills", "freezes", "races", "machine", "nights", "together"),
        pattern=r"after a cancel|said (canceled|done), it rang [1-9]|was decided to ring after"
        r"|after (the|its number had) opt|\bopted out\b|Error: .*\b(canceled|moved)\b|the opt-out of"
        r"|although it was (over|refused)|erasure .* rang",
    ),
    Promise(
        broken="rang outside calling hours, limits, pauses or the stop switch",
        watched_by=("hours", "races", "machine", "nights"),
        pattern=r"outside the calling hours|too (late|early), at|in 24 hours, with a cap|was stopped"
        r"|was paused|Error: .*\b(stopped|paused)\b|legs were up on|dials in a second|before its time"
        r"|when nobody may ring|(is_open|next_opening|from_wall) differs",
    ),
    Promise(
        broken="a webhook was missing, out of order, unsigned or untrue",
        watched_by=("kills", "kills_on_a_line", "freezes", "machine", "together", "load", "load_one_of_each"),
        pattern=r"[Ww]ebhooks? |\bmessages? |the end is not the last|its history ends|: \[\(",
    ),
    Promise(
        broken="one `Idempotency-Key` made several calls, or answered otherwise",
        watched_by=("kills_of_web", "races", "machine"),
        pattern=r"\bkey (\S+ )?made|answered otherwise|repeated request was refused|the key has kept",
    ),
    Promise(
        broken="a server error, or a program that broke",
        watched_by=("openapi", "faults", "races", *TOGETHER, *IN_THE_LAB),
        pattern=r"500 or above|answered 5\d\d|HTTP 5\d\d|, 5\d\d( \(|$)|times locked|ServerError"
        r"|\braised |broke \d+ times|died by itself",
        counts=("answers_5xx",),
    ),
    Promise(
        broken="a request reached an internal address",
        watched_by=("network",),
        pattern=r"\bwas reached",
        counts=("connections to internal addresses",),
    ),
)
OTHER = "something else was flagged"
# What was done to break them: the unit of a proof whose every case does it, or a count of another proof.
DEEDS = ("kills", "freezes", "races", "faults")


def broken_promises(proofs: Sequence[Told]) -> dict[str, int]:
    """How often each promise was broken that somebody watched, and what else was flagged."""
    found = {promise.broken: promise.times(proofs) for promise in PROMISES}
    watched = {promise.broken for promise in PROMISES if promise.watched(proofs)}
    lines = [line for told in proofs for line in told["flagged"]]
    other = sum(not any(promise.is_about(line) for promise in PROMISES) for line in lines)
    told = {what: times for what, times in found.items() if times or what in watched}
    return {**told, OTHER: other} if told or other else {}


def deeds(proofs: Sequence[Told]) -> dict[str, int]:
    """How many cases in all, and how many of each deed."""
    return {
        "cases": sum(told["cases"] for told in proofs),
        **{deed: sum(_done(told, deed) for told in proofs) for deed in DEEDS},
    }


def _done(told: Told, deed: str) -> int:
    every_case = deed in told["unit"] or deed.removesuffix("s") in told["unit"].split()
    return told["cases"] if every_case else told["counts"].get(deed, 0)
