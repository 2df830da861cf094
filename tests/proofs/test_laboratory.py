"""The laboratory keeps to a slow machine, hears a mistake at once, and strikes it where it may show."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.proofs import freezes, kills
from tests.proofs.battery import Trial
from tests.proofs.lab import besieging
from tests.proofs.lab.callees import BY_AREA
from tests.proofs.lab.judgement import rings_too_many
from tests.proofs.lab.mistakes import MISTAKES
from tests.proofs.lab.places import PHASES
from tests.proofs.lab.siege import TooSlow, Wrong
from tests.proofs.lab.times import SLOWEST, Bounds
from tests.proofs.lab.traffic import Placed

LABORATORIES = [
    (kills.BROKEN, kills.MEMBERS),
    (kills.ASKED_BROKEN, kills.ASKED_MEMBERS),
    (kills.LINE_BROKEN, kills.LINE_MEMBERS),
    (freezes.BROKEN, freezes.MEMBERS),
]


@contextmanager
def a_laboratory(*_, slower, **_how):
    yield SimpleNamespace(slower=slower)


@contextmanager
def a_desk():
    yield SimpleNamespace(host="127.0.0.1:9")


def on_a_machine(monkeypatch, *, rings_at):
    """Nothing rings where times are not so much longer; how much longer they were, each time."""
    tried = []

    class Siege:
        def __init__(self, lab, *_, **_how):
            self.lab = lab

        def warm_up(self):
            tried.append(self.lab.slower)
            if self.lab.slower < rings_at:
                raise TooSlow

        def close(self):
            pass

    for name, fake in {"Laboratory": a_laboratory, "receiving": a_desk, "Siege": Siege}.items():
        monkeypatch.setattr(besieging, name, fake)
    monkeypatch.setattr(besieging, "wipe", lambda: None)
    return tried


def warm(folder):
    return besieging._warm(Trial(cases=1, seed=1, folder=folder), {}, number=None, wrong=None, traffic=None)


def test_where_nothing_rings_all_is_built_anew_and_slower(monkeypatch, tmp_path):
    tried = on_a_machine(monkeypatch, rings_at=2)
    with warm(tmp_path) as siege:
        assert siege.lab.slower == tried[-1]
    assert tried == [1, SLOWEST / 2]


def test_where_nothing_rings_however_slow_it_says_so(monkeypatch, tmp_path):
    tried = on_a_machine(monkeypatch, rings_at=100)
    with pytest.raises(TooSlow), warm(tmp_path):
        pass
    assert tried == [1, SLOWEST / 2, SLOWEST]


def test_on_a_slower_machine_all_is_waited_for_longer():
    usual, longer = Bounds(), Bounds().times(3)
    assert (longer.stuck_s, longer.missed_s) == (usual.stuck_s * 3, usual.missed_s * 3)


def placed(number="+12012000000", **how):
    return Placed(call_id="call_1", number=number, callee=BY_AREA[number[2:5]], **how)


def ring(attempt, number="+12012000000"):
    return {"to": number, "attempt_id": attempt, "at": "2026-03-15T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("one", "attempts", "problems"),
    [
        (placed(), [], []),  # it may still ring
        (placed(), ["a"], []),
        (placed(), ["a", "b"], ["rang 2 times, not 1"]),
        (placed(), ["a", "a"], ["rang 2 times, not 1", "one attempt rang twice"]),
        (placed(answered="canceled"), ["a"], ["rang 1 times, not 0"]),
        (placed("+12032000000"), ["a", "b"], []),  # it is busy, and tried again
        (placed("+12032000000"), ["a", "b", "c"], ["rang 3 times, not 2"]),
    ],
)
def test_what_rings_too_often_is_heard_at_once(one, attempts, problems):
    rings = [ring(attempt, one.number) for attempt in attempts]
    assert list(rings_too_many([one], rings)) == [(one, problem) for problem in problems]


def test_a_mistake_is_seen_by_its_own_problem_alone():
    wrong = Wrong(name="it", victim="worker", phases=["dial"], seen_by=r"rang \d+ times")
    assert wrong.is_seen(["call_1: lost", "call_2: rang 2 times, not 1"])
    assert not wrong.is_seen(["call_1: lost: it never came to an end"])


@pytest.mark.parametrize(("broken", "members"), LABORATORIES)
def test_each_mistake_is_struck_in_phases_that_its_victim_has(broken, members):
    for mistake, (victim, phases, _) in broken.items():
        assert mistake in MISTAKES
        assert phases.split()
        assert set(phases.split()) <= set(PHASES[members[victim]]), mistake
