"""A burst: 10,000 calls due at one instant, through TemPhone and through what else could start them."""

from contextlib import ExitStack
from functools import partial

from benchmarks.frame import Options, Postgres, Redis, Report, folder, options, ratio
from benchmarks.ours import Measure, Template, burst, rounds, seeded
from benchmarks.peers.running import PEERS, peer_burst, raw_burst

NOTE = """\
{calls:,} calls due at one instant T0. Starts/s is their number by the time from T0 to the last start; \
lag is start less T0; nothing started twice, which is asserted, as is that each has its rows. Medians, \
with the least and greatest, of runs made in turn. PostgreSQL and SQLite with fsync, on {place}.

TemPhone: the real `manage.py clock` and `manage.py qcluster` with two workers; each call asks all gates \
and gets its attempt, event and decision rows before its dial reaches the carrier port; the carrier \
notes the instant and says placed. The claim writes no delivery: the first webhook, call.started, comes \
of the carrier's first event. The tables hold as many finished calls as due ones.

Peers: two processes each, the same instant, one task a call, everything handed over before T0 \
(asserted). "Writes": each task writes the call's update, attempt, event and decision in one SQL \
statement, a transaction a call, into the same PostgreSQL tables; it asks no gates and renders nothing. \
"No writes": it only notes the start. The raw claim is the limit: two processes, batches of 100 with \
SKIP LOCKED, the same rows in one statement a batch, no framework. Redis is without persistence, Celery \
and dramatiq acknowledge as by default, huey looks at its schedule once a second, procrastinate polls \
every 50 ms as our clock does."""


def main() -> None:
    given = options(__doc__)
    calls = given.pick(10_000, quick=300)
    report = Report(
        "burst",
        title=f"Burst: {calls:,} calls due at one instant",
        note=NOTE.format(calls=calls, place="tmpfs"),
    )
    with ExitStack() as stack:
        path, server, redis = (stack.enter_context(one) for one in (folder(), Postgres(), Redis()))
        in_postgres, in_sqlite = seeded(server, path, calls=calls), seeded(None, path, calls=calls)
        writing = _with_writes(given, in_postgres, in_sqlite, redis, calls)
        found = rounds(writing, given.pick(3, quick=1))
        found |= rounds(_without(given, in_postgres, redis, calls), 1)
        middle = {name: report.row(name, runs) for name, runs in found.items()}
    _goals(report, middle, calls)
    report.finish(given)


OURS, REDIS, SQLITE = "TemPhone, PostgreSQL", "TemPhone, PostgreSQL, Redis broker", "TemPhone, SQLite"
WAITING = "TemPhone, PostgreSQL, dial waits 100 ms"
RAW, CELERY = "raw claim, writes", "celery, writes"


def _with_writes(
    given: Options, in_postgres: Template, in_sqlite: Template, redis: Redis, calls: int
) -> dict[str, Measure]:
    names = ["celery"] if given.quick else list(PEERS)
    return {
        OURS: partial(burst, in_postgres, calls),
        REDIS: partial(burst, in_postgres, calls, QUEUE_REDIS_URL=redis.url(1)),
        SQLITE: partial(burst, in_sqlite, calls),
        WAITING: partial(burst, in_postgres, calls, BENCHMARK_DIAL_MS="100"),
        RAW: partial(raw_burst, in_postgres, calls, writes=True),
        **{
            f"{name}, writes": partial(peer_burst, name, in_postgres, redis, calls, writes=True)
            for name in names
        },
    }


def _without(given: Options, in_postgres: Template, redis: Redis, calls: int) -> dict[str, Measure]:
    names = [] if given.quick else list(PEERS)
    return {
        "raw claim, no writes": partial(raw_burst, in_postgres, calls, writes=False),
        **{
            f"{name}, no writes": partial(peer_burst, name, in_postgres, redis, calls, writes=False)
            for name in names
        },
    }


def _spent(figures: dict[str, float], calls: int) -> str:
    """What a call costs: its share of all that was used meanwhile."""
    own, servers = (1000 * figures[name] / calls for name in ("CPU, s", "PostgreSQL CPU, s"))
    return f"{own:.2f} ms of Python's and {servers:.2f} ms of PostgreSQL's time"


def _goals(report: Report, middle: dict[str, dict[str, float]], calls: int) -> None:
    ours, celery, raw = middle[OURS], middle[CELERY], middle[RAW]
    rate, lag = "starts/s", "lag p99, s"
    spent = {name: _spent(middle[name], calls) for name in (OURS, CELERY, RAW)}
    why = (
        f"A call costs us {spent[OURS]}, Celery's task with the same writes {spent[CELERY]}, the raw claim "
        f"{spent[RAW]}. What we add: nine gates, the message rendered, why it was dialled. Claims of a "
        "carrier also take turns on its pacing row, so that its lines and pace are never exceeded: more "
        "workers do not make them faster."
    )
    report.goal(
        "Burst: at least 20 times Celery's starts/s, with the same state writes",
        ratio(ours, celery, rate), least=20, unit="times", why=why,
    )  # fmt: skip
    report.goal(
        "Burst: at most 3 % of Celery's p99 lag",
        100 * ratio(ours, celery, lag),
        most=3,
        unit="%",
        why="As above.",
    )
    report.goal(
        "Burst: at least 50 % of the raw claim's starts/s, with the same state writes",
        100 * ratio(ours, raw, rate), least=50, unit="%", why="As above.",
    )  # fmt: skip
    report.goal(
        "Burst, a dial that waits 100 ms, two workers: p99 lag under 1 s",
        middle[WAITING][lag], most=1, unit="s",
        why="It claims on while carriers answer; the claims themselves take turns, as above.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
