"""Every proof, in the order in which they run."""

from tests.proofs import corpora, network
from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = (network.PROOF, corpora.PROOF)
