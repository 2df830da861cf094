"""One chunk of a proof, in a process of its own: a fresh database if it asks one, the cases, the tally.

The runner starts it. The one argument is a JSON object: ``registry`` (a module), ``name``, ``mistake`` (""
for none), ``cases``, ``seed``, ``folder`` and ``result`` (where the tally goes).
"""

import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import django
from django.db import connection, connections

from tests.proofs.battery import Proof, Tally, Trial


def end_when_the_runner_does() -> None:
    """Clean up and leave, when told to or when nobody waits for the result any more."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def wait_for_its_end() -> None:
        os.read(sys.stdin.fileno(), 1)  # it never writes: this returns when it ends
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_its_end, daemon=True).start()


def proof_of(job: Mapping[str, Any]) -> Proof:
    """The proof by its name."""
    proofs: tuple[Proof, ...] = importlib.import_module(job["registry"]).PROOFS
    return next(proof for proof in proofs if proof.name == job["name"])


@contextmanager
def a_fresh_database() -> Iterator[None]:
    """Migrated and empty; what another run has left under this name goes first."""
    if connection.vendor == "postgresql":
        _drop(connection.settings_dict["NAME"])
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connections.close_all()
        if connection.vendor == "postgresql":
            connection.settings_dict["NAME"] = name
            _drop(name)


def _drop(name: str) -> None:
    """Even while a killed program's session still holds it."""
    with connection.creation._nodb_cursor() as cursor:
        quoted = connection.ops.quote_name(f"test_{name}")
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


def tally_of(job: Mapping[str, Any]) -> Tally:
    """Run the chunk."""
    folder, proof = Path(job["folder"]), proof_of(job)
    folder.mkdir()
    run = proof.broken[job["mistake"]].run if job["mistake"] else proof.run
    with a_fresh_database() if proof.asks_database else nullcontext():
        return run(Trial(cases=job["cases"], seed=job["seed"], folder=folder))


def main() -> None:
    """Run, and write what came of it, whole or not at all."""
    job = json.loads(sys.argv[1])
    end_when_the_runner_does()
    django.setup()
    began = time.monotonic()
    tally = tally_of(job)
    told = {
        "cases": tally.cases,
        "counts": dict(tally.counts),
        "flagged": tally.flagged,
        "seconds": round(time.monotonic() - began, 1),
    }
    written = Path(f"{job['result']}.part")
    written.write_text(json.dumps(told))
    written.rename(job["result"])


if __name__ == "__main__":
    main()
