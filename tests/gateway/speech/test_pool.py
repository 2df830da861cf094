"""Workers that all calls share: whatever one does, whoever asked hears of it, and the next is answered."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from functools import partial

import pytest

from temphone.gateway.legs.spoken import scribe
from temphone.gateway.speech import piper, turns, whisper
from temphone.gateway.speech import pool as pools
from temphone.gateway.speech.pool import Pool, Program
from temphone.gateway.speech.ports import SpeechFailed, Urgency
from tests.gateway.fake_django import until

pytestmark = pytest.mark.processes

LIVE, SOON, AHEAD = (partial(Urgency, urgency) for urgency in sorted(Urgency))


@asynccontextmanager
async def a_pool(*, mood="well", size=1, work_s=30.0, patience_s=30.0):
    program = Program(
        name="Fake",
        module="tests.gateway.speech.fake_worker",
        arguments=(mood,),
        work_s=work_s,
        patience_s=patience_s,
    )
    pool = Pool(program, size=size)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()


async def pid_of(pool):
    words, _ = await pool.ask({"do": "pid"})
    return words["pid"]


async def told(pool, *, well):
    """Returns when the pool says so: nobody asks it, so nothing else tells."""
    async with asyncio.timeout(30):
        for _ in iter(lambda: (pool.problem() is None) is well, True):
            await asyncio.sleep(0.01)


def test_words_and_sound_go_there_and_back():
    async def story():
        async with a_pool() as pool:
            return await pool.ask({"do": "echo", "say": "Grüße, \ud800"}, b"\0\xff" * 100_000)

    assert asyncio.run(story()) == ({"said": "Grüße, \ud800"}, b"\0\xff" * 100_000)


def test_what_a_library_prints_is_no_answer():
    async def story():
        async with a_pool() as pool:
            await pool.ask({"do": "print"})
            return await pool.ask({"do": "echo", "say": "well"})

    assert asyncio.run(story())[0] == {"said": "well"}


def test_whoever_asks_is_answered_in_turn_by_one_worker():
    async def story():
        async with a_pool() as pool:
            return await asyncio.gather(*(pool.ask({"do": "echo", "say": n}) for n in range(20)))

    assert [words["said"] for words, _ in asyncio.run(story())] == list(range(20))


def served(*wishes):
    """In which order one worker answers what is asked at once with these wishes."""

    async def story():
        order = []

        async def ask(pool, number, wish):
            await pool.ask({"do": "pid"}, wish=wish)
            order.append(number)

        async with a_pool() as pool:
            await asyncio.gather(*(ask(pool, number, wish) for number, wish in enumerate(wishes)))
        return order

    return asyncio.run(story())


def test_what_somebody_on_the_line_waits_for_goes_first_and_what_is_made_ahead_last():
    assert served(AHEAD, SOON, LIVE) == [2, 1, 0]
    assert served(AHEAD, AHEAD, SOON, LIVE, LIVE) == [3, 4, 2, 0, 1]


def test_what_has_waited_longest_has_its_turn_however_urgent_the_others_are():
    assert served(AHEAD, AHEAD, *[LIVE] * 8) == [2, 3, 4, 0, 5, 6, 7, 1, 8, 9]


def test_what_becomes_urgent_while_it_waits_overtakes():
    ahead_and_then_live = iter((Urgency.AHEAD, *[Urgency.LIVE] * 9)).__next__
    assert served(LIVE, SOON, SOON, ahead_and_then_live) == [0, 3, 1, 2]


def test_two_workers_work_at_once():
    async def story():
        async with a_pool(size=2, work_s=5.0) as pool:
            busy = asyncio.create_task(pool.ask({"do": "hang"}))
            await asyncio.sleep(0)
            said = await pool.ask({"do": "echo", "say": "well"})
            busy.cancel()
            return said

    assert asyncio.run(story())[0] == {"said": "well"}


def test_what_nobody_waits_for_any_more_is_never_begun(tmp_path):
    async def story():
        async with a_pool() as pool:
            first = asyncio.create_task(pool.ask({"do": "pid"}))
            dropped = asyncio.create_task(pool.ask({"do": "die once", "mark": str(tmp_path / "begun")}))
            await asyncio.sleep(0)
            dropped.cancel()
            assert (await first)[0]["pid"] == await pid_of(pool)

    asyncio.run(story())
    assert not (tmp_path / "begun").exists()


def test_a_worker_that_hangs_is_killed_and_renewed():
    async def story():
        async with a_pool(work_s=1.0) as pool:
            before = await pid_of(pool)
            with pytest.raises(SpeechFailed, match="Fake hangs"):
                await pool.ask({"do": "hang"})
            assert await pid_of(pool) != before
            with pytest.raises(ProcessLookupError):
                os.kill(before, 0)

    asyncio.run(story())


def test_what_waits_behind_one_that_hangs_is_answered_by_the_next():
    async def story():
        async with a_pool(work_s=1.0) as pool:
            hanging = asyncio.create_task(pool.ask({"do": "hang"}))
            waiting = asyncio.create_task(pool.ask({"do": "echo", "say": "well"}))
            with pytest.raises(SpeechFailed):
                await hanging
            return await waiting

    assert asyncio.run(story())[0] == {"said": "well"}


def test_nobody_waits_longer_than_their_patience():
    async def story():
        async with a_pool(patience_s=0.5) as pool:
            with pytest.raises(SpeechFailed, match="does not answer in time"):
                await pool.ask({"do": "hang"})

    asyncio.run(story())


def test_what_a_worker_was_killed_over_is_answered_by_the_next(tmp_path):
    async def story():
        async with a_pool() as pool:
            before = await pid_of(pool)
            words, _ = await pool.ask({"do": "die once", "mark": str(tmp_path / "mark")})
            assert words["pid"] != before

    asyncio.run(story())


def test_a_worker_that_answers_what_is_no_frame_is_renewed():
    async def story():
        async with a_pool() as pool:
            with pytest.raises(SpeechFailed, match="Fake died"):
                await pool.ask({"do": "babble"})
            return await pool.ask({"do": "echo", "say": "well"})

    assert asyncio.run(story()) == ({"said": "well"}, b"")


def test_what_kills_every_worker_fails_and_harms_nobody_else():
    async def story():
        async with a_pool() as pool:
            with pytest.raises(SpeechFailed, match="Fake died"):
                await pool.ask({"do": "die"})
            return await pool.ask({"do": "echo", "say": "well"})

    assert asyncio.run(story())[0] == {"said": "well"}


def test_what_dies_over_every_request_is_a_problem():
    async def story():
        async with a_pool() as pool:
            with pytest.raises(SpeechFailed, match="Fake died"):
                await pool.ask({"do": "die"})
            await until(lambda: pool._ready)
            assert pool.problem() == "Fake dies"
            await pool.ask({"do": "echo", "say": "well"})
            assert pool.problem() is None

    asyncio.run(story())


@pytest.mark.parametrize(
    ("inner_s", "outer_s"),
    [
        (whisper.PATIENCE_S, scribe.PATIENCE_S),
        (piper.WORK_S, piper.PATIENCE_S),
        (turns.PATIENCE_S, turns.WORK_S),
    ],
)
def test_who_answers_gives_up_before_who_asks(inner_s, outer_s):
    """Else the failure would be nobody's, and calls would go on being made."""
    assert inner_s < outer_s


