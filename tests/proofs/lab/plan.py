"""What the driver tells the nursery and its members, once, in a file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import msgspec

from tests.proofs.lab.times import SPEED


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One laboratory."""

    folder: str
    port: int  # web's
    secret: str  # between Django and the gateway
    seed: int  # of how long who is frozen stays so
    mistake: str = ""  # the broken variant of the product, if it is one
    slower: float = 1.0  # so much longer all must take at least; the nursery finds out whether more

    @property
    def speed(self) -> float:
        """How much faster than people the callees speak."""
        return SPEED / self.slower

    @property
    def ledger(self) -> Path:
        """The gateway's ledger."""
        return Path(self.folder) / "gateway" / "ledger.sqlite3"

    @property
    def phone_log(self) -> Path:
        """The simulated network's own memory."""
        return Path(self.folder) / "gateway" / "phone.log"

    @property
    def heard(self) -> Path:
        """What the laboratory's ear heard: the oracle."""
        return Path(self.folder) / "heard.jsonl"

    @property
    def url(self) -> str:
        """Where web listens."""
        return f"http://127.0.0.1:{self.port}"

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        path.write_bytes(msgspec.json.encode(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The plan in a file."""
        return msgspec.json.decode(path.read_bytes(), type=cls)
