"""The programs that the specification's examples are written for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path("/usr/share/nodejs")  # where Debian's node packages are


def program(name: str) -> str:
    """Where the program is; without it the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def run(folder: Path, *command: str) -> str:
    """What the command prints; its failure is the test's. No proxy of the environment stands between."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
