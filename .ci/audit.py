"""Ask the package index for known vulnerabilities of what TemPhone runs on; fail when it names one.

Nothing is downloaded. Where no service answers, that is said, and is no failure: a check that needs the
internet must not forbid to work without.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "requirements"
REQUIREMENTS = ("run.txt", "voice.txt")
AUDIT = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--timeout", "10"]
LOOK = ["--progress-spinner", "off", "--format", "json", "--requirement"]


def main() -> int:
    """The exit code: 1 when a vulnerability is known."""
    return max([audit(name) for name in REQUIREMENTS])


def audit(name: str) -> int:
    """Of the packages that one file pins."""
    command = [*AUDIT, *LOOK, str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1][:100]
        return say(f"{name}: could not ask: {last}", code=0)
    return judge(name, packages)


def judge(name: str, packages: list[dict[str, Any]]) -> int:
    """Say what the service answered about each package, and give the exit code."""
    asked = [package for package in packages if "skip_reason" not in package]
    found = [(package, hole) for package in asked for hole in package["vulns"]]
    for package, hole in found:
        mended = ", ".join(hole["fix_versions"]) or "no version yet"
        say(f"{name}: {package['name']} {package['version']}: {hole['id']}, mended in {mended}", code=1)
    if found:
        return 1
    if not asked:
        return say(f"{name}: could not ask: the service knows none of {len(packages)} packages", code=0)
    return say(f"{name}: {len(asked)} of {len(packages)} packages looked up, no vulnerability known", code=0)


def say(text: str, *, code: int) -> int:
    """Tell whoever checks; the code, for the caller."""
    sys.stdout.write(f"pip-audit: {text}.\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
