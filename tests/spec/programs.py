"""The programs that the specification's examples are written for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path("/usr/share/nodejs")  # where Debian's node packages are


def program(name: str) -> str:
    """Where the program is."""
    found = shutil.which(name)
    if found is None:
        missing(name)
    return str(found)


def module(name: str) -> Path:
    """Where Debian's package of the node module is."""
    if not (MODULES / name).is_dir():
        missing(f"node-{name}")
    return MODULES / name


def missing(name: str) -> None:
    """Skip, with the reason; fail where everything must be there."""
    if os.environ.get("TEMPHONE_REQUIRE_ALL") == "1":
        pytest.fail(f"{name} is missing")
    pytest.skip(f"{name} is missing")


def run(folder: Path, *command: str) -> str:
    """What the command prints; its failure is the test's. No proxy of the environment stands between."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
