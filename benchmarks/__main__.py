"""Run benchmarks, one after the other, and write ``docs/performance.md`` from all that were ever measured.

What one measured is kept in ``docs/benchmarks``, for git to keep, until it is measured anew; one that fails
leaves what it measured before. ``--page`` measures nothing, and writes the page. ``--quick`` is a smoke run:
its figures, which mean nothing, go to ``var/benchmarks/quick`` instead.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.frame import page
from benchmarks.frame.command import KEPT, RESULTS, ROOT, say

# The two that take longest first; then what a load disturbs most, and last what makes the most of its own.
ORDER = (
    *(
        "lists",
        "pages",
        "start",
        "disk",
        "low_load",
        "simulated_calls",
        "sip_calls",
        "spoken_calls",
        "answering",
    ),
    *("ingest", "bulk", "million", "burst"),
)
LIMIT_S = 1800
LIMITS_S = {"lists": 7200, "pages": 7200}  # two databases of a million calls each, every page many times


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"Which: {', '.join(there())}. Default: all."
    )
    parser.add_argument("--quick", action="store_true", help="A smoke run.")
    parser.add_argument("--page", action="store_true", help="Measure nothing.")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and the benchmark under way ends, too
    kept = RESULTS / "quick" if given.quick else KEPT
    began = time.monotonic()
    names = [] if given.page else given.names or there()
    failed = [name for name in names if not measure(name, kept, quick=given.quick)]
    written = (kept if given.quick else ROOT / "docs") / "performance.md"
    written.write_text(page.page(kept, there()), encoding="utf-8")
    say(f"Written: {written}, after {(time.monotonic() - began) / 60:.1f} minutes")
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def there() -> list[str]:
    """The benchmarks that are in this folder, in the order in which they run."""
    here = Path(__file__).parent
    return [name for name in ORDER if (here / f"{name}.py").exists() or (here / name).is_dir()]


def measure(name: str, kept: Path, *, quick: bool) -> bool:
    """Run one in a process of its own; whether it ended well. If not, what it measured before stays."""
    say(f"{name} ...")
    out, limit_s = RESULTS / f"{name}.json", LIMITS_S.get(name, LIMIT_S)
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out)]
    program = subprocess.Popen([*command, "--quick"] if quick else command, cwd=ROOT)
    try:
        well = program.wait(limit_s) == 0 and out.exists()
    except subprocess.TimeoutExpired:
        say(f"{name} takes longer than {limit_s / 60:.0f} minutes; ending it")
        return False
    finally:
        program.terminate()  # it ends what it started
        program.wait()
    if well:
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(out, kept)
    return well


if __name__ == "__main__":
    sys.exit(main())
