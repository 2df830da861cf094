"""How any way to start calls at their instants is measured: its programs, the instants, what started when."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Tables, Template
from benchmarks.frame.command import say
from benchmarks.frame.figures import percentile, shown
from benchmarks.frame.programs import Process, wait_until
from benchmarks.frame.servers import Postgres

LATEST_S = 180.0


# ---------------------------------------------------------------- the calls and their instants


@dataclass(frozen=True, slots=True)
class Due:
    """A call that is due at an instant, in seconds since the epoch."""

    call: str
    phone: str
    at: float


MakeDue = Callable[[Tables, float], Sequence[Due]]


def at_once(tables: Tables, began: float) -> list[Due]:
    """Let all seeded calls be due at the instant."""
    calls = _seeded(tables)
    moment = tables.moment(began)
    due = "(SELECT min(due_at) FROM calls_call WHERE status = 'scheduled')"
    sql = (
        f"UPDATE calls_call SET due_at = %s, scheduled_at = %s WHERE status = 'scheduled' AND due_at = {due}"
    )
    tables.write(sql, [(moment, moment)])
    tables.settle()
    return [Due(call, phone, began) for call, phone in calls]


def one_by_one(calls: int, every_s: float) -> MakeDue:
    """Let so many of the seeded calls be due one after the other."""

    def make_due(tables: Tables, began: float) -> list[Due]:
        wanted = enumerate(_seeded(tables)[:calls])
        due = [Due(call, phone, began + order * every_s) for order, (call, phone) in wanted]
        moments = [(tables.moment(one.at), tables.moment(one.at), one.call) for one in due]
        tables.write("UPDATE calls_call SET due_at = %s, scheduled_at = %s WHERE id = %s", moments)
        tables.settle()
        return due

    return make_due


def _seeded(tables: Tables) -> list[tuple[str, str]]:
    """The calls to make due, and whom they ring; those for later are not among them."""
    found = tables.read(
        "SELECT c.id, n.phone FROM calls_call c JOIN contacts_contact n ON n.id = c.contact_id "
        "WHERE c.status = 'scheduled' AND c.due_at = "
        "(SELECT min(due_at) FROM calls_call WHERE status = 'scheduled') ORDER BY c.id"
    )
    return [(call, phone) for call, phone in found]


# ---------------------------------------------------------------- a way to start them


class Way:
    """One way to start calls at their instants."""

    writes = True  # whether a start leaves its rows

    def lead_s(self, _calls: int) -> float:
        """How long before the instant the preparing of so many calls may begin, on a quiet machine."""
        return 3

    def running(self, database: Template) -> AbstractContextManager[Sequence[Process]]:
        """Its programs, ready, and the servers that only it uses."""
        raise NotImplementedError

    def hand_over(self, database: Template, due: Sequence[Due]) -> None:
        """Tell it of the calls; nothing to do for who finds them in their table."""

    def watched(self, _database: Template, _into: dict[str, float]) -> AbstractContextManager[None]:
        """Add what else is to be seen while it works."""
        return nullcontext()


class Starts:
    """The file in which carriers and peers note each start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.unlink(missing_ok=True)

    def count(self) -> int:
        """How many so far."""
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def read(self) -> list[tuple[str, float]]:
        """What started, and when (seconds since the epoch).

        Raises:
            AssertionError: one was started twice.
        """
        found = [(name, float(at)) for name, at in map(str.split, self.path.read_text().splitlines())]
        twice = [name for name, times in Counter(name for name, _ in found).items() if times > 1]
        if twice:
            raise AssertionError(f"{len(twice)} were started twice, such as {twice[0]}")
        return found

    def wait_for(self, count: int, processes: Sequence[Process]) -> None:
        """Return when so many have started.

        Raises:
            RuntimeError: a program has ended.
            TimeoutError: too few.
        """

        def all_started() -> bool:
            for process in processes:
                process.check()
            return self.count() >= count

        wait_until(all_started, within_s=LATEST_S, what=f"{count} starts", every_s=0.1)

    def lags(self, due: Sequence[Due]) -> list[float]:
        """How many seconds after its instant each started; it is noted by its call or by its phone."""
        instants = {name: one.at for one in due for name in (one.call, one.phone)}
        return [at - instants[name] for name, at in self.read()]


# ---------------------------------------------------------------- a run


