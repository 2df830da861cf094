"""A benchmark's command line, and how it tells how far it is."""

import argparse
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "var" / "benchmarks"  # of whatever ran last, smoke runs included
KEPT = ROOT / "docs" / "benchmarks"  # what the documentation shows


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    quick: bool
    out: Path | None

    def pick(self, full: int, *, quick: int) -> int:
        """A number of rows or repetitions: the one for a real measurement, or for a smoke run."""
        return quick if self.quick else full


def options(doc: str | None) -> Options:
    """Read ``--quick`` and ``--out``; make SIGTERM end us as Ctrl-C does, with all that we started."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="A smoke run: few rows, one repetition.")
    parser.add_argument("--out", type=Path, help="Where the JSON goes (default: var/benchmarks/NAME.json).")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return Options(quick=given.quick, out=given.out)


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
