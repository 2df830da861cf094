"""Every proof, in the order in which they run."""

from tests.proofs import database, hours, load, openapi, together
from tests.proofs.battery import Proof

PROOFS: tuple[Proof, ...] = (hours.PROOF, openapi.PROOF, database.PROOF, together.PROOF, load.PROOF, load.ONE)
