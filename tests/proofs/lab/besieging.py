"""A whole trial: a laboratory, warmed up, then round after round of strikes until there were enough."""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import cycle

from tests.proofs.battery import Broken, Tally, Trial
from tests.proofs.lab.judgement import receiving
from tests.proofs.lab.laboratory import Laboratory
from tests.proofs.lab.siege import Siege, TooSlow, Wrong
from tests.proofs.lab.times import SLOWEST
from tests.proofs.lab.traffic import Traffic
from tests.proofs.stage.slate import wipe

A_BROKEN_ROUND = 10  # few: whoever lost a call is seen at its end
SLOWER = (1.0, SLOWEST / 2, SLOWEST)  # what nothing rings in is built anew, slower


def besiege(
    trial: Trial,
    members: Mapping[str, str],
    turns: Sequence[Sequence[str]],
    *,
    number: signal.Signals,
    a_round: int,
    wrong: Wrong | None = None,
    traffic: type[Traffic] = Traffic,
) -> Tally:
    """Strike as often as the trial asks; with a mistake only until it is seen."""
    with _warm(trial, members, number=number, wrong=wrong, traffic=traffic) as siege:
        began = time.monotonic()
        for victims in cycle(turns):
            left = trial.cases - siege.tally.cases
            if left <= 0 or siege.is_enough:
                break
            siege.round(min(a_round, left), victims)
        siege.judge_all_rings()
        siege.tally.counts["seconds"] += round(time.monotonic() - began)
    return siege.tally


def broken(
    mistakes: Mapping[str, tuple[str, str, str]],
    members: Mapping[str, str],
    *,
    number: signal.Signals,
    traffic: type[Traffic] = Traffic,
) -> dict[str, Broken]:
    """Of each mistake, by its victim, the phases in which it may show, and what shows it.

    The victim alone is struck, and in these phases, until the mistake is seen.
    """

    def run(wrong: Wrong, trial: Trial) -> Tally:
        turns = ((wrong.victim,),)
        return besiege(
            trial, members, turns, number=number, a_round=A_BROKEN_ROUND, wrong=wrong, traffic=traffic
        )

    wrongs = [
        Wrong(name=name, victim=victim, phases=phases.split(), seen_by=seen_by)
        for name, (victim, phases, seen_by) in mistakes.items()
    ]
    return {wrong.name: Broken(run=partial(run, wrong), seen_by=wrong.seen_by) for wrong in wrongs}


@contextmanager
def _warm(
    trial: Trial,
    members: Mapping[str, str],
    *,
    number: signal.Signals,
    wrong: Wrong | None,
    traffic: type[Traffic],
) -> Iterator[Siege]:
    """A siege in which phones ring.

    Raises:
        TooSlow: they do not, however slow.
    """
    mistake = wrong.name if wrong else ""
    for slower in SLOWER:
        folder = trial.folder / f"slower-{slower:.0f}" if slower > 1 else trial.folder
        folder.mkdir(exist_ok=True)
        with (
            receiving() as desk,
            Laboratory(
                folder, members, receiver=desk.host, seed=trial.seed, mistake=mistake, slower=slower
            ) as lab,
            closing(Siege(lab, desk, trial, number=number, traffic=traffic, wrong=wrong)) as siege,
        ):
            try:
                siege.warm_up()
            except TooSlow:
                if slower == SLOWER[-1]:
                    raise
            else:
                yield siege
                return
        wipe()
