"""A trap: at the k-th line that a process executes in our modules, or in one phase of them, it is struck.

The trap lies in shared memory, so that it can be set from outside while the process runs, and outlives it.
"""

import json
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

from tests.proofs.lab.places import ELSEWHERE, FILE_LINES, NAMES, Atlas, Place, files, spelled

# The cells, each eight bytes. PHASE: in which the trap lies; 0, it is not set. AT: a line, or 0. LEFT: so
# many more lines of the phase, then any will do. ALWAYS: count, even while the trap is not set.
PHASE, AT, LEFT, SIGNAL, ALWAYS = range(5)
LINES = 5  # from here on, lines executed, by phase
RUNS = LINES + len(NAMES)  # from here on, runs begun, by phase
CELLS = RUNS + len(NAMES)
DEPTH = 60
calm = threading.RLock()  # held by a thread while it does what no strike in another may cut in two

Tracer = Callable[[FrameType, str, object], object]


def shared(path: Path, size: int) -> memoryview:
    """So many bytes that all processes which open this file see alike."""
    with path.open("a+b") as file:
        file.truncate(size)
        return memoryview(mmap.mmap(file.fileno(), size))


def cells_of(folder: Path, member: str) -> memoryview:
    """The cells of a member's trap."""
    return shared(folder / f"{member}.trap", CELLS * 8).cast("q")


def seen_lines(folder: Path) -> memoryview:
    """By a line's number, the phase in which it was last executed, by whomever; 0 where it never was."""
    return shared(folder / "lines.seen", len(files()) * FILE_LINES)


class Trap:
    """Set in this process by ``watch``; threads that start later are watched too."""

    def __init__(self, folder: Path, member: str) -> None:
        self.member = member
        self.cells = cells_of(folder, member)
        self.seen = seen_lines(folder)
        self.strikes = os.open(folder / "strikes.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.atlas = Atlas()
        self.places: dict[CodeType, Place | None] = {}
        self.tracers: dict[tuple[int, int], Tracer] = {}

    def watch(self) -> None:
        """Count lines from now on."""
        threading.settrace(self.enter)
        sys.settrace(self.enter)

    def enter(self, frame: FrameType, _event: str, _arg: object) -> Tracer | None:
        """A function is called; what is not ours, or called while nothing is to be counted, is let alone."""
        if not self.cells[PHASE] and not self.cells[ALWAYS]:
            return None
        place = self.place(frame.f_code)
        if place is None:
            return None
        phase = place.phase
        if phase is None:
            phase = self._phase_of_caller(frame)
        elif place.counts:
            self.cells[RUNS + phase] += 1
        return self.tracers.get((phase, place.base)) or self._tracer(phase, place.base)

    def _phase_of_caller(self, frame: FrameType) -> int:
        """The phase of the nearest function that begins one, of those from which this one is called."""
        caller = frame.f_back
        while caller is not None:
            place = self.place(caller.f_code)
            if place is not None and place.phase is not None:
                return place.phase
            caller = caller.f_back
        return ELSEWHERE

    def place(self, code: CodeType) -> Place | None:
        """Where this code stands; None when it is not ours."""
        try:
            return self.places[code]
        except KeyError:
            found = self.places[code] = self.atlas.place(code)
            return found

    def _tracer(self, phase: int, base: int) -> Tracer:
        cells, seen, counter = self.cells, self.seen, LINES + phase

        def step(frame: FrameType, event: str, _arg: object) -> Tracer:
            if event == "line":
                number = base + frame.f_lineno
                cells[counter] += 1
                seen[number] = phase
                if cells[PHASE] == phase:
                    cells[LEFT] -= 1
                    if cells[LEFT] <= 0 or cells[AT] == number:
                        self._strike(frame, phase, number)
            return step

        self.tracers[phase, base] = step
        return step

    def _strike(self, frame: FrameType, phase: int, number: int) -> None:
        """Note where, then die or freeze before the line is executed."""
        if phase == ELSEWHERE:
            return
        self.cells[PHASE] = 0
        record = {
            "member": self.member,
            "pid": os.getpid(),
            "at": time.time(),
            "phase": NAMES[phase],
            "line": spelled(number),
            "function": frame.f_code.co_qualname,
            "signal": signal.Signals(self.cells[SIGNAL]).name,
            "stack": _stack(frame),
        }
        with calm:
            os.write(self.strikes, json.dumps(record).encode() + b"\n")
            os.kill(os.getpid(), self.cells[SIGNAL])


def _stack(frame: FrameType | None) -> list[str]:
    """Innermost first."""
    lines = []
    while frame is not None and len(lines) < DEPTH:
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return lines
