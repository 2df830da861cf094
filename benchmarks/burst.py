"""A burst: 10,000 calls due at one instant, through TemPhone and through what else could start them."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from benchmarks.databases import Template, seeded
from benchmarks.dispatch import Way, at_once, burst_figures, measured, rounds
from benchmarks.frame.command import Options, options
from benchmarks.frame.figures import ratio
from benchmarks.frame.machine import machine
from benchmarks.frame.programs import folder
from benchmarks.frame.report import Report
from benchmarks.frame.servers import Postgres, Redis
from benchmarks.ours import BESIDE, LOOK_S, WAITS, TemPhone
from benchmarks.peers.running import LIBRARIES, Peer, Raw

NOTE = """\
{calls:,} calls due at one instant T0. Starts/s is their number by the time from T0 to the last start; \
lag is start less T0; nothing started twice, which is asserted, as is that each has its rows. Medians, \
with the least and greatest, of runs made in turn. PostgreSQL and SQLite with fsync, on {place}.

TemPhone: the real `manage.py clock` and `manage.py qcluster` with two workers, if not said otherwise; \
each call asks all gates and gets its attempt, event and decision rows before its dial reaches the carrier \
port; the carrier notes the instant and says placed. The claim writes no delivery: the first webhook, \
call.started, comes of the carrier's first event. The tables hold as many finished calls as due ones. How \
long claims wait is what PostgreSQL shows every {look_ms:.0f} ms: the workers that wait for the pacing row \
which another claim holds, as a share of all workers. CPU is that of a row's programs, and of Redis where \
they use it.

Peers: two processes each, the same instant, one task a call, everything handed over before T0 \
(asserted). "Writes": each task writes the call's update, attempt, event and decision in one SQL \
statement, a transaction a call, into the same PostgreSQL tables; it asks no gates and renders nothing. \
"No writes": it only notes the start. The raw claim is the limit: two processes, batches of 100 with \
SKIP LOCKED, the same rows in one statement a batch, no framework. Redis is without persistence, Celery \
and dramatiq acknowledge as by default, huey looks at its schedule once a second, its least; procrastinate \
and dramatiq look every 50 ms, as our clock does. Each process of dramatiq may hold all delayed messages; \
by default both together hold 8,000, and the others wait in Redis until some of these are over. {beside}"""


def main() -> None:
    given = options(__doc__)
    calls = given.pick(10_000, quick=300)
    report = Report(
        "burst",
        title=f"Burst: {calls:,} calls due at one instant",
        note=NOTE.format(calls=calls, place="tmpfs", look_ms=1000 * LOOK_S, beside=BESIDE),
    )
    with ExitStack() as stack:
        path, server, redis = (stack.enter_context(one) for one in (folder(), Postgres(), Redis()))
        in_postgres, in_sqlite = seeded(server, path, calls=calls), seeded(None, path, calls=calls)
        writing, noting = _writing(given, redis, in_postgres, in_sqlite), _noting(given, redis, in_postgres)
        times = given.pick(3, quick=1)
        middle = _middle(report, writing, calls, times)
        _middle(report, noting, calls, times)
    _goals(report, middle, calls)
    report.finish(given)


OURS, REDIS, SQLITE = "TemPhone, PostgreSQL", "TemPhone, PostgreSQL, Redis broker", "TemPhone, SQLite"
ONE, FOUR = "TemPhone, PostgreSQL, one worker", "TemPhone, PostgreSQL, four workers"
WAITING = "TemPhone, PostgreSQL, dial waits 100 ms"
RAW, CELERY = "raw claim, writes", "celery, writes"
RATE, LAG, CELERYS = "starts/s", "lag p99, s", 20
FASTEST = ((max, RATE), (min, LAG))
Ways = Mapping[str, tuple[Way, Template]]


def _writing(given: Options, redis: Redis, in_postgres: Template, in_sqlite: Template) -> Ways:
    """All that write the rows of a start."""
    libraries = LIBRARIES[:1] if given.quick else LIBRARIES
    return {
        OURS: (TemPhone(), in_postgres),
        ONE: (TemPhone(workers=1), in_postgres),
        FOUR: (TemPhone(workers=4), in_postgres),
        REDIS: (TemPhone(redis=redis), in_postgres),
        SQLITE: (TemPhone(), in_sqlite),
        WAITING: (TemPhone(more={"BENCHMARK_DIAL_MS": "100"}), in_postgres),
        RAW: (Raw(), in_postgres),
        **{f"{library.name}, writes": (Peer(library, redis), in_postgres) for library in libraries},
    }