@dataclass(frozen=True, slots=True)
class Run:
    """How late each call started, in seconds, and what was used meanwhile."""

    lags: Sequence[float]
    used: Mapping[str, float]

    def lag(self, share: float) -> float:
        """The lag that so large a share of the calls did not exceed."""
        return percentile(self.lags, share)


class Overrun(Exception):
    """Preparing ended after the instant at which the calls were due: no measurement."""


def measured(way: Way, template: Template, calls: int, make_due: MakeDue) -> Run:
    """Measure on a copy of the database; a busy machine needs more time to prepare.

    Raises:
        Overrun: it was not prepared in time.
    """
    lead_s = way.lead_s(calls)
    for more in (1, 4, 16):
        try:
            return _measured(way, template, make_due, more * lead_s)
        except Overrun as error:
            say(f"  {error}; once more, with more time")
    raise Overrun(f"not prepared within {16 * lead_s:.0f} s")


def _measured(way: Way, template: Template, make_due: MakeDue, lead_s: float) -> Run:
    database, starts = template.copy("measured"), Starts(template.path / "dials")
    used: dict[str, float] = {}
    with way.running(database) as processes:
        began = soon(lead_s)
        due = make_due(database.tables, began)
        way.hand_over(database, due)
        before = database.commits()
        await_instant(began)
        with way.watched(database, used), cost(processes, database.server, used):
            starts.wait_for(len(due), processes)
    lags = starts.lags(due)
    if way.writes:
        check_rows(database.tables, len(due))
    if database.server:
        # Read when all have ended: only then are their statistics complete.
        used["commits"] = float(database.commits() - before)
    return Run(lags, used)


def soon(seconds: float) -> float:
    """A whole second at least so far away, since the epoch."""
    return float(int(time.time() + seconds) + 1)


def await_instant(began: float) -> None:
    """Wait for the instant.

    Raises:
        Overrun: it has passed.
    """
    late = time.time() - began
    if late > 0:
        raise Overrun(f"prepared {late:.1f} s after the instant")
    time.sleep(-late)


@contextmanager
def cost(processes: Sequence[Process], server: Postgres | None, into: dict[str, float]) -> Iterator[None]:
    """Add what programs and server used meanwhile."""
    before, served = sum(one.cpu_s() for one in processes), server.cpu_s() if server else 0
    yield
    into["CPU, s"] = sum(one.cpu_s() for one in processes) - before
    if server:
        into["PostgreSQL CPU, s"] = server.cpu_s() - served


def check_rows(tables: Tables, calls: int) -> None:
    """Each call got its attempt, its event and its decision, and is in progress.

    Raises:
        AssertionError: the work was not done.
    """
    queries: Mapping[str, str] = {
        "calls": "SELECT count(*) FROM calls_call WHERE status = 'in_progress'",
        "attempts": "SELECT count(*) FROM calls_attempt WHERE state = 'dialing'",
        "events": "SELECT count(*) FROM calls_callevent e JOIN calls_attempt a ON a.id = e.attempt_id "
        "WHERE a.state = 'dialing' AND e.name = 'dialing'",
        "decisions": "SELECT count(*) FROM calls_decision d JOIN calls_attempt a ON a.id = d.attempt_id "
        "WHERE a.state = 'dialing' AND d.stage = 'claim'",
    }
    found = {name: tables.read(sql)[0][0] for name, sql in queries.items()}
    if set(found.values()) != {calls}:
        raise AssertionError(f"not {calls} of each: {found}")


Measure = Callable[[], Run]


def rounds(measures: Mapping[str, Measure], times: int) -> dict[str, list[Run]]:
    """Measure all in turn, so often: what disturbs the machine for a while disturbs all alike."""
    found: dict[str, list[Run]] = {name: [] for name in measures}
    for number in range(times):
        for name, measure in measures.items():
            run = measure()
            found[name].append(run)
            lags = ", ".join(f"p{share} {shown(run.lag(share / 100))} s" for share in (50, 99))
            say(f"  {number + 1}/{times} {name}: lag {lags}")
    return found


def burst_figures(run: Run) -> dict[str, float]:
    """Starts a second and lag of what was due at one instant."""
    return {
        "starts/s": len(run.lags) / max(run.lags),
        "lag p50, s": run.lag(0.5),
        "lag p99, s": run.lag(0.99),
        **run.used,
    }
