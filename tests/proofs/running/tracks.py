"""What is left to do of a proof on a database: its chunks, each once, and its broken variants."""

import math
from collections import Counter
from dataclasses import dataclass, field

from tests.proofs.battery import Proof
from tests.proofs.running.journal import Journal, Record

SEED = 20260315
MEASURES = ("_ms", "_percent")  # counts with these endings are no sums


@dataclass(frozen=True, kw_only=True)
class Job:
    """A chunk to run. ``again``: its first run crashed."""

    mistake: str = ""
    start: int = 0
    cases: int
    again: bool = False

    @property
    def seed(self) -> int:
        """So that two chunks never share one: the seeds of a chunk are as many as its cases."""
        return SEED + self.start

    @property
    def words(self) -> str:
        """What runs it again, on the command line."""
        mistake = f" --mistake {self.mistake}" if self.mistake else ""
        return f"--seed {self.seed} --cases {self.cases}{mistake}"


@dataclass(kw_only=True)
class Track:
    """A proof on a database, how far it is, and what is under way."""

    proof: Proof
    database: str
    journal: Journal
    target: int
    under_way: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)  # to be tried again
    given_up: list[Job] = field(default_factory=list)  # crashed twice
    asked: set[str] = field(default_factory=set)  # the variants of this run; one that was seen rests

    @classmethod
    def of(cls, proof: Proof, database: str, journal: Journal, scale: float) -> "Track":
        """The track for this share of the full size."""
        return cls(
            proof=proof, database=database, journal=journal, target=max(1, math.ceil(proof.full * scale))
        )

    @classmethod
    def again(cls, proof: Proof, database: str, journal: Journal, job: Job) -> "Track":
        """A track that runs this job and nothing else."""
        every = set(proof.mistakes(database))
        return cls(proof=proof, database=database, journal=journal, target=0, waiting=[job], asked=every)

    @property
    def name(self) -> str:
        """As its journal is called."""
        return f"{self.proof.name}-{self.database}"

    @property
    def runs_again(self) -> bool:
        """Whether it is one trial as it was before."""
        return not self.target

    # --- what is done

    @property
    def done(self) -> list[Record]:
        """The chunks that count: each once, and none that is smaller than it would be asked for here.

        What ran at a smaller scale was tried less closely, or with fewer things at once.
        """
        if self.runs_again:
            return self.journal.chunks
        whole = [record for record in self.journal.chunks if 0 < self._size(record.start) <= record.asked]
        return [*{record.start: record for record in whole}.values()]

    @property
    def cases(self) -> int:
        """How many cases were run."""
        return sum(record.cases for record in self.done)

    @property
    def seconds(self) -> float:
        """How long the chunks took, one after the other."""
        return sum(record.seconds for record in self.done)

    @property
    def counts(self) -> Counter[str]:
        """What was tried and happened in all chunks; of a measure, the largest."""
        total: Counter[str] = Counter()
        for name, count in (item for record in self.done for item in record.counts.items()):
            total[name] = max(total[name], count) if name.endswith(MEASURES) else total[name] + count
        return total

    # --- what is left

    def take(self) -> Job | None:
        """The next chunk, now under way; the broken variants first, as they are few."""
        job = self.waiting.pop() if self.waiting else self._variant() or self._chunk()
        if job:
            self.under_way.append(job)
        return job

    def crashed(self, job: Job) -> None:
        """Have it run once more, or give it up."""
        self.under_way.remove(job)
        if job.again:
            self.given_up.append(job)
        else:
            self.waiting.append(Job(mistake=job.mistake, start=job.start, cases=job.cases, again=True))

    def begin_anew(self, version: str) -> None:
        """The product is another one now: nothing that was done or had failed counts for it."""
        self.journal.version = version
        self.waiting.clear()
        self.given_up.clear()
        self.asked.clear()

    def _variant(self) -> Job | None:
        for mistake in self.proof.mistakes(self.database):
            record = self.journal.variant(mistake)
            if mistake not in self.asked and not (record and record.seen):
                self.asked.add(mistake)
                return Job(mistake=mistake, cases=self.proof.broken_cases or self.proof.small)
        return None

    def _chunk(self) -> Job | None:
        busy = [*self.under_way, *self.given_up]
        taken = {record.start for record in self.done} | {job.start for job in busy if not job.mistake}
        starts = range(0, self.target, self.proof.chunk)
        start = next((start for start in starts if start not in taken), None)
        return None if start is None else Job(start=start, cases=self._size(start))

    def _size(self, start: int) -> int:
        return min(self.proof.chunk, self.target - start)
