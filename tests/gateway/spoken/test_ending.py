"""The end of a call: nothing that was done before it is lost, and nothing comes after it."""

import asyncio

import pytest

from temphone.gateway.conversation.moves import Key, Over, Silence
from temphone.gateway.legs.base import Spoken
from temphone.gateway.legs.line import Gone
from temphone.gateway.legs.spoken.inbox import Inbox
from temphone.telephony.messages import EndedBy
from tests.gateway.builders import script
from tests.gateway.spoken.fakes import Does, FakeEar, FakeEngines, FakeLine, hangs_up, presses, says
from tests.gateway.spoken.legs import leg_on, on_call
from tests.gateway.spoken.sounds import beep, noise

GONE = Over(EndedBy.CALLEE)


async def all_heard(leg, line):
    """Everything until the end."""
    everything = []
    while not everything or not isinstance(everything[-1], Over):
        everything.append(await leg.listen(10))
    return everything


def test_a_hang_up_is_heard_and_stays():
    async def test(leg, line):
        assert [await leg.listen(10) for _ in range(3)] == [GONE] * 3

    on_call(test, hangs_up(500))


def test_what_was_said_just_before_a_hang_up_comes_first():
    [said, over] = on_call(all_heard, says("stop calling me", 500), hangs_up())
    assert (said.text, over) == ("stop calling me", GONE)


def test_what_was_not_understood_yet_at_a_hang_up_comes_first():
    ear = FakeEar(takes_frames=50)
    heard = on_call(all_heard, says("stop calling me", 500), hangs_up(400), speech=FakeEngines(stt=ear))
    assert [one.text for one in heard[:-1]] == ["stop calling me"]


def test_what_was_said_over_the_agent_just_before_a_hang_up_comes_first():
    async def test(leg, line):
        spoken = await leg.say("one two three four five six seven")
        assert (spoken.text, spoken.cut_in.text) == ("one two three", "stop calling me")
        assert await leg.listen(1) == GONE

    on_call(test, says("stop calling me", 480), hangs_up())


def test_what_was_done_while_nobody_listened_comes_before_the_end():
    async def test(leg, line):
        await leg.closed()
        said, key, over = await all_heard(leg, line)
        assert (said.text, key.digit, over) == ("stop calling me", "9", GONE)

    on_call(test, says("stop calling me", 500), presses("9"), hangs_up())


def test_a_key_in_the_last_instant_comes_first():
    assert on_call(all_heard, presses("9", 500), hangs_up()) == [Key("9", 500), GONE]


def test_a_key_comes_before_the_end_also_when_we_hang_up():
    async def test(leg, line):
        assert await leg.listen(0.5) == Silence()
        leg.hang_up()
        return await all_heard(leg, line)

    assert on_call(test, presses("9", 500)) == [Key("9", 500), Over(EndedBy.STAFF)]


@pytest.mark.parametrize("ms", [100, 200, 300, 900, 2_000])
def test_a_line_that_ends_in_the_middle_of_a_tone_ends(ms):
    """As a switchboard's busy tone before its BYE."""
    assert on_call(all_heard, Does(beep(ms), 500), hangs_up())[-1] == GONE


def test_a_line_that_ends_in_a_tone_over_the_agent_ends():
    async def test(leg, line):
        assert (await leg.say("one two three four five six seven")).cut_in
        assert (await all_heard(leg, line))[-1] == GONE

    on_call(test, Does(beep(400), 480), hangs_up())


def test_what_was_never_known_does_not_stand_before_the_end():
    inbox = Inbox()
    inbox.reserve()
    inbox.put(Key("9"))
    inbox.close(GONE)
    assert [inbox.take() for _ in range(3)] == [Key("9"), GONE, GONE]


def test_staff_end_it_in_the_middle_of_a_text():
    async def test(leg, line):
        saying = asyncio.create_task(leg.say("one two three four five six seven"))
        assert await line.reaches(500)
        leg.hang_up()
        spoken = await saying
        assert (spoken.text, spoken.cut_in) == ("one two", Over(EndedBy.STAFF))

    on_call(test)


def test_the_maximum_duration_ends_it_exactly():
    async def test(leg, line):
        assert await leg.listen(60) == Over(EndedBy.SYSTEM)
        assert leg.offset_ms == 5_000
        assert line.hung_up

    on_call(test, max_duration_s=5)


def test_the_maximum_duration_loses_neither_key_nor_speech():
    async def test(leg, line):
        key, said, over = await all_heard(leg, line)
        assert (key, said.text, over) == (Key("9", 5_000), "stop calling me", Over(EndedBy.SYSTEM))

    last = presses("9", when=lambda line: line.now_ms >= 5_000)
    on_call(test, says("stop calling me", 4_400), last, max_duration_s=5)


def test_a_line_that_gives_nothing_any_more_is_given_up(monkeypatch):
    class Dead(FakeLine):
        async def receive(self):
            await asyncio.Event().wait()

    async def test():
        line = Dead()
        leg = leg_on(line, max_duration_s=0)
        await leg.ring()
        await leg.answer()
        assert await leg.listen(10) == Over(EndedBy.SYSTEM)
        assert line.hung_up

    monkeypatch.setattr("temphone.gateway.legs.spoken.leg.GRACE_S", 0.01)
    asyncio.run(test())


def test_the_clock_stops_at_the_end():
    async def test(leg, line):
        await all_heard(leg, line)
        for _ in range(100):
            await asyncio.sleep(0)
        assert leg.offset_ms == 700

    on_call(test, hangs_up(700))


@pytest.mark.parametrize("by", list(EndedBy))
def test_who_ended_it_is_told(by):
    assert on_call(all_heard, Does(Gone(by, "BYE"), 100)) == [Over(by)]


def test_everything_is_let_go_of():
    ear = FakeEar()

    async def test(leg, line):
        await all_heard(leg, line)
        await leg.closed()
        assert all(transcriber.closed for transcriber in ear.opened)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in others if not task.done()]

    on_call(test, hangs_up(700), speech=FakeEngines(stt=ear))


def test_a_noise_at_the_end_is_nothing():
    assert on_call(all_heard, Does(noise(300), 300), hangs_up()) == [GONE]


def test_an_error_of_ours_ends_the_conversation_too():
    class Broken(FakeLine):
        async def receive(self):
            if self.now_ms >= 500:
                raise ZeroDivisionError
            return await super().receive()

    async def test():
        ear = FakeEar()
        leg = leg_on(Broken(), FakeEngines(stt=ear))
        await leg.ring()
        await leg.answer()
        for doing in (leg.say("one two three four five"), leg.listen(1)):
            with pytest.raises(ZeroDivisionError):
                await doing
        await leg.closed()
        assert ear.opened[0].closed

    asyncio.run(test())


def test_who_is_transferred_is_gone():
    class Taken(FakeLine):
        async def transfer(self, to):
            self.hang_up()
            return to == "+14155550100"

    async def test():
        leg = leg_on(Taken())
        await leg.ring()
        await leg.answer()
        assert await leg.transfer("+14155550100")
        assert await leg.listen(1) == Over(EndedBy.STAFF)
        await leg.closed()

    asyncio.run(test())


def test_nothing_counts_as_said_after_the_end_while_the_last_noise_is_being_understood():
    async def test(leg, line):
        await line.ends()
        await asyncio.sleep(0)
        assert await leg.say(script().message) == Spoken("", GONE)  # of which the sound is there

    on_call(test, Does(noise(160), 500), hangs_up(), speech=FakeEngines(stt=FakeEar(takes_frames=50)))
