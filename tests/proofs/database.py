"""The database is killed under load, again and again; what was accepted before is there after."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import psycopg

from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.running.folders import a_folder
from tests.proofs.stage.evidence import MOST, evidence
from tests.proofs.stage.installation import PROGRAMS, ROOT, Installation
from tests.proofs.stage.postgres import Cluster
from tests.proofs.stage.program import Program, Scheduled
from tests.proofs.stage.quiet import A_MOMENT_S, QUIET_S, Quiet

PEOPLE = 60  # for each kill; whoever posts faster runs out of them
POST_S = 0.1  # between two requests of a thread
ENDS_S = 240.0
SMALL = 10  # kills; a trial with no more is judged after a moment of quiet
OVER = ("completed", "failed", "canceled")


class Hasty(Installation):
    """Its web program answers before it commits."""

    def command(self, program: str) -> list[str]:
        """How a program is started."""
        return [
            word.replace("temphone.wsgi:", "tests.proofs.stage.hasty_wsgi:")
            for word in super().command(program)
        ]


def run(trial: Trial, kind: type[Installation] = Installation) -> Tally:
    """A case is a kill."""
    tally = Tally(cases=trial.cases)
    with a_folder() as folder:
        cluster = Cluster(folder / "postgres", durable=True)
        cluster.start()
        cluster.create("temphone")
        installation = kind(trial.folder, speed=20, DATABASE_URL=cluster.url("temphone"))
        try:
            key, persons = _people(installation, 100 + PEOPLE * trial.cases)
            installation.start()
            installation.wait_until_ready()
            program = Program(installation=installation, key=key, waiting=iter(persons), stubborn=True)
            _kill_under_load(cluster, program, trial, tally)
            _judge(tally, program, cluster, trial)
        finally:
            installation.stop()
            cluster.kill()
    return tally


def _people(installation: Installation, count: int) -> tuple[str, list[tuple[str, str]]]:
    """Migrate, and make a key and contacts. Not in this process: its database is another."""
    command = [sys.executable, "-m", "tests.proofs.stage.people", str(count)]
    done = subprocess.run(
        command, cwd=ROOT, env=installation.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told["key"], [(contact, number) for contact, number in told["people"]]


def _kill_under_load(cluster: Cluster, program: Program, trial: Trial, tally: Tally) -> None:
    with program.busy([partial(_post, program)] * 2):
        for _ in range(trial.cases):
            time.sleep(trial_pause(trial, tally))
            cluster.kill()
            program.installation.note_kill("postgresql")
            tally.counts["kills"] += 1
            cluster.start()
            tally.counts["restarts"] += _start_again(program.installation)


def trial_pause(trial: Trial, tally: Tally) -> float:
    """Seconds until the next kill: about one."""
    return random.Random(trial.seed + tally.counts["kills"]).uniform(0.5, 1.5)


def _post(program: Program) -> None:
    program.schedule(1.0)
    time.sleep(POST_S)


def _start_again(installation: Installation) -> int:
    """Start what has ended, as its supervisor would; how many had."""
    ended = [name for name in PROGRAMS if installation.running[name].poll() is not None]
    if ended:
        installation.start(*ended)
    return len(ended)


def _judge(tally: Tally, program: Program, cluster: Cluster, trial: Trial) -> None:
    installation = program.installation
    quiet_s = QUIET_S if trial.cases > SMALL else A_MOMENT_S
    quiet = Quiet(installation=installation, is_open=partial(_open_calls, program), quiet_s=quiet_s)
    over = quiet.comes(ENDS_S, meanwhile=partial(_start_again, installation))
    flag = partial(tally.flag, folder=trial.folder)
    if not over:
        flag("calls or attempts did not end", ledgers=installation.unfinished(), logs=installation.logs())
    for what, how in program.problems():
        flag(what, how=how)
    rings = installation.rings()
    with psycopg.connect(cluster.url("temphone")) as database, database.cursor() as cursor:
        for call in program.scheduled:
            for wrong, said in _wrong(program, call, rings[call.number]):
                few = len(tally.flagged) < MOST
                known = evidence(call.number, installation, cursor) if few else {}
                flag(wrong, call=call, answer=said, **known)
    accepted = {call.number for call in program.scheduled}
    for number, count in rings.items():
        if count > 1 and number not in accepted:
            flag("rung twice", number=number, rings=count)
    tally.counts.update(
        calls=len(program.scheduled),
        rings=rings.total(),
        silenced=installation.silenced(),
        lost_answers=sum(_failures(program).values()),
    )


def _wrong(program: Program, call: Scheduled, rings: int) -> Iterator[tuple[str, object]]:
    """What is wrong with a call that was accepted, and what the API says of it."""
    status, data = program.ask("GET", f"/calls/{call.call_id}")
    if status != 200:
        yield "accepted, but not there", status
        return
    if data["status"] not in OVER:
        yield "did not end", data
    elif data["status"] != "completed":
        yield "ended otherwise than the callee would have it", data
    if rings != 1:
        yield f"rang {rings} times", data


def _open_calls(program: Program) -> bool:
    pages = (program.ask("GET", f"/calls?limit=1&status={status}") for status in ("scheduled", "in_progress"))
    return any(data.get("items") for _, data in pages)


def _failures(program: Program) -> dict[int, int]:
    return {status: count for status, count in program.answers.items() if status >= 500}


PROOF = Proof(
    name="database",
    shows="the database may be killed at any moment: what was accepted is there, ends, and rings once",
    unit="kills",
    small=3,
    full=500,
    chunk=50,
    run=run,
    databases=("postgresql",),
    broken={"answer_before_commit": Broken(run=partial(run, kind=Hasty), seen_by="accepted, but not there")},
)
