"""Every proof, in the order in which they run."""

from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = ()
