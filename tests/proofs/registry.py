"""Every proof, in the order in which they run."""

from tests.proofs import network
from tests.proofs.battery import Proof
from tests.proofs.races import RACES

PROOFS: tuple[Proof, ...] = (network.PROOF, RACES)
