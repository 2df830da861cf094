"""A campaign of 100,000 contacts launched: ours, beside other ways to write the same rows.

A call and its first event to each contact. COPY is the floor: one transaction, nothing checked. Ours is the
launch of a draft that calls everybody in a month: people are counted, then the worker's batches of 5,000,
each of which looks whom the campaign calls already, locks them, says by the plan and the contact's zone when
each is due, and notes in its transaction how far the launch is, which is the progress that its page shows.
Not in it: the worker's pause after each second of it, until the clock rings again. The batch endpoint checks
each call as if it came alone, asks its gates and writes their decision too. Each way gets a copy of one
seeded database; they take turns.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from benchmarks.databases import Tables, Template
from benchmarks.dispatch import cost
from benchmarks.frame.command import ROOT, options, say
from benchmarks.frame.figures import Figures, ratio, shown
from benchmarks.frame.programs import Process, folder, free_port, listens, wait_until
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from benchmarks.ingest import granian

WAYS = {
    "PostgreSQL": {
        "COPY": "copy",
        "TemPhone": "ours",
        "bulk_create": "bulk_create",
        "batch endpoint, 1,000 a request": "requests",
    },
    "SQLite": {
        "TemPhone": "ours",
        "bulk_create": "bulk_create",
        "batch endpoint, 1,000 a request": "requests",
    },
}
CPU = "PostgreSQL CPU, us a call"


def main() -> None:
    given = options(__doc__)
    report = Report(
        "bulk", title="A campaign of 100,000 contacts launched", note=" ".join(str(__doc__).split())
    )
    rounds, contacts = given.pick(3, quick=1), given.pick(100_000, quick=2_000)
    for database, ways in WAYS.items():
        measured = _measure(database, ways, rounds, contacts)
        rows = {name: report.row(f"{name}, {database}", runs) for name, runs in measured.items()}
        if "COPY" in rows:
            report.goal(
                "at least 60 % of COPY's calls/s",
                ratio(rows["TemPhone"], rows["COPY"], "calls/s"),
                least=0.6,
                why=_why(rows["TemPhone"], rows["COPY"]),
            )
    report.finish(given)


def _why(ours: Figures, floor: Figures) -> str:
    """What a call costs, and what of it COPY does not do."""
    costs = [
        f"{1e6 / one['calls/s']:.0f} us a call, {one[CPU]:.0f} of them PostgreSQL's" for one in (ours, floor)
    ]
    return (
        f"Ours takes {costs[0]}; COPY {costs[1]}. What we add: who has a call already is looked for, who has "
        "none is locked, each call's instant is planned, and each batch is a transaction."
    )


def _measure(
    database: str, ways: Mapping[str, str], rounds: int, contacts: int
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    with Postgres() if database == "PostgreSQL" else nullcontext() as server, folder() as path:
        template = Template(server, path, "seed")
        if server:
            server.create("seed")
        say(f"  seeding {database} with {contacts:,} contacts")
        key = str(_told(template, "seed", str(contacts))["key"])
        for number in range(rounds):
            for name, way in ways.items():
                figures = _run(template.copy("bulk"), way, key, contacts)
                found[name].append(figures)
                say(f"  {number + 1}/{rounds} {name}: {shown(figures['calls/s'])} calls/s")
    return found


def _environment(database: Template, **more: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "temphone.settings",
        "DATABASE_URL": database.url,
        "TEMPHONE_DATA_DIR": str(database.path),
        **more,
    }


def _told(database: Template, *arguments: str, **more: str) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.bulk_ways", *arguments]
    env = {**os.environ, **_environment(database, **more)}
    done = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, object] = json.loads(done.stdout)
    return told


def _run(database: Template, way: str, key: str, contacts: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    served = _served(database) if way == "requests" else nullcontext(0)
    with served as port, cost([], database.server, figures):
        told = _told(database, way, BENCHMARK_PORT=str(port), BENCHMARK_KEY=key)
    tables, both = Tables(database.url), ("calls_call", "calls_callevent")
    counted = {table: tables.read(f"SELECT count(*) FROM {table}")[0][0] for table in both}
    if set(counted.values()) != {contacts}:
        raise AssertionError(f"not {contacts} of each: {counted}")
    rate = contacts / float(str(told["s"]))
    if not database.server:
        return {"calls/s": rate}
    return {
        "calls/s": rate,
        CPU: figures["PostgreSQL CPU, s"] * 1e6 / contacts,
    }


@contextmanager
def _served(database: Template) -> Iterator[int]:
    """TemPhone's web program on the database; its port."""
    port = free_port()
    command = [part.format(port=port) for part in granian("temphone.wsgi:application")]
    log = database.path / "server.log"
    with Process(command, log=log, environment=_environment(database)) as process:

        def ready() -> bool:
            process.check()
            return listens(port)

        wait_until(ready, within_s=60, what="TemPhone listens")
        yield port


if __name__ == "__main__":
    main()
