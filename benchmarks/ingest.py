"""Requests taken in: ``POST /v1/calls/scheduled`` with 16 connections, beside peers that do the same.

wrk sends, with a script of ours that makes every body another one. Each variant gets a copy of one seeded
database, is warmed, measured, and its rows are counted: a call, an event, a decision and an audit entry for
each answer. The variants take turns, so that what disturbs the machine disturbs all. All of them and wrk
share its cores; one process each, TemPhone's as ``manage.py dev`` starts it, if not said otherwise. What ours
does and no peer does: it limits the depth of the body's JSON, seeks NUL characters, and looks for an
Idempotency-Key, of which there is none here. FastAPI is on PostgreSQL only, since asyncpg knows PostgreSQL
alone.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection

from benchmarks.databases import Tables, Template
from benchmarks.dispatch import cost
from benchmarks.frame.command import ROOT, options, say
from benchmarks.frame.figures import Figures, ratio, shown
from benchmarks.frame.programs import Process, folder, free_port, listens, wait_until
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres
from temphone.management.together import WEB_THREADS, Web, programs

OURS, TWO = "TemPhone", "TemPhone, two workers"
FASTAPI, NINJA = "FastAPI and asyncpg", "django-ninja and its ORM"
RATE = "requests/s"
CPU = {"CPU, ms a request": "Python's", "PostgreSQL CPU, ms a request": "PostgreSQL's"}
CONNECTIONS = 16
WARM_S = 3
ROWS = ("calls_call", "calls_callevent", "calls_decision", "accounts_auditentry")
LUA = """
local asked = dofile(os.getenv("BENCHMARK_ASKED"))
local made = 0
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. asked.key
wrk.headers["Content-Type"] = "application/json"
function request()
  made = made + 1
  local contact = asked.contacts[made % #asked.contacts + 1]
  return wrk.format(nil, "/v1/calls/scheduled", nil, string.format(asked.body, contact, made, made))
end
function done(summary, latency, requests)
  local bad = summary.errors
  io.write(string.format(
    'FIGURES {"requests": %d, "s": %f, "p50": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    bad.connect + bad.read + bad.write + bad.status + bad.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to take calls in, and how its server is started; ``{port}`` is filled in."""

    name: str
    command: Sequence[str]
    databases: Sequence[str] = ("PostgreSQL", "SQLite")


def granian(application: str, *, workers: int = 1) -> list[str]:
    """Its command line, as ``manage.py dev`` has it; with so many workers."""
    web = next(one for one in programs("127.0.0.1", 0, Web("127.0.0.1", 0)) if one.name == "web")
    command = [*web.command[:-1], application]
    command[command.index("--port") + 1] = "{port}"
    command[command.index("--workers") + 1] = str(workers)
    return command


def variants() -> list[Variant]:
    """Ours first."""
    uvicorn = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log"]
    uvicorn += ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--factory"]
    return [
        Variant(OURS, granian("temphone.wsgi:application")),
        Variant(TWO, granian("temphone.wsgi:application", workers=2), ("PostgreSQL",)),
        Variant(
            FASTAPI,
            [*uvicorn, "benchmarks.ingest_peers.fastapi_main:app"],
            ("PostgreSQL",),
        ),
        Variant(NINJA, granian("benchmarks.ingest_peers.ninja_app:application")),
    ]


def main() -> None:
    given = options(__doc__)
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    report = Report("ingest", title="Requests taken in", note=" ".join(str(__doc__).split()))
    rounds, seconds = given.pick(3, quick=1), given.pick(10, quick=2)
    for database in ("PostgreSQL", "SQLite"):
        measured = _measure(database, rounds, seconds, contacts=given.pick(10_000, quick=500))
        rows = {name: report.row(f"{name}, {database}", runs) for name, runs in measured.items()}
        _goals(report, database, rows)
    report.finish(given)


def _goals(report: Report, database: str, rows: Mapping[str, Figures]) -> None:
    ours, floor, ninja = rows[OURS], rows.get(FASTAPI), rows[NINJA]
    if floor:
        share = ratio(ours, floor, RATE)
        why = f"{_spent(OURS, ours)}; {_spent(FASTAPI, floor)}. {TWO}: {shown(rows[TWO][RATE])} requests/s."
        report.goal(f"at least 0.9 of {FASTAPI}'s requests/s", share, least=0.9, why=why)
        report.goal(f"more requests/s than {FASTAPI}", share, least=1, unit="times its", why=why)
    report.goal(
        f"more requests/s than {NINJA}, {database}",
        ratio(ours, ninja, RATE),
        least=1,
        unit="times its",
        why=f"{_spent(OURS, ours)}; {_spent(NINJA, ninja)}.",
    )
    report.goal(
        f"p99 under 4 times p50, {database}",
        ours["p99, ms"] / ours["p50, ms"],
        most=4,
        why=f"{CONNECTIONS} requests wait for {WEB_THREADS} threads of one interpreter, which take turns; "
        f"{NINJA}'s, likewise, is {ninja['p99, ms'] / ninja['p50, ms']:.2f}.",
    )
    errors = {name: row["errors"] for name, row in rows.items() if row["errors"]}
    report.goal(
        f"no error, {database}",
        sum(errors.values()),
        most=0,
        why="; ".join(f"{name}: {count:.0f}" for name, count in errors.items()),
    )


def _spent(who: str, figures: Figures) -> str:
    """What a request costs, and how many a second there are."""
    used = [f"{figures[name]:.2f} ms of {whose} CPU" for name, whose in CPU.items() if name in figures]
    return f"{who}: {shown(figures[RATE])} requests/s, each {' and '.join(used)}"


def _measure(database: str, rounds: int, seconds: int, *, contacts: int) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {}
    with Postgres() if database == "PostgreSQL" else nullcontext() as server, folder() as path:
        template = Template(server, path, "seed")
        if server:
            server.create("seed")
        say(f"  seeding {database}")
        _seed(template, contacts)
        for number in range(rounds):
            for variant in variants():
                if database in variant.databases:
                    figures = _run(variant, template, seconds)
                    found.setdefault(variant.name, []).append(figures)
                    say(f"  {number + 1}/{rounds} {variant.name}: {shown(figures['requests/s'])} requests/s")
    return found


def _environment(database: Template) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "temphone.settings",
        "DATABASE_URL": database.url,
        "TEMPHONE_DATA_DIR": str(database.path),
        "BENCHMARK_ASKED": str(database.path / "asked.lua"),
        "MALLOC_ARENA_MAX": "1",
    }


def _seed(template: Template, contacts: int) -> None:
    """Fill the template, and write what wrk's script reads."""
    command = [sys.executable, "-m", "benchmarks.ingest_seed", str(contacts)]
    env = {**os.environ, **_environment(template)}
    told = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    seeded = json.loads(told)
    body = {
        "contact_id": "%s",
        "campaign_id": seeded["campaign"],
        "scheduled_at": f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
        "initial_message": "Hi {{first_name}}, this is the TemPhone AI assistant, about order %d.",
        "caller_id": "+1-415-555-0199",
        "metadata": {"playbook": "renewal_followup_v2", "order": "%d"},
        "webhook_url": "https://webhooks.example.com/ai-calls",
    }
    asked = {"key": seeded["key"], "body": json.dumps(body), "contacts": seeded["contacts"]}
    (template.path / "asked.json").write_text(json.dumps(asked))
    # Lua has no JSON of its own; texts of these letters are written alike.
    key, text = json.dumps(asked["key"]), json.dumps(asked["body"])
    ids = ", ".join(json.dumps(one) for one in asked["contacts"])
    (template.path / "asked.lua").write_text(f"return {{key = {key}, body = {text}, contacts = {{{ids}}}}}")
    (template.path / "wrk.lua").write_text(LUA)


def _run(variant: Variant, template: Template, seconds: int) -> dict[str, float]:
    database, port = template.copy("ingest"), free_port()
    command = [part.format(port=port) for part in variant.command]
    log = template.path / "server.log"
    with Process(command, log=log, environment=_environment(database)) as process:

        def ready() -> bool:
            process.check()
            return listens(port)

        wait_until(ready, within_s=60, what=f"{variant.name} listens")
        _first(template, port)
        warm = _wrk(template, port, WARM_S)
        figures: dict[str, float] = {}
        with cost([process], template.server, figures):
            told = _wrk(template, port, seconds)
    _check(Tables(database.url), int(1 + warm["requests"] + told["requests"]), int(told["errors"]))
    a_request = 1000 / told["requests"]
    return {
        "requests/s": told["requests"] / told["s"],
        "p50, ms": told["p50"],
        "p99, ms": told["p99"],
        **{f"{name.removesuffix(', s')}, ms a request": spent * a_request for name, spent in figures.items()},
        "errors": told["errors"] + warm["errors"],
    }


def _first(template: Template, port: int) -> None:
    """One request, for which a server imports what it has not yet."""
    asked = json.loads((template.path / "asked.json").read_text())
    headers = {"Authorization": f"Bearer {asked['key']}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    body = asked["body"] % (asked["contacts"][0], 0, 0)
    connection.request("POST", "/v1/calls/scheduled", body, headers)
    answer = connection.getresponse()
    if answer.status != HTTPStatus.CREATED:
        raise RuntimeError(f"{answer.status} {answer.read()[:500]!r}")
    connection.close()


def _wrk(template: Template, port: int, seconds: int) -> dict[str, float]:
    script = str(template.path / "wrk.lua")
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--timeout",
        "20s",
        "-s",
        script,
        f"http://127.0.0.1:{port}",
    ]
    env = {**os.environ, **_environment(template)}
    told = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(told.partition("FIGURES ")[2].splitlines()[0])
    return figures


def _check(tables: Tables, answered: int, errors: int) -> None:
    """As many rows of each kind; a few more than answers, which wrk did not wait for at its end.

    Raises:
        AssertionError: the work was not done.
    """
    found = {table: tables.read(f"SELECT count(*) FROM {table}")[0][0] for table in ROWS}
    # The seeded key has an audit entry of its own.
    found["accounts_auditentry"] -= 1
    calls = found["calls_call"]
    if len(set(found.values())) != 1 or not answered - errors <= calls <= answered + 2 * CONNECTIONS:
        raise AssertionError(f"{answered} answers, {errors} of them errors, made {found}")


if __name__ == "__main__":
    main()
