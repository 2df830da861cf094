"""The limit: a process that claims batches of 100 with SKIP LOCKED; no framework, no gates."""

import sys
import time

from benchmarks.peers.writes import STATEMENTS, connection, note, values

POLL_S = 0.05


def main() -> None:
    """Claim until killed; ``raw writes`` writes what a start writes, ``raw claims`` the claim alone."""
    statement = STATEMENTS["batch" if sys.argv[1] == "writes" else "claim"]
    given = {**values(), "limit": 100}
    while True:
        if calls := [row[0] for row in connection().execute(statement, given)]:
            note(calls)
        else:
            time.sleep(POLL_S)


if __name__ == "__main__":
    main()