def _noting(given: Options, redis: Redis, in_postgres: Template) -> Ways:
    """All that only note a start."""
    peers = [] if given.quick else [Peer(library, redis, writes=False) for library in LIBRARIES]
    return {
        "raw claim, no writes": (Raw(writes=False), in_postgres),
        **{f"{peer.library.name}, no writes": (peer, in_postgres) for peer in peers},
    }


def _middle(report: Report, ways: Ways, calls: int, times: int) -> dict[str, dict[str, float]]:
    """Measure all in turn and add their rows; the medians."""
    measures = {
        name: partial(measured, way, template, calls, at_once) for name, (way, template) in ways.items()
    }
    found = rounds(measures, times)
    return {name: report.row(name, [*map(burst_figures, runs)]) for name, runs in found.items()}


def _spent(figures: dict[str, float], calls: int) -> str:
    """What a call costs: its share of all that was used meanwhile."""
    own, servers = (1000 * figures[name] / calls for name in ("CPU, s", "PostgreSQL CPU, s"))
    return f"{own:.2f} ms of Python's and {servers:.2f} ms of PostgreSQL's time"


def _more_workers(middle: dict[str, dict[str, float]]) -> str:
    """What more workers bring, and what keeps them from bringing more."""
    rates = [f"{middle[name][RATE]:,.0f}" for name in (ONE, OURS, FOUR)]
    waits = [f"{middle[name][WAITS]:.0f} %" for name in (ONE, OURS, FOUR)]
    return (
        f"With one, two and four workers it makes {', '.join(rates[:2])} and {rates[2]} starts/s on "
        f"{machine()['cores']} cores. Claims of a carrier take turns on its pacing row, so that its lines "
        f"and pace are never exceeded; for that they wait {', '.join(waits[:2])} and {waits[2]} of the "
        "workers' time."
    )


def _goals(report: Report, middle: dict[str, dict[str, float]], calls: int) -> None:
    ours, celery, raw = middle[OURS], middle[CELERY], middle[RAW]
    why = _why(middle, calls)
    report.goal(
        f"Burst: at least {CELERYS} times Celery's starts/s, with the same state writes",
        ratio(ours, celery, RATE), least=CELERYS, unit="times", why=why,
    )  # fmt: skip
    report.goal(
        "Burst: at most 3 % of Celery's p99 lag",
        100 * ratio(ours, celery, LAG), most=3, unit="%", why=why,
    )  # fmt: skip
    _ahead(report, middle, why)
    report.goal(
        "Burst: at least 50 % of the raw claim's starts/s, with the same state writes",
        100 * ratio(ours, raw, RATE), least=50, unit="%", why=why,
    )  # fmt: skip
    report.goal(
        "Burst, a dial that waits 100 ms, two workers: p99 lag under 1 s",
        middle[WAITING][LAG], most=1, unit="s",
        why=f"With a carrier that answers at once it is {ours[LAG]:.2f} s: not the carrier's wait is what "
        f"takes the time, but the claims. The raw claim's is {raw[LAG]:.2f} s.",
    )  # fmt: skip


def _ahead(report: Report, middle: dict[str, dict[str, float]], why: str) -> None:
    """Whether we are ahead of every peer; the raw claim is none, but the limit."""
    peers = {name: one for name, one in middle.items() if name.endswith(", writes") and name != RAW}
    quick, prompt = (pick(peers, key=lambda name: peers[name][figure]) for pick, figure in FASTEST)
    report.goal(
        "Burst: more starts/s than the fastest peer, with the same state writes",
        ratio(middle[OURS], peers[quick], RATE), least=1, unit=f"times {quick.partition(',')[0]}'s", why=why,
    )  # fmt: skip
    report.goal(
        "Burst: a lower p99 lag than the most punctual peer, with the same state writes",
        ratio(middle[OURS], peers[prompt], LAG), most=1, unit=f"times {prompt.partition(',')[0]}'s", why=why,
    )  # fmt: skip


def _why(middle: dict[str, dict[str, float]], calls: int) -> str:
    """How much was to be had at all, and where the time of a call goes."""
    celery, raw = middle[CELERY], middle[RAW]
    most = ratio(raw, celery, RATE)
    possible = "no more was to be had here" if most < CELERYS else "so much was to be had here"
    cost = {name: _spent(middle[name], calls) for name in (OURS, CELERY, RAW)}
    return (
        f"The raw claim, which asks and renders nothing, makes {most:.1f} times Celery's starts/s with "
        f"{100 * ratio(raw, celery, LAG):.1f} % of its p99 lag: {possible}. A call costs us {cost[OURS]}, "
        f"Celery's task with the same writes {cost[CELERY]}, the raw claim {cost[RAW]}. What we add to the "
        f"raw claim: all gates asked, the message rendered, why it was dialled. {_more_workers(middle)}"
    )


if __name__ == "__main__":
    main()
