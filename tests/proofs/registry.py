"""Every proof, in the order in which they run."""

from tests.proofs.battery import Proof
from tests.proofs.faults import FAULTS_PROOF
from tests.proofs.machine import MACHINE
from tests.proofs.races import RACES

PROOFS: tuple[Proof, ...] = (RACES, FAULTS_PROOF, MACHINE)
