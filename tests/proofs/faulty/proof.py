"""A carrier that goes wrong in every way that we could think of; no number rings twice, every call ends.

The real claim, tasks, adapter and callbacks run against a gateway of real HTTP that makes one mistake. The
product's clock is ours, so that leases and deadlines run out at once. The oracle is the phone's log.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from math import ceil
from pathlib import Path
from unittest import mock

from django.conf import settings

from calls import callbacks, tasks
from calls.actions import dialing
from temphone import wiring
from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.messages import Refused, Unsure
from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.faulty import answers, events, gateways, questions
from tests.proofs.faulty.judge import calls_now, problems
from tests.proofs.faulty.lab import Clock, Lab, Mend
from tests.proofs.stage.slate import wipe

BATCH = 25  # calls under one fault at a time
TIMEOUT_S = 0.3  # the adapter's, of 5 s

FAULTS: dict[str, Mend] = {**answers.FAULTS, **events.FAULTS, **questions.FAULTS, **gateways.FAULTS}


@contextmanager
def product(now: Callable[[], datetime], dial: Callable[[GatewayCarrier], object]) -> Iterator[None]:
    """The product with our clock, and a carrier that does not wait as long as it would."""

    def carrier() -> GatewayCarrier:
        one = GatewayCarrier(secret=settings.GATEWAY_SECRET, timeout_s=TIMEOUT_S)
        dial(one)
        return one

    logger = logging.getLogger("django")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what it would say is noted in the lab
    with ExitStack() as patches:
        for module in (tasks, callbacks, dialing):
            patches.enter_context(mock.patch.object(module, "utc_now", now))
        patches.enter_context(mock.patch.object(wiring, "carrier", carrier))
        yield
    logger.setLevel(level)


def run(
    trial: Trial,
    *,
    dial: Callable[[GatewayCarrier], object] = lambda _: None,
    faults: Sequence[str] = tuple(FAULTS),
    stop: bool = False,
) -> Tally:
    """Try each fault on its share of the calls."""
    tally = Tally()
    each = ceil(trial.cases / len(FAULTS))
    for name in faults:
        for start in range(0, each, BATCH):
            folder = trial.folder / f"{len(list(trial.folder.iterdir()))}"
            folder.mkdir()
            _try(name, min(BATCH, each - start), folder, trial, tally, dial)
            if stop and tally.flagged:
                return tally
    wipe()
    return tally


def _try(name: str, count: int, folder: Path, trial: Trial, tally: Tally, dial) -> None:
    clock = Clock()
    with product(clock.now, dial):
        lab = Lab(folder, count, clock)
        try:
            FAULTS[name](lab)
            lab.come_to_an_end()
        finally:
            lab.close()
    tally.cases += count
    for problem in problems(name, lab):
        tally.flag(f"{name}: {problem}", folder=trial.folder, rings=lab.rings(), calls=calls_now())
    tally.counts["rings"] += sum(lab.rings().values())
    tally.counts.update(f"{call['status']}: {call['outcome']}" for call in calls_now())


def _taken_for_refused(is_wrong: Callable[[Unsure], bool]) -> Callable[[GatewayCarrier], None]:
    """The carrier's answer, read more boldly than it may be."""

    def change(carrier: GatewayCarrier) -> None:
        careful = carrier.dial

        async def bold(requests):
            return [
                Refused(attempt_id=one.attempt_id, cause=one.cause, retry=True)
                if isinstance(one, Unsure) and is_wrong(one)
                else one
                for one in await careful(requests)
            ]

        carrier.dial = bold

    return change


def retry_the_dial(trial: Trial) -> Tally:
    """What was not answered is dialled again."""
    return run(trial, dial=_taken_for_refused(bool), stop=True)


def trust_any_answer(trial: Trial) -> Tally:
    """What an answer of 200 does not name was not taken."""
    return run(trial, dial=_taken_for_refused(_came_with_200), stop=True)


def _came_with_200(unsure: Unsure) -> bool:
    return unsure.cause == "not in the answer" or "JSON" in unsure.cause


FAULTS_PROOF = Proof(
    name="faults",
    shows="However the carrier goes wrong, no number rings twice and every call comes to an honest end.",
    unit="calls under a fault",
    small=2 * len(FAULTS),
    full=125 * len(FAULTS),
    chunk=25 * len(FAULTS),
    run=run,
    broken={
        mistake.__name__: Broken(run=mistake, seen_by="rang twice")
        for mistake in (retry_the_dial, trust_any_answer)
    },
)
