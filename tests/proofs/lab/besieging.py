"""A whole trial: a laboratory, warmed up, then round after round of strikes until there were enough."""

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import cycle

from tests.proofs.battery import Broken, Tally, Trial
from tests.proofs.lab.judgement import Desk, receiving
from tests.proofs.lab.laboratory import Laboratory
from tests.proofs.lab.siege import ENOUGH, Siege
from tests.proofs.lab.traffic import Traffic

A_BROKEN_ROUND = 20


def besiege(
    trial: Trial,
    members: Mapping[str, str],
    turns: Sequence[Sequence[str]],
    *,
    number: signal.Signals,
    a_round: int,
    mistake: str = "",
    traffic: type[Traffic] = Traffic,
) -> Tally:
    """Strike as often as the trial asks; with a mistake only until it is seen."""
    with receiving() as desk:
        return _besiege(
            trial, members, turns, desk, number=number, a_round=a_round, mistake=mistake, traffic=traffic
        )


def broken(
    mistakes: Mapping[str, tuple[str, str]],
    members: Mapping[str, str],
    *,
    number: signal.Signals,
    traffic: type[Traffic] = Traffic,
) -> dict[str, Broken]:
    """Of each mistake, by its victim and what shows it: the victim alone is struck, until it is seen."""

    def run(mistake: str, victim: str, trial: Trial) -> Tally:
        turns, a_round = ((victim,),), A_BROKEN_ROUND
        return besiege(
            trial, members, turns, number=number, a_round=a_round, mistake=mistake, traffic=traffic
        )

    return {
        mistake: Broken(run=partial(run, mistake, victim), seen_by=seen_by)
        for mistake, (victim, seen_by) in mistakes.items()
    }


def _besiege(
    trial: Trial,
    members: Mapping[str, str],
    turns: Sequence[Sequence[str]],
    desk: Desk,
    *,
    number: signal.Signals,
    a_round: int,
    mistake: str,
    traffic: type[Traffic],
) -> Tally:
    enough = 1 if mistake else ENOUGH
    with (
        Laboratory(trial.folder, members, receiver=desk.host, seed=trial.seed, mistake=mistake) as lab,
        closing(Siege(lab, desk, trial, number=number, traffic=traffic)) as siege,
    ):
        began = time.monotonic()
        siege.warm_up()
        for victims in cycle(turns):
            left = trial.cases - siege.tally.cases
            if left <= 0 or len(siege.tally.flagged) >= enough:
                break
            siege.round(min(a_round, left), victims)
        siege.judge_all_rings()
        siege.tally.counts["seconds"] += round(time.monotonic() - began)
    return siege.tally
