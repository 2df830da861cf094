"""Every proof, in the order in which they run."""

from tests.proofs import hours
from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = (hours.PROOF,)
