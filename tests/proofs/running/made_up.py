"""Proofs that prove nothing, to try the runner on: they hold, flag, crash, hang, or have a blind harness."""

import os
import time
from collections import Counter
from pathlib import Path

from tests.proofs.battery import Broken, Proof, Run, Tally, Trial


def holds(trial: Trial) -> Tally:
    """All is well; what ran is told by its seeds."""
    counts = {"rings": trial.cases, "worst_ms": trial.seed % 7, "double": 0}
    return Tally(cases=trial.cases, counts=Counter(counts))


def flags(trial: Trial) -> Tally:
    """The last case breaks the promise."""
    tally = Tally(cases=trial.cases)
    (trial.folder / "gateway.log").write_text("It rang twice.")
    tally.flag("rang twice", folder=trial.folder, seed=trial.seed)
    return tally


def crashes_once(trial: Trial) -> Tally:
    """Killed in the middle, but not when it runs again."""
    mark = Path(os.environ["MADE_UP_FOLDER"]) / f"crashed-{trial.seed}"
    if not mark.exists():
        mark.touch()
        os.abort()
    return holds(trial)


def crashes(trial: Trial) -> Tally:
    """Never gets to an end."""
    raise RuntimeError(f"seed {trial.seed}")


def waits(trial: Trial) -> Tally:
    """The second chunk goes on until it is ended."""
    started = Path(os.environ["MADE_UP_FOLDER"]) / f"started-{trial.seed}"
    started.write_text(str(os.getpid()))
    while trial.seed > int(os.environ["MADE_UP_SEED"]):
        time.sleep(0.1)
    return holds(trial)


def _proof(name: str, run: Run, **fields: object) -> Proof:
    shape = {"unit": "cases", "small": 2, "full": 4, "chunk": 2, "databases": ("sqlite",)}
    return Proof(name=name, shows=f"something {name}", run=run, **{"asks_database": False, **shape, **fields})


PROOFS = (
    _proof(
        "holds",
        holds,
        broken={
            "a_mistake": Broken(run=flags, seen_by="rang twice"),
            "not_here": Broken(run=crashes, seen_by="", databases=("postgresql",)),
        },
    ),
    _proof("flags", flags, asks_database=True),
    _proof("crashes_once", crashes_once, full=2),
    _proof("crashes", crashes, full=2),
    _proof("blind", holds, full=2, broken={"a_mistake": Broken(run=holds, seen_by="rang twice")}),
    _proof("mistaken", holds, full=2, broken={"a_mistake": Broken(run=flags, seen_by="was lost")}),
    _proof("waits", waits, full=6),
)
