"""The limit: a process that claims batches of 100 with SKIP LOCKED; no framework, no gates."""

import sys
import time

from benchmarks.peers.writes import CLAIM_BATCH, MESSAGE, WRITE_BATCH, checks, connection, note

POLL_S = 0.05


def main() -> None:
    """Claim until killed; ``raw writes`` writes what a start writes, ``raw claims`` the claim alone."""
    statement = WRITE_BATCH if sys.argv[1] == "writes" else CLAIM_BATCH
    values = {"limit": 100, "message": MESSAGE, "checks": checks()}
    while True:
        if calls := [row[0] for row in connection().execute(statement, values)]:
            note(calls)
        else:
            time.sleep(POLL_S)


if __name__ == "__main__":
    main()
