"""The battery, small: every promise holds, and every broken variant is seen to break it."""

import pytest
from django.db import connection

from tests.proofs.battery import Trial
from tests.proofs.registry import PROOFS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(600)]
SEED = 20260315
SMALL = [proof for proof in PROOFS if proof.small]
# One mistake of each proof, on one database, shows that its harness sees, and so do the two that every
# program of this kind makes first; `make prove` tries all on each.
ALSO = {"gate_outside_transaction", "gateway_without_ledger"}
BROKEN = [
    (proof, mistake)
    for proof in SMALL
    for mistake in proof.broken
    if mistake == next(iter(proof.broken)) or mistake in ALSO
]


def on(databases, *values, name):
    """Runs where the database at hand is one of these, and is told of as skipped elsewhere."""
    marks = []
    if connection.vendor not in databases:
        where = "PostgreSQL, with its DATABASE_URL" if "postgresql" in databases else "SQLite"
        why = f"it runs on {where}; .ci/run runs both"
        marks = [pytest.mark.elsewhere, pytest.mark.skip(reason=why)]
    return pytest.param(*values, id=name, marks=marks)


@pytest.mark.parametrize("proof", [on(proof.databases, proof, name=proof.name) for proof in SMALL])
def test_it_holds(proof, tmp_path):
    first = connection.vendor == proof.databases[0]
    cases = proof.small if first else proof.small_again or proof.small
    tally = proof.run(Trial(cases=cases, seed=SEED, folder=tmp_path))
    assert tally.flagged == []
    assert tally.cases >= cases


@pytest.mark.parametrize(
    ("proof", "mistake"),
    [on(proof.databases[:1], proof, mistake, name=f"{proof.name}-{mistake}") for proof, mistake in BROKEN],
)
def test_a_mistake_is_seen(proof, mistake, tmp_path):
    cases = proof.broken_cases or proof.small
    broken = proof.broken[mistake]
    tally = broken.run(Trial(cases=cases, seed=SEED, folder=tmp_path))
    assert broken.seen(tally.flagged), f"{mistake} was not seen in {cases} cases: {tally.flagged}"
