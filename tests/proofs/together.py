"""Everything at once on SQLite: requests, cancels, dialing, carrier events, webhooks, as much as it takes."""

import random
import re
import threading
import time
from functools import partial

from django.db import connection

from calls.models import Call
from temphone.webhooks.models import Delivery, DeliveryState
from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.stage.evidence import MOST, evidence
from tests.proofs.stage.installation import Installation
from tests.proofs.stage.people import a_key, people
from tests.proofs.stage.program import Program, Scheduled
from tests.proofs.stage.quiet import A_MOMENT_S, QUIET_S, Quiet
from tests.proofs.stage.told import by_call, out_of_order
from tests.webhooks.receiver import Receiver, a_receiver

POSTERS = 3
UNDER_WAY = 200  # calls at most: what comes in waits for what can go out
PEOPLE_PER_S = 60
ENDS_S = 180.0
SMALL = 60  # seconds; a trial that is not longer is judged after a moment of quiet
LOCKED = re.compile(r"database is locked|OperationalError")


def run(trial: Trial, *, ends_s: float = ENDS_S, **environment: str) -> Tally:
    """A case is a second of it; ``ends_s`` later all must be over."""
    tally = Tally(cases=trial.cases)
    with a_receiver() as receiver:
        told = {"TEMPHONE_WEBHOOK_ALLOW": receiver.host, **environment}
        installation = Installation(trial.folder, speed=20, **told)
        installation.start()
        try:
            installation.wait_until_ready()
            program = Program(
                installation=installation,
                key=a_key(),
                waiting=iter(people(trial.cases * PEOPLE_PER_S)),
                webhook_url=receiver.url(),
            )
            _use(program, trial)
            quiet_s = QUIET_S if trial.cases > SMALL else A_MOMENT_S
            over = Quiet(installation=installation, is_open=_is_open, quiet_s=quiet_s).comes(ends_s)
        finally:
            installation.stop()
        _judge(tally, program, receiver, trial)
    if not over:
        left = {"ledgers": installation.unfinished(), "logs": installation.logs()}
        tally.flag("calls, attempts or webhooks did not end", folder=trial.folder, **left)
    return tally


def _use(program: Program, trial: Trial) -> None:
    """Keep the programs' threads busy for as long as the trial lasts."""
    room = threading.Event()
    work = [partial(_post, program, room, random.Random(trial.seed + n)) for n in range(POSTERS)]
    work.append(partial(_read, program, random.Random(trial.seed + POSTERS)))
    until = time.monotonic() + trial.cases
    with program.busy(work):
        while time.monotonic() < until:
            full = Call.objects.filter(status__in=("scheduled", "in_progress")).count() >= UNDER_WAY
            room.clear() if full else room.set()
            time.sleep(0.1)
        room.set()


def _post(program: Program, room: threading.Event, chance: random.Random) -> None:
    room.wait(1)
    # In whole seconds a second ahead at least: what is past when the request is read is refused, rightly.
    call = program.schedule(chance.uniform(1, 3))
    if call and chance.random() < 0.1:
        # Some while it is scheduled, some as it is dialled, some while they speak.
        time.sleep(chance.choice((0, 1, 2)) * chance.random())
        program.cancel(call)


def _read(program: Program, chance: random.Random) -> None:
    program.ask("GET", "/calls?limit=20")
    if program.scheduled:
        program.ask("GET", f"/calls/{chance.choice(program.scheduled).call_id}")


def _is_open() -> bool:
    """Whether a call has yet to end, or a message to be taken."""
    open_calls = Call.objects.filter(status__in=("scheduled", "in_progress")).exists()
    return open_calls or Delivery.objects.filter(state=DeliveryState.PENDING).exists()


def _judge(tally: Tally, program: Program, receiver: Receiver, trial: Trial) -> None:
    """What phones, receiver and logs tell."""
    flag = partial(tally.flag, folder=trial.folder)
    for what in program.broken:
        flag("an answer of 500 or above, or none", answer=what)
    for what in program.refused:
        flag("a call was not taken", answer=what)
    for what, how in program.problems():
        flag(what, how=how)
    rings = program.installation.rings()
    for log in trial.folder.glob("*.log"):
        lines = [line for line in log.read_text(errors="replace").splitlines() if LOCKED.search(line)]
        if lines:
            flag(f"{log.stem}: {len(lines)} times locked", first=lines[0])
    rows = {call.pk: call for call in Call.objects.all()}
    messages = by_call(receiver.received)
    for call in program.scheduled:
        if wrong := _wrong(rows.get(call.call_id), call, rings[call.number], messages[call.call_id]):
            flag(wrong, call=call, messages=messages[call.call_id], **_known(tally, program, call))
    tally.counts.update(
        calls=len(program.scheduled),
        rings=rings.total(),
        silenced=program.installation.silenced(),
        cancels=sum(call.canceled is not None for call in program.scheduled),
        requests=program.answers.total(),
        webhooks=len(receiver.received),
    )


def _known(tally: Tally, program: Program, call: Scheduled) -> dict[str, object]:
    if len(tally.flagged) >= MOST:
        return {}
    with connection.cursor() as cursor:
        return evidence(call.number, program.installation, cursor)


def _wrong(row: Call | None, call: Scheduled, rings: int, messages: list[tuple[int, str]]) -> str | None:
    if row is None or rings not in call.rings():
        return f"lost, or rung too often or not at all: {rings} times"
    if out_of_order(messages):
        return "webhooks out of order"
    if not messages or messages[-1][1] != f"call.{row.status}":
        return "the last webhook does not tell the end"
    if call.canceled is None and row.status != "completed":
        return f"ended as {row.status}"
    return None


def _deferred(trial: Trial) -> Tally:
    return run(trial, ends_s=5, DJANGO_SETTINGS_MODULE="tests.proofs.stage.deferred_settings")


PROOF = Proof(
    name="together",
    shows="on SQLite everything goes on at once: no lock, no 5xx, each call rings once, webhooks in order",
    unit="seconds",
    small=12,
    full=1_800,
    chunk=300,
    run=run,
    databases=("sqlite",),
    broken={"deferred_transactions": Broken(run=_deferred, seen_by="times locked")},
    broken_cases=6,
    exclusive=True,
)