def test_a_worker_that_is_killed_while_idle_is_renewed_unasked():
    async def story():
        async with a_pool() as pool:
            before = await pid_of(pool)
            os.kill(before, signal.SIGKILL)
            await told(pool, well=False)
            await told(pool, well=True)
            assert await pid_of(pool) != before

    asyncio.run(story())


def test_an_error_is_told_without_what_was_said():
    async def story():
        async with a_pool() as pool:
            with pytest.raises(SpeechFailed, match=r"^Fake fails: ValueError$"):
                await pool.ask({"do": "fail"})
            with pytest.raises(SpeechFailed, match=r"^Fake fails: is no text$"):
                await pool.ask({"do": "refuse"})

    asyncio.run(story())


def test_one_failure_is_an_accident_and_two_in_a_row_are_a_problem(monkeypatch):
    async def story():
        async with a_pool() as pool:
            for expected in (None, "Fake fails: ValueError"):
                with pytest.raises(SpeechFailed):
                    await pool.ask({"do": "fail"})
                assert pool.problem() == expected
            await pid_of(pool)
            assert pool.problem() is None

    asyncio.run(story())


def test_what_cannot_be_spoken_says_nothing_about_the_engine():
    async def story():
        async with a_pool() as pool:
            for _ in range(3):
                with pytest.raises(SpeechFailed):
                    await pool.ask({"do": "refuse"})
            assert pool.problem() is None

    asyncio.run(story())


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("missing", r"Fake cannot be loaded: \[Errno 2\] No such file"),
        ("crashing", "Fake ends as soon as it starts"),
    ],
)
def test_a_worker_that_does_not_start_fails_whoever_asks_at_once(mood, reason):
    async def story():
        async with a_pool(mood=mood) as pool:
            with pytest.raises(SpeechFailed, match=reason):
                await pool.ask({"do": "pid"})
            return pool.problem()

    assert asyncio.run(story())


def test_a_worker_that_could_not_start_is_tried_again(monkeypatch):
    monkeypatch.setattr(pools, "PAUSES_S", (0.05,))

    async def story():
        async with a_pool(mood="missing") as pool:
            pool._program = Program(
                name="Fake", module=pool._program.module, arguments=("well",), work_s=9.0, patience_s=9.0
            )
            await told(pool, well=True)
            return await pid_of(pool)

    assert asyncio.run(story())


def test_whoever_waits_when_it_is_closed_is_told():
    async def story():
        async with a_pool() as pool:
            running, waiting = (asyncio.create_task(pool.ask({"do": "hang"})) for _ in range(2))
            await asyncio.sleep(0.1)
            await pool.close()
            for asked in (running, waiting):
                with pytest.raises(SpeechFailed):
                    await asked
            with pytest.raises(SpeechFailed, match="is not started"):
                await pid_of(pool)

    asyncio.run(story())
