"""What every benchmark shares: options, servers of its own, figures, the table and the JSON.

A benchmark is a module, run as ``python -m benchmarks.<name> [--quick] [--out FILE]``::

    def main() -> None:
        given = options(__doc__)
        report = Report("ingest", title="Requests taken in", note="How it was measured, and what is unlike.")
        with Postgres() as server:                   # or Postgres(on="disk"); trust on a free loopback port
            url = server.create("temphone")          # postgres://..., a fresh database: for DATABASE_URL
            runs = [measure(url) for _ in range(given.pick(5, quick=1))]
        ours = report.row("TemPhone", runs)          # runs: [{"requests/s": 2500.0, "p99, ms": 9.1}, ...]
        floor = report.row("FastAPI and asyncpg", ...)   # gives the medians: {"requests/s": ...}
        report.goal("at least 0.9 of FastAPI's requests/s", ratio(ours, floor, "requests/s"), least=0.9)
        report.finish(given)                         # prints the table, writes the JSON

    if __name__ == "__main__":
        main()

Its modules: ``command`` (options, progress), ``figures`` (percentiles, medians, tables), ``report`` (what was
found, as above), ``page`` (docs/performance.md from all of it), ``machine`` (on what, of which commit),
``programs`` (folders, ports, processes that end with all their children), ``servers`` (PostgreSQL, Redis).
Nothing here needs Django.
"""
