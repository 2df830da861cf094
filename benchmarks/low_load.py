"""Low load: two calls a second, on an otherwise idle machine; how late is each?"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.databases import seeded
from benchmarks.dispatch import Measure, Run, measured, one_by_one, rounds
from benchmarks.frame.command import options
from benchmarks.frame.figures import Figures, percentile, ratio
from benchmarks.frame.programs import folder
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres, Redis
from benchmarks.ours import BESIDE, TemPhone
from benchmarks.peers.running import LIBRARIES, Peer, Raw

NOTE = """\
Two calls a second, each at an instant of its own, on an otherwise idle machine: {runs} runs of each in \
turn, of {calls} calls for TemPhone and {fewer} for the others; medians with the least and greatest. Lag is \
the start (for TemPhone at the carrier port) less the instant at which the call was due; p99 is that of the \
calls of all runs together. Who starts them and what is written is as in the burst: the real clock and \
worker, two processes of each peer, everything handed over before the first instant. TemPhone's clock looks \
every 50 ms and its ORM broker polls every 50 ms; the raw claim, procrastinate and dramatiq look every 50 \
ms, huey looks at its schedule once a second, its least, and Celery sets a timer for each task. Databases \
with fsync, on tmpfs. {beside}"""
EVERY_S = 0.5037  # a prime, off the beat of whoever polls
RAW = "raw claim, writes"
OURS = ("TemPhone, PostgreSQL", "TemPhone, PostgreSQL, Redis broker", "TemPhone, SQLite")


def main() -> None:
    given = options(__doc__)
    calls, runs = given.pick(36, quick=6), given.pick(3, quick=1)
    fewer = calls // 2  # for who has no goal here
    report = Report(
        "low_load",
        title="Low load: two calls a second",
        note=NOTE.format(runs=runs, calls=calls, fewer=fewer, beside=BESIDE),
    )
    with ExitStack() as stack:
        path, server, redis = (stack.enter_context(one) for one in (folder(), Postgres(), Redis()))
        in_postgres, in_sqlite = seeded(server, path, calls=calls), seeded(None, path, calls=calls)
        slowly, shortly = one_by_one(calls, EVERY_S), one_by_one(fewer, EVERY_S)
        others = {"raw claim": Raw(), **{one.name: Peer(one, redis) for one in LIBRARIES}}
        measures: dict[str, Measure] = {
            OURS[0]: partial(measured, TemPhone(prepared_s=2), in_postgres, calls, slowly),
            OURS[1]: partial(measured, TemPhone(prepared_s=2, redis=redis), in_postgres, calls, slowly),
            OURS[2]: partial(measured, TemPhone(prepared_s=2), in_sqlite, calls, slowly),
            **{
                f"{name}, writes": partial(measured, way, in_postgres, fewer, shortly)
                for name, way in others.items()
            },
        }
        found = rounds(measures, runs)
    middle = {name: report.row(name, figures(runs)) for name, runs in found.items()}
    for name in OURS:
        _goal(report, name, middle)
    _ahead(report, middle)
    report.finish(given)


def figures(runs: Sequence[Run]) -> list[dict[str, float]]:
    """Of each run, in ms; a run has too few calls for a p99 of its own."""
    together = [lag for run in runs for lag in run.lags]
    return [
        {
            "lag p50, ms": 1000 * run.lag(0.5),
            "lag p99, ms": 1000 * percentile(together, 0.99),
            "lag max, ms": 1000 * run.lag(1),
            "CPU, s": run.used["CPU, s"],
            **(
                {"PostgreSQL CPU, s": run.used["PostgreSQL CPU, s"]}
                if "PostgreSQL CPU, s" in run.used
                else {}
            ),
        }
        for run in runs
    ]


def _goal(report: Report, name: str, middle: Mapping[str, Figures]) -> None:
    report.goal(
        f"Low load: p99 lag under 150 ms on {name.removeprefix('TemPhone, ')}",
        middle[name]["lag p99, ms"], most=150, unit="ms", why=_why(name, middle),
    )  # fmt: skip


def _ahead(report: Report, middle: Mapping[str, Figures]) -> None:
    """Whether we are ahead of every peer; the raw claim is none, but the limit."""
    peers = {name: one for name, one in middle.items() if name not in (*OURS, RAW)}
    for share in ("p50", "p99"):
        figure = f"lag {share}, ms"
        best = min(peers, key=lambda name: peers[name][figure])
        report.goal(
            f"Low load: a lower {share} lag than the most punctual peer, PostgreSQL",
            ratio(middle[OURS[0]], peers[best], figure),
            most=1,
            unit=f"times {best.partition(',')[0]}'s",
            why=f"{best.partition(',')[0]}'s is {peers[best][figure]:.1f} ms. {_why(OURS[0], middle)}",
        )


def _why(name: str, middle: Mapping[str, Figures]) -> str:
    """What a call waits for: we are looked for in the database twice, each time as often as the raw claim."""
    ours, raw = middle[name], middle[RAW]
    return (
        f"Our p50 is {ours['lag p50, ms']:.0f} ms, p99 {ours['lag p99, ms']:.0f} ms; the raw claim, which "
        f"looks every 50 ms and does nothing else, has {raw['lag p50, ms']:.0f} and "
        f"{raw['lag p99, ms']:.0f} ms. Ours waits for two such looks, the clock's and the worker's at its "
        f"queue, then asks all gates; with the Redis broker, whose queue wakes the worker, it is "
        f"{middle[OURS[1]]['lag p50, ms']:.0f} and {middle[OURS[1]]['lag p99, ms']:.0f} ms."
    )


if __name__ == "__main__":
    main()
