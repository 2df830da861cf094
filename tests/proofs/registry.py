"""Every proof, in the order in which they run."""

from tests.proofs import freezes, kills
from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = (*kills.PROOFS, *freezes.PROOFS)
