import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from temphone.management import supervisor
from temphone.management.supervisor import MOST_DEATHS, GaveUp, Program, Supervisor

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
pytestmark = pytest.mark.processes


def a_supervisor(*programs: Program, trouble: str = "") -> Supervisor:
    return Supervisor(programs, trouble=lambda: trouble, on_ready=lambda: None)


@pytest.fixture
def sleeper():
    program = Program("sleeper", SLEEPS)
    program.start(now=0.0)
    yield program
    program.kill()


def test_a_program_that_dies_waits_longer_each_time_before_it_starts_again(capsys):
    program = Program("failing", ["false"])
    supervised = a_supervisor(program)
    supervised.ready = True
    waits = []
    now = 0.0
    for _ in range(MOST_DEATHS):
        program.start(now)
        program.process.wait()
        supervised._tend(now)
        waits.append(program.start_at - now)
        now = program.start_at
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert "failing ended with exit code 1; it starts again in 1 s" in capsys.readouterr().out


def test_it_gives_up_a_program_that_dies_again_and_again():
    program = Program("failing", ["false"], deaths=MOST_DEATHS)
    supervised = a_supervisor(program)
    supervised.ready = True
    program.start(0.0)
    program.process.wait()
    with pytest.raises(GaveUp, match="failing ended with exit code 1"):
        supervised._tend(0.0)


def test_a_death_after_a_long_life_counts_as_the_first(sleeper):
    sleeper.deaths = MOST_DEATHS
    sleeper.kill()
    assert "SIGKILL" in sleeper.bury(now=1000.0)
    assert sleeper.deaths == 1


def test_a_death_before_all_is_ready_ends_everything(capsys):
    programs = [Program("steady", SLEEPS), Program("failing", ["false"])]
    assert a_supervisor(*programs, trouble="web does not answer").run() == 1
    assert capsys.readouterr().out == "failing ended with exit code 1; stopping.\n"
    assert not programs[0].is_alive()


def test_it_says_what_is_not_ready_in_time(monkeypatch, capsys):
    monkeypatch.setattr(supervisor, "READY_WITHIN_S", 0.0)
    assert a_supervisor(Program("steady", SLEEPS), trouble="clock: not seen yet").run() == 1
    assert "not ready after 0 s: clock: not seen yet" in capsys.readouterr().out


def test_what_a_dead_program_left_behind_is_ended_too(tmp_path: Path):
    file = tmp_path / "pid"
    leaves = f"""
import subprocess
child = subprocess.Popen({SLEEPS!r})
open({str(file)!r}, "w").write(str(child.pid))
"""
    program = Program("leaving", [sys.executable, "-c", leaves])
    program.start(0.0)
    program.process.wait()
    program.bury(0.0)
    assert ends(int(file.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_end_even_when_the_supervisor_is_killed_outright(tmp_path: Path):
    file = tmp_path / "pid"
    code = f"""
import os, signal
from temphone.management.supervisor import Program
program = Program("sleeper", {SLEEPS!r})
program.start(0.0)
open({str(file)!r}, "w").write(str(program.process.pid))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert ends(int(file.read_text()))


def ends(pid: int, within_s: float = 10) -> bool:
    """Whether the process ends in time."""
    deadline = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be collected."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
