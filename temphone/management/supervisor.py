"""Keeps the programs of a small installation running together, until Ctrl-C or SIGTERM.

Plain Python without Django: it only waits, so it stays small.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

TICK_S = 0.1
READY_WITHIN_S = 60.0
GRACE_S = 15.0  # what is under way may end
STEADY_S = 60.0  # a program that lived this long starts again with a clean record
MOST_DEATHS = 5  # in a row
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # Source: prctl(2)
LIBC = ctypes.CDLL(None)  # loaded before any fork


class GaveUp(Exception):
    """Not all programs can be kept running; the message says which and why."""


@dataclass(slots=True)
class Program:
    """One child: how to start it, and how it fares."""

    name: str
    command: Sequence[str]
    may_start: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    deaths: int = 0

    def start(self, now: float) -> None:
        """Start it in a session of its own: Ctrl-C reaches us alone, and we stop it once."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        self.start_at = now

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def bury(self, now: float) -> str:
        """Take note of its death, and of when it may start again; what it died of."""
        ending = _ending(self.process.returncode) if self.process else "is not running"
        self.kill()
        self.process = None
        self.deaths = 1 if now - self.start_at > STEADY_S else self.deaths + 1
        self.start_at = now + 2.0 ** (self.deaths - 1)
        return f"{self.name} {ending}"

    def terminate(self) -> None:
        """Ask it to end; its own children it ends itself."""
        if self.process:
            self.process.terminate()

    def kill(self) -> None:
        """End it and everything that it started."""
        if self.process:
            with suppress(ProcessLookupError):  # it left nothing behind
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Starts programs, says when all is ready, starts again what dies, and ends them together.

    ``trouble`` returns what is not well yet, empty when all is; ``on_ready`` is called once then.
    """

    def __init__(
        self, programs: Sequence[Program], *, trouble: Callable[[], str], on_ready: Callable[[], None]
    ) -> None:
        self.programs = programs
        self.trouble = trouble
        self.on_ready = on_ready
        self.ready = False
        self.stops = 0

    def run(self) -> int:
        """Return the exit code, when all programs have ended."""
        for number in STOPS:
            # Set even where a shell that starts us in the background has them ignored.
            signal.signal(number, self._stop)
        deadline = time.monotonic() + READY_WITHIN_S
        try:
            while not self.stops:
                self._tend(time.monotonic())
                self._look(time.monotonic(), deadline)
                time.sleep(TICK_S)
        except GaveUp as error:
            say(f"{error}; stopping.")
            return 1
        finally:
            self._end()
        return 0

    def _stop(self, *_: object) -> None:
        self.stops += 1

    def _tend(self, now: float) -> None:
        for program in self.programs:
            if program.process is None and program.start_at <= now and program.may_start():
                program.start(now)
            elif program.process and not program.is_alive():
                self._mourn(program, now)

    def _mourn(self, program: Program, now: float) -> None:
        death = program.bury(now)
        if not self.ready or program.deaths > MOST_DEATHS:
            raise GaveUp(death)
        say(f"{death}; it starts again in {program.start_at - now:.0f} s, and no call is lost.")

    def _look(self, now: float, deadline: float) -> None:
        if self.ready:
            return
        trouble = self.trouble()
        if not trouble:
            self.ready = True
            self.on_ready()
        elif now > deadline:
            raise GaveUp(f"not ready after {READY_WITHIN_S:.0f} s: {trouble}")

    def _end(self) -> None:
        for program in self.programs:
            program.terminate()
        deadline = time.monotonic() + GRACE_S
        # A second Ctrl-C does not wait.
        while any(p.is_alive() for p in self.programs) and time.monotonic() < deadline and self.stops < 2:
            time.sleep(TICK_S)
        for program in self.programs:
            program.kill()


def say(text: str) -> None:
    """Tell whoever started us."""
    print(text, flush=True)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def die_with_parent(parent: int) -> None:
    """Have the kernel send us SIGTERM when the parent dies, however it dies; only Linux can."""
    if sys.platform != "linux":
        return
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), signal.SIGTERM)
