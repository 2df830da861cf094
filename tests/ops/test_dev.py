"""What ``make run`` starts, as real processes."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ops.running import READY, Dev, a_dev

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
PART_OF = {
    "web": "granian",
    "clock": "manage.py clock",
    "worker": "manage.py qcluster",
    "gateway": "temphone.gateway",
}


def first_of(dev: Dev, words: str) -> int | None:
    """The oldest process whose command line has these words."""
    return min((pid for pid, line in dev.processes().items() if words in line), default=None)


def wait_until(happens: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_runs_prints_a_call_that_works_and_leaves_nothing(tmp_path: Path):
    with a_dev(tmp_path / "one") as dev:
        dev.wait_for("watch it at")
        assert dev.get("/readyz") == 200
        assert "admin / temphone-demo" in dev.text
        curl = re.search(r"curl -X POST.*?\n      }'\n", dev.text, re.DOTALL)
        answer = subprocess.run(["sh", "-c", curl[0]], capture_output=True, text=True, check=True)
        assert '"status":"success"' in answer.stdout.replace(" ", "")
        assert dev.stop(signal.SIGINT) == 0
        assert dev.all_gone(within_s=0)
        assert "Traceback" not in dev.text


def test_a_program_that_is_killed_starts_again(tmp_path: Path):
    with a_dev(tmp_path / "one", TEMPHONE_DEMO="0") as dev:
        dev.wait_for(READY)
        victims = {program: first_of(dev, words) for program, words in PART_OF.items()}
        for program, victim in victims.items():
            os.kill(victim, signal.SIGKILL)
            dev.wait_for(f"{program} was ended by SIGKILL; it starts again in 1 s")
        wait_until(lambda: all(first_of(dev, words) for words in PART_OF.values()))
        assert not set(victims.values()) & set(dev.processes())
        assert dev.stop(signal.SIGTERM) == 0
        assert dev.all_gone(within_s=0)


def test_nothing_is_left_when_it_is_killed_outright(tmp_path: Path):
    with a_dev(tmp_path / "one", TEMPHONE_DEMO="0") as dev:
        dev.wait_for(READY)
        assert len(dev.processes()) > len(PART_OF)
        dev.stop(signal.SIGKILL)
        assert dev.all_gone()


def test_two_run_side_by_side(tmp_path: Path):
    with a_dev(tmp_path / "one", TEMPHONE_DEMO="0") as one, a_dev(tmp_path / "two", TEMPHONE_DEMO="0") as two:
        one.wait_for(READY)
        two.wait_for(READY)
        assert (one.get("/readyz"), two.get("/readyz")) == (200, 200)
        one.stop()
        assert two.get("/readyz") == 200


def refusal(folder: Path, **environment: str) -> str:
    """What it says instead of starting."""
    dev = Dev(folder, **environment)
    assert dev.process.wait(timeout=60) == 1
    return dev.text


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(tmp_path / "one", PORT=str(port))
    assert said == (
        f"temphone: cannot listen on 127.0.0.1:{port} (Address already in use); "
        f"choose another: PORT={port + 1} make run\n"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"DATABASE_URL": "mysql://x/y"}, "temphone: DATABASE_URL must look like sqlite:"),
        (
            {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"},
            "temphone: DATABASE_URL: the database does not",
        ),
        (
            {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/x"},
            "temphone: DATABASE_URL: the database does not answer",
        ),
        ({"TEMPHONE_DATA_DIR": "/dev/null/x"}, "temphone: TEMPHONE_DATA_DIR: cannot write /dev/null/x"),
        ({"PORT": "eighty"}, "temphone: PORT must be an integer"),
        ({"HOST": "203.0.113.7"}, "temphone: cannot listen on 203.0.113.7:"),
        ({"TEMPHONE_DEMO": "maybe"}, "temphone: TEMPHONE_DEMO must be 1 or 0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_said_in_one_line(tmp_path: Path, wrong, said):
    text = refusal(tmp_path / "one", **wrong)
    assert text.startswith(said), text
    assert text.count("\n") == 1, text
