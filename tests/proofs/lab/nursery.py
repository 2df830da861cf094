"""``python -m tests.proofs.lab.nursery PLAN``: forks members on demand, and tells when one dies or freezes.

Orders come as lines on standard input, reports go as lines to standard output, both JSON. It has Django and
the gateway loaded, but neither a thread nor a database connection, so that forking is safe. When its input
ends, it ends with everything that it forked.
"""

import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import django
from django.conf import settings

from tests.proofs.lab.plan import Plan
from tests.proofs.lab.times import FREEZE_S, LOCK_WAIT_S


class Nursery:
    """The parent of all members."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.children: dict[int, str] = {}
        self.thaw_at: dict[int, float] = {}
        self.chance = Random(plan.seed)
        self.bell, bell = os.pipe()
        os.set_blocking(bell, False)
        os.set_blocking(self.bell, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def work(self) -> None:
        """Serve until the input ends."""
        report(event="ready", slower=self.plan.slower)
        orders = b""
        while True:
            ready, _, _ = select.select([0, self.bell], [], [], self.thaw())
            if self.bell in ready:
                os.read(self.bell, 4096)
                self.look()
            if 0 in ready:
                read = os.read(0, 65536)
                if not read:
                    return
                *whole, orders = (orders + read).split(b"\n")
                for order in whole:
                    self.fork(**json.loads(order))

    def fork(self, *, name: str, role: str) -> None:
        """Make a member."""
        pid = os.fork()
        if not pid:
            try:
                self.become(name, role)
            except BaseException:
                traceback.print_exc()  # into the member's log: nobody else would say why it died
                raise
            finally:
                sys.stderr.flush()
                os._exit(1)
        self.children[pid] = name
        report(event="started", name=name, pid=pid)

    def become(self, name: str, role: str) -> None:
        """In the child: let go of the nursery, and do what the role does."""
        from tests.proofs.lab.roles import ROLES
        from tests.proofs.lab.trap import Trap

        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        folder = Path(self.plan.folder)
        log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, log, log)):
            os.dup2(file, number)
        trap = Trap(folder, name)
        trap.watch()
        ROLES[role](self.plan)

    def thaw(self) -> float | None:
        """Let those go on who have been frozen long enough; returns in how many seconds the next is to.

        It is done here since the driver may itself be waiting for a lock that a frozen member holds.
        """
        now = time.monotonic()
        for pid in [pid for pid, at in self.thaw_at.items() if at <= now]:
            del self.thaw_at[pid]
            os.kill(pid, signal.SIGCONT)
            report(event="thawed", name=self.children[pid], pid=pid)
        return min(self.thaw_at.values()) - now if self.thaw_at else None

    def look(self) -> None:
        """Tell who has died or stopped since the last look."""
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if not pid:
                return
            if os.WIFSTOPPED(status):
                self.thaw_at[pid] = time.monotonic() + self.chance.uniform(*FREEZE_S) * self.plan.slower
                report(event="frozen", name=self.children[pid], pid=pid)
                continue
            self.thaw_at.pop(pid, None)
            how = os.waitstatus_to_exitcode(status)
            report(event="died", name=self.children.pop(pid), pid=pid, how=how)


def report(**event: object) -> None:
    """Tell the driver."""
    os.write(1, json.dumps(event).encode() + b"\n")


def prepare(plan: Plan) -> Plan:
    """Load everything that any member will need, with the laboratory's times and the mistake, if any.

    Returns the plan with how slow this machine is.
    """
    quicken(settings.DATABASES["default"])
    django.setup()
    from django.urls import resolve

    from tests.proofs.lab import mistakes, roles, times

    resolve("/carriers/gateway/events")
    roles.load()
    plan = replace(plan, slower=max(plan.slower, times.slowness()))
    times.shorten(plan.slower)
    if plan.mistake:
        mistakes.MISTAKES[plan.mistake]()
    gc.collect()
    gc.freeze()
    return plan


def quicken(database: dict[str, Any]) -> None:
    """Do not wait for the disk: only a power cut loses what a killed process has written.

    But wait for locks: how long they are held is no question here, where somebody is frozen with them.
    """
    options = database["OPTIONS"]
    if "init_command" in options:
        options["init_command"] += "PRAGMA synchronous=OFF;"
        options["timeout"] = LOCK_WAIT_S
    else:
        options["options"] = "-c synchronous_commit=off"


def main() -> None:
    plan = prepare(Plan.read(Path(sys.argv[1])))
    try:
        Nursery(plan).work()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
