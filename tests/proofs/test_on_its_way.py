"""What rings after an order was answered: decided before it, it is counted; decided after it, flagged."""

import pytest

from calls.actions.dialing import claim_due
from calls.actions.suppression import suppress
from temphone.accounts.actors import SYSTEM
from tests.builders import NOON
from tests.proofs.battery import Trial
from tests.proofs.racing.judge import ORDERED
from tests.proofs.stage.arena import Arena, answer
from tests.proofs.stage.crew import Crew, instant

ON_ITS_WAY = "opt_outs: rang after the answer, was on its way"


@pytest.fixture
def arena(transactional_db, tmp_path):
    with Crew(1) as crew:
        arena = Arena(trial=Trial(cases=1, seed=1, folder=tmp_path), crew=crew)
        arena.begin("opt_outs")
        yield arena


def opt_out_between_claim_and_ring(arena, *, decided_before):
    (call,) = arena.calls(1)
    before = instant()
    requests, _ = claim_due(mode="test", now=NOON)
    given = answer(lambda: suppress(actor=SYSTEM, number=call.contact.phone, now=NOON))
    written = before if decided_before else instant()
    arena.carrier.dial(requests, written=written, moment=NOON)
    arena.judge_orders([call], {call.pk: given}, ORDERED)


def test_a_ring_that_was_on_its_way_when_the_opt_out_was_answered_is_counted(arena):
    opt_out_between_claim_and_ring(arena, decided_before=True)
    assert arena.tally.flagged == []
    assert arena.tally.counts[ON_ITS_WAY] == 1


def test_a_ring_that_was_decided_after_the_answer_is_flagged(arena):
    opt_out_between_claim_and_ring(arena, decided_before=False)
    (problem,) = arena.tally.flagged
    assert "was decided to ring after done had been answered" in problem
    assert ON_ITS_WAY not in arena.tally.counts
