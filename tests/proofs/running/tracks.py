"""What is left to do of a proof on a database: its chunks, each once, and its broken variants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.proofs.battery import Proof
from tests.proofs.running.journal import Journal

SEED = 20260315


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

    def _variant(self) -> Job | None:
        for mistake, broken in self.proof.mistakes(self.database).items():
            record = self.journal.variant(mistake)
            if mistake not in self.asked and not (record and broken.seen(record.flagged)):
                self.asked.add(mistake)
                return Job(mistake=mistake, cases=self.proof.broken_cases or self.proof.small)
        return None

    def _chunk(self) -> Job | None:
        start = 0
        for span in sorted(self._spans(), key=lambda span: span.start):
            if span.start > start:
                break  # a gap, left by a chunk that did not end
            start = max(start, span.stop)
        later = [span.start for span in self._spans() if span.start > start]
        cases = min([self.proof.chunk, *(stop - start for stop in [self.target, *later])])
        return Job(start=start, cases=cases) if cases > 0 else None

    def _spans(self) -> Sequence[range]:
        busy = [*self.under_way, *self.given_up]
        return [
            *(record.span for record in self.journal.chunks),
            *(range(job.start, job.start + job.cases) for job in busy if not job.mistake),
        ]
