"""A thousand calls at once: the whole of TemPhone, with its real gateway, whose simulated network talks.

Web, clock, worker and one gateway process as ``manage.py dev`` starts them, and a PostgreSQL on tmpfs. All
calls are due at one instant; each callee answers after two to four seconds, hears the message out and says a
word. How many are up, from the dial to the end, is what the database shows ten times a second.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from benchmarks.databases import Tables, Template, environment, seeded
from benchmarks.dispatch import at_once, await_instant, soon
from benchmarks.frame.command import options, say
from benchmarks.frame.figures import Figures, percentile
from benchmarks.frame.programs import Process, folder, free_port, wait_until
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from temphone.management.together import Web, programs

LATEST_S = 300.0
LOOK_S = 0.1
LIVE = "SELECT count(*), count(answered_at) FROM calls_attempt WHERE outcome IS NULL"
LEFT = (
    "SELECT count(*) FROM calls_call WHERE status = 'in_progress' OR (status = 'scheduled' AND due_at <= %s)"
)
MADE = "SELECT created_at, ended_at FROM calls_attempt WHERE created_at >= %s"
COMPLETED = "SELECT count(*) FROM calls_call WHERE status = 'completed' AND due_at = %s"
READY = "SELECT 1 FROM calls_gateway WHERE ledger <> 'gw_benchmark' AND lines > 0"


def main() -> None:
    given = options(__doc__)
    calls, runs = given.pick(1_000, quick=50), given.pick(3, quick=1)
    report = Report(
        "simulated_calls", title=f"{calls:,} simulated calls at once", note=" ".join(str(__doc__).split())
    )
    with ExitStack() as stack:
        path, server = stack.enter_context(folder()), stack.enter_context(Postgres())
        template = seeded(server, path, calls=calls)
        found = []
        for number in range(runs):
            found.append(measured(template))
            say(f"  {number + 1}/{runs}: {found[-1]['most at once']:.0f} at once")
    _goals(report, report.row("TemPhone, PostgreSQL", found), calls)
    report.finish(given)


def measured(template: Template) -> Figures:
    """Let all be due at one instant, and look until all are over."""
    database = template.copy("measured")
    tables, port = database.tables, free_port()
    # No gateway of the seed's, and nobody outside who is told of anything.
    tables.write("UPDATE calls_gateway SET lines = 0, last_seen_at = %s", [[tables.moment(0)]])
    tables.write("UPDATE calls_call SET webhook_url = %s", [[""]])
    with _running(database, port) as processes:
        wait_until(lambda: bool(tables.read(READY)), within_s=120, what="the gateway is ready")
        began = soon(3)
        due = at_once(tables, began)
        await_instant(began)
        before = {name: process.cpu_s() for name, process in processes.items()}
        most, answered = _watched(tables, began, list(processes.values()))
        used = {name: process.cpu_s() - before[name] for name, process in processes.items()}
    at = datetime.fromtimestamp(began, UTC)
    made = tables.read(MADE, at)
    lags = [(created - at).total_seconds() for created, _ in made]
    first_end = min((ended for _, ended in made if ended), default=at)
    return {
        "calls": len(due),
        "most at once": most,
        "most answered": answered,
        "completed": tables.read(COMPLETED, at)[0][0],
        "lag p99, s": percentile(lags, 0.99),
        "first end, s": (first_end - at).total_seconds(),
        "dialled by then": sum(created <= first_end for created, _ in made),
        **{f"{name} CPU, s": spent for name, spent in used.items()},
    }


@contextmanager
def _running(database: Template, port: int) -> Iterator[Mapping[str, Process]]:
    """The programs of a small installation."""
    own = {
        **environment(database.url, database.path, DJANGO_SETTINGS_MODULE="temphone.settings"),
        "TEMPHONE_DATA_DIR": str(database.path / "data"),
        "TEMPHONE_CALLBACK_URL": f"http://127.0.0.1:{port}",
        "TEMPHONE_SIP_LISTEN": "off",
    }
    web = Web("127.0.0.1", port)
    with ExitStack() as stack:
        started: dict[str, Process] = {}
        for program in programs("127.0.0.1", port, web):
            if program.name == "gateway":
                wait_until(web.answers, within_s=60, what="web answers")
            log = database.path / f"{program.name}.log"
            started[program.name] = stack.enter_context(
                Process([sys.executable, *program.command[1:]], log=log, environment=own)
            )
        yield started


def _watched(tables: Tables, began: float, processes: list[Process]) -> tuple[int, int]:
    """The most calls that were up at once, and of those answered."""
    most = answered = 0
    instant, deadline = datetime.fromtimestamp(began, UTC), began + LATEST_S
    with tables.connected() as connection:
        while True:
            for process in processes:
                process.check()
            live, talking = connection.execute(LIVE).fetchone()
            most, answered = max(most, live), max(answered, talking)
            if time.time() > began + 1 and not connection.execute(LEFT, [instant]).fetchone()[0]:
                return most, answered
            if time.time() > deadline:
                raise TimeoutError(f"not all over within {LATEST_S:.0f} s; {live} are up")
            time.sleep(LOOK_S)


def _goals(report: Report, figures: Figures, calls: int) -> None:
    why = (
        f"When the first was over, {figures['first end, s']:.1f} s after the instant, "
        f"{figures['dialled by then']:.0f} were dialled; the gateway used {figures['gateway CPU, s']:.1f} s "
        f"of CPU, the worker {figures['worker CPU, s']:.1f}, web {figures['web CPU, s']:.1f}."
    )
    report.goal(f"{calls:,} simulated calls at once", figures["most at once"], least=calls, why=why)
    report.goal(f"{calls:,} simulated calls, all completed", figures["completed"], least=calls, why=why)


if __name__ == "__main__":
    main()
