"""The Makefile, and what it installs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
ADDRESS = re.compile(r"://|--(index|extra-index|find-links)")
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout without an environment, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    return folder


def test_a_python_too_old_is_said_in_one_line(fresh: Path):
    old = fresh / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", "PYTHON=./python3"], cwd=fresh, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    first, *makes_own = done.stderr.splitlines()
    assert first == "TemPhone needs Python 3.11 or newer, and ./python3 is not: make run PYTHON=python3.12"
    assert all(line.startswith("make") and "***" in line for line in makes_own)
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_are_pinned_with_hashes_and_hold_no_address(path: Path):
    text = path.read_text()
    assert not ADDRESS.search(text)
    pinned = re.findall(r"^[a-z].*==.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0


def test_what_runs_it_is_pinned_alike_for_development():
    def pins(name: str) -> set[str]:
        return set(
            re.findall(r"^([a-z][^ ;]*==[^ ;]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)
        )

    assert pins("run.txt") <= pins("dev.txt")
    assert pins("install.txt") <= pins("dev.txt")
