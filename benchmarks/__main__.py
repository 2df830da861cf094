"""Run every benchmark, one after the other, and write ``docs/performance.md`` from what they measured.

``--quick`` is a smoke run: its figures, which mean nothing, go to ``var/benchmarks/quick`` instead.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.frame import page
from benchmarks.frame.command import RESULTS, ROOT, say

# What takes the load of a machine that was just started first, what makes the most of its own last.
ORDER = (
    *("disk", "low_load", "sip_calls", "spoken_calls", "answering"),
    *("ingest", "lists", "pages", "bulk", "million", "burst"),
)
LIMIT_S = 1800


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"Which: {', '.join(there())}. Default: all."
    )
    parser.add_argument("--quick", action="store_true", help="A smoke run.")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and the benchmark under way ends, too
    results = RESULTS / "quick" if given.quick else RESULTS
    began = time.monotonic()
    names = given.names or there()
    failed = [name for name in names if not measure(name, results, quick=given.quick)]
    # The page of the documentation is whole, or it stays as it was.
    whole = not given.quick and not failed
    written = (ROOT / "docs" if whole else results) / "performance.md"
    written.write_text(page.page(results), encoding="utf-8")
    say(f"Written: {written}, after {(time.monotonic() - began) / 60:.1f} minutes")
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def there() -> list[str]:
    """The benchmarks that are in this folder, in the order in which they run."""
    here = Path(__file__).parent
    return [name for name in ORDER if (here / f"{name}.py").exists() or (here / name).is_dir()]


def measure(name: str, results: Path, *, quick: bool) -> bool:
    """Run one in a process of its own; whether it ended well. Older figures of it are gone if not."""
    say(f"{name} ...")
    out = results / f"{name}.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out)]
    program = subprocess.Popen([*command, "--quick"] if quick else command, cwd=ROOT)
    try:
        return program.wait(LIMIT_S) == 0 and out.exists()
    except subprocess.TimeoutExpired:
        say(f"{name} takes longer than {LIMIT_S / 60:.0f} minutes; ending it")
        return False
    finally:
        program.terminate()  # it ends what it started
        program.wait()


if __name__ == "__main__":
    sys.exit(main())
