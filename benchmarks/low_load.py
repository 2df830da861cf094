"""Low load: two calls a second for a minute; how late is each?"""

import time
from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks.frame import Postgres, Report, folder, options, percentile
from benchmarks.ours import Overrun, Starts, Tables, Template, cost, running, seeded, soon

NOTE = """\
Two calls a second for {seconds} s, each at an instant of its own, through the real clock and worker on \
an otherwise idle installation. Lag is the start at the carrier port less the instant at which the call \
was due. The clock looks every 50 ms, the ORM broker polls every 50 ms. Databases with fsync, on tmpfs."""
EVERY_S = 0.5


def main() -> None:
    given = options(__doc__)
    calls = given.pick(120, quick=6)
    report = Report(
        "low_load", title="Low load: two calls a second", note=NOTE.format(seconds=calls * EVERY_S)
    )
    with ExitStack() as stack:
        path, server = stack.enter_context(folder()), stack.enter_context(Postgres())
        for name, where in (("PostgreSQL", server), ("SQLite", None)):
            template = seeded(where, path, calls=calls)
            figures = report.row(f"TemPhone, {name}", [measure(template, calls)])
            report.goal(
                f"Low load: p99 lag under 150 ms on {name}", figures["lag p99, ms"], most=150, unit="ms",
                why="Up to 50 ms until the clock looks, up to 50 until the worker does, then the claim.",
            )  # fmt: skip
    report.finish(given)


def measure(template: Template, calls: int) -> dict[str, float]:
    """Lag of calls that come one by one, and what the programs used meanwhile."""
    database = template.copy("low")
    tables = Tables(database.url)
    starts = Starts(template.path / "dials")
    used: dict[str, float] = {}
    with running(template.path, database.url) as processes:
        began = soon(10)
        due = _spread(tables, began)
        if time.time() > began:
            raise Overrun("preparing took longer than 10 s")
        with cost(processes, template.server, used):
            starts.wait_for(calls, processes)
    lags = [1000 * (at - due[number]) for number, at in starts.read()]
    return {
        "lag p50, ms": percentile(lags, 0.5),
        "lag p99, ms": percentile(lags, 0.99),
        "lag max, ms": max(lags),
        **used,
    }


def _spread(tables: Tables, began: float) -> dict[str, float]:
    """Let the calls be due one after the other; the instants by number. Off the poll's beat by a prime."""
    rows = tables.read(
        "SELECT c.id, n.phone FROM calls_call c JOIN contacts_contact n ON n.id = c.contact_id "
        "WHERE c.status = 'scheduled'"
    )
    due = {number: began + order * (EVERY_S + 0.0037) for order, (_, number) in enumerate(rows)}
    moments = [tables.moment(datetime.fromtimestamp(due[number], UTC)) for _, number in rows]
    tables.write(
        "UPDATE calls_call SET due_at = %s, scheduled_at = %s WHERE id = %s",
        [(moment, moment, call) for moment, (call, _) in zip(moments, rows, strict=True)],
    )
    tables.settle()
    return due


if __name__ == "__main__":
    main()
