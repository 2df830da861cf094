"""Every proof, in the order in which they run."""

from tests.proofs import (
    database,
    freezes,
    hours,
    kills,
    load,
    messages,
    network,
    nights,
    numbers,
    openapi,
    tables,
    together,
)
from tests.proofs.battery import Proof
from tests.proofs.faulty.proof import FAULTS_PROOF
from tests.proofs.machine import MACHINE
from tests.proofs.racing.proof import RACES

PROOFS: tuple[Proof, ...] = (
    hours.PROOF,
    messages.PROOF,
    numbers.PROOF,
    tables.PROOF,
    network.PROOF,
    openapi.PROOF,
    RACES,
    FAULTS_PROOF,
    MACHINE,
    nights.PROOF,
    *kills.PROOFS,
    *freezes.PROOFS,
    database.PROOF,
    together.PROOF,
    load.PROOF,
    load.ONE,
)
