"""Every proof, in the order in which they run."""

from tests.proofs import database, hours, together
from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = (hours.PROOF, database.PROOF, together.PROOF)
