"""Sound both ways, keys, and what a bad or lost connection does: to this call, and never to another."""

import asyncio
import struct

import pytest
from aiohttp import WSMessage, WSMsgType

from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.legs.spoken.mouth import Mouth
from temphone.gateway.legs.spoken.prompts import Prompt
from temphone.gateway.legs.twilio import ear, playout, stream, ulaw
from temphone.telephony.messages import EndedBy
from tests.gateway.fake_django import until
from tests.gateway.twilio.fake import QUIET, answers
from tests.gateway.twilio.lines import end_of, sounds, stage

pytestmark = pytest.mark.voice

SILENCE = bytes(320)
CODED = bytes(range(160))


def tone(milliseconds: int) -> bytes:
    return struct.pack(f"<{milliseconds * 8}h", *(((at % 16) - 8) * 1000 for at in range(milliseconds * 8)))


def talking(check, **settings):
    """Run ``check(here, line, media)`` in an answered call whose sound nobody paces."""

    async def test():
        async with stage(plan=answers, **({"paced": False} | settings)) as here:
            line, call = await here.answered()
            await check(here, line, call.stream)

    asyncio.run(test())


def test_what_the_callee_says_is_heard():
    async def check(here, line, media):
        await media.media(CODED)
        await media.media(CODED[::-1])
        assert await sounds(line, 2) == [ulaw.decode(CODED), ulaw.decode(CODED[::-1])]

    talking(check)


def test_messages_of_any_length_become_frames():
    async def check(here, line, media):
        await media.media(CODED[:80])
        await media.media(CODED[80:] + CODED * 2)
        assert await sounds(line, 3) == [ulaw.decode(CODED)] * 3

    talking(check)


def test_a_gap_in_the_time_stamps_is_silence():
    async def check(here, line, media):
        await media.media(CODED)
        await media.media(CODED, skip_ms=60)
        assert await sounds(line, 5) == [ulaw.decode(CODED), *[SILENCE] * 3, ulaw.decode(CODED)]

    talking(check)


def test_a_gap_of_hours_is_cut_short():
    async def check(here, line, media):
        await media.media(CODED)
        await media.media(CODED, skip_ms=10_000_000)
        await media.presses("5")
        heard = []
        while isinstance(sound := await line.receive(), Sound):
            heard.append(sound.frame)
        assert heard[-1] == ulaw.decode(CODED)
        assert len(heard) <= ear.LONGEST_GAP_MS // 20 + 2

    talking(check)


def test_when_nothing_comes_the_calls_clock_goes_on(monkeypatch):
    monkeypatch.setattr(ear, "STALL_S", 0.1)

    async def check(here, line, media):
        await media.media(CODED)
        began = asyncio.get_running_loop().time()
        assert await sounds(line, 21) == [ulaw.decode(CODED), *[SILENCE] * 20]
        assert 0.3 < asyncio.get_running_loop().time() - began < 1.0
        await media.media(CODED, skip_ms=300)  # less than what was made up meanwhile: nothing is added
        await media.media(CODED)
        heard = await sounds(line, 2)
        assert heard.count(ulaw.decode(CODED)) >= 1

    talking(check)


def test_keys_are_heard_in_their_place():
    async def check(here, line, media):
        await media.media(CODED)
        await media.presses("9")
        await media.presses("x")
        await media.media(CODED)
        heard = [await line.receive() for _ in range(3)]
        assert heard == [Sound(ulaw.decode(CODED)), Pressed("9"), Sound(ulaw.decode(CODED))]

    talking(check)


def test_what_nobody_fetches_is_bounded_and_keys_are_kept():
    async def check(here, line, media):
        await media.presses("9")
        for _ in range(ear.KEPT + 100):
            await media.media()
        await until(lambda: line._ear.lost >= 100)
        assert len(line._ear._heard) == ear.KEPT
        assert await line.receive() == Pressed("9")

    talking(check)


def test_what_we_say_is_played_and_counted_until_it_was():
    async def check(here, line, media):
        line.play(tone(250))
        assert line.unplayed_ms == 250
        await until(lambda: not line.unplayed_ms)
        assert bytes(media.heard) == ulaw.encode(tone(250))

    talking(check)


def test_pieces_of_any_length_are_played_in_order():
    async def check(here, line, media):
        sound = tone(500)
        for start in range(0, len(sound), 246):
            line.play(sound[start : start + 246])
        await until(lambda: not line.unplayed_ms)
        assert bytes(media.heard) == ulaw.encode(sound)

    talking(check)


def test_no_more_than_a_little_lies_at_twilio():
    async def check(here, line, media):
        line.play(tone(10_000))
        await asyncio.sleep(0.3)
        sent = sum(len(what) for kind, what in media._buffer if kind == "sound") // 8
        assert sent == playout.AHEAD_MS
        assert line.unplayed_ms == 10_000

    talking(check, plays=False)


def test_marks_that_never_come_back_do_not_silence_us(monkeypatch):
    monkeypatch.setattr(playout, "LOST_S", 0.05)
    monkeypatch.setattr(playout, "AHEAD_MS", 200)

    async def check(here, line, media):
        line.play(tone(600))
        await until(lambda: not line.unplayed_ms, 5)
        assert sum(len(what) for kind, what in media._buffer if kind == "sound") // 8 == 600

    talking(check, plays=False)


def test_clear_drops_what_was_not_played_at_both_ends():
    async def check(here, line, media):
        line.play(tone(5_000))
        await until(lambda: media._buffer)
        line.clear()
        assert line.unplayed_ms == 0
        await until(lambda: media.clears == 1)
        assert not [what for kind, what in media._buffer if kind == "sound"]
        line.play(tone(100))
        await until(lambda: media._buffer)
        assert line.unplayed_ms == 100  # the marks of what was cleared came back meanwhile

    talking(check, plays=False)


def test_what_was_cleared_is_not_played_when_paced():
    async def check(here, line, media):
        line.play(tone(3_000))
        await until(lambda: len(media.heard) >= 800)
        line.clear()
        await until(lambda: media.clears)
        heard = len(media.heard)
        assert heard < 3_000 * 8 / 2
        await asyncio.sleep(0.2)
        assert len(media.heard) == heard

    talking(check, paced=True)


def speaking(line, sound):
    """A mouth that has begun to say this."""
    prompt = Prompt("It is long.")
    prompt.sound += sound
    prompt.complete = True
    mouth = Mouth(line, None)
    mouth.begin(prompt)
    return mouth


def test_over_an_ocean_what_is_said_does_not_stutter():
    async def check(here, line, media):
        media.away_s = 0.15
        mouth = speaking(line, tone(3_000))
        while not mouth.finished:
            mouth.move(may_speak=True)
            await line.receive()
        assert bytes(media.heard) == ulaw.encode(tone(3_000))
        assert media.gaps_ms == 0

    talking(check, paced=True)


def test_over_an_ocean_a_barge_in_takes_back_what_was_not_heard():
    async def check(here, line, media):
        media.away_s = 0.15
        mouth = speaking(line, tone(3_000))
        while len(media.heard) < 8_000:  # a second
            mouth.move(may_speak=True)
            await line.receive()
        mouth.stop()
        await asyncio.sleep(1.5)
        assert len(media.heard) < 8_000 + 8 * 500

    talking(check, paced=True)


def test_sound_that_is_given_before_the_media_open_is_played_then():
    async def test():
        async with stage(paced=False) as here:
            line = here.line()
            ringing = asyncio.create_task(line.ring())
            await until(lambda: here.twilio.created["att_1"])
            call = here.twilio.call("att_1")
            await call.goes("ringing")
            await ringing
            line.play(tone(100))
            assert line.unplayed_ms == 100
            await call.answers()
            await until(lambda: not line.unplayed_ms)
            assert bytes(call.stream.heard) == ulaw.encode(tone(100))

    asyncio.run(test())


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not json",
        "[]",
        '{"event":"media"}',
        '{"event":"media","media":{"payload":"*not base64*","timestamp":"1"}}',
        '{"event":"media","media":{"payload":"//8=","timestamp":"-5"}}',
        '{"event":"media","media":{"payload":"//8=","timestamp":"999999999999999999999999"}}',
        '{"event":"mark","mark":{"name":"999999999999999999999999"}}',
        '{"event":"mark","mark":{"name":"\\u0661"}}',
        '{"event":"dtmf","dtmf":{}}',
        '{"event":"something of tomorrow"}',
        "[" * 10_000,
    ],
)
def test_a_bad_message_is_passed_over(bad):
    async def check(here, line, media):
        await media.send(bad)
        await media.media(CODED)
        assert await sounds(line, 1) == [ulaw.decode(CODED)]

    talking(check)


def test_a_huge_message_ends_its_own_call_alone():
    async def test():
        async with stage(plan=answers, paced=False) as here:
            line, call = await here.answered("att_1")
            other, another = await here.answered("att_2", to="+14155552672")
            await call.stream.send("x" * 200_000)
            assert (await end_of(line)).by is EndedBy.CARRIER
            await until(lambda: call.status == "completed")
            await another.stream.media(CODED)
            assert ulaw.decode(CODED) in await sounds(other, 1)
            assert another.status == "in-progress"

    asyncio.run(test())


def test_a_flood_does_not_keep_another_call_waiting():
    """A socket that always has a next message, and never lets the loop go by itself."""

    class Flood:
        async def __aiter__(self):
            for _ in range(1_000):
                yield WSMessage(WSMsgType.TEXT, '{"event":"dtmf","dtmf":{"digit":"1"}}', None)

    async def test():
        turns = 0

        async def another():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(another())
        await stream.carry(Flood(), "MZ1", ear=ear.Ear(), playout=playout.Playout())
        other.cancel()
        assert turns > 900

    asyncio.run(test())


def test_the_callee_hangs_up():
    async def check(here, line, media):
        await media.media(CODED)
        await media.call.hangs_up()
        assert await line.receive() == Sound(ulaw.decode(CODED))
        gone = await end_of(line)
        assert gone.by is EndedBy.CALLEE
        assert await line.receive() == gone

    talking(check)


def test_a_completed_call_whose_media_stay_open_is_over():
    """The callback comes, the stop does not."""

    async def check(here, line, media):
        await here.twilio.tell(media.call, "completed")
        assert (await end_of(line)).by is EndedBy.CALLEE

    talking(check)


@pytest.mark.parametrize("lingers", [False, True])
def test_media_that_break_off_end_the_call_at_twilio(lingers):
    async def check(here, line, media):
        await media.drops()
        assert await end_of(line) == Gone(EndedBy.CARRIER, "the media were lost")
        await until(lambda: media.call.status == "completed")

    talking(check, lingers=lingers)


def test_an_answered_call_whose_media_never_come_is_ended(monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.twilio.line.STREAM_S", 0.2)

    async def test():
        async with stage() as here:
            line = here.line()
            ringing = asyncio.create_task(line.ring())
            await until(lambda: here.twilio.created["att_1"])
            call = here.twilio.call("att_1")
            await call.goes("ringing")
            await ringing
            await call.goes("in-progress")  # and no stream
            await line.answer()
            assert await end_of(line) == Gone(EndedBy.CARRIER, "no media came")
            await until(lambda: call.status == "completed")

    asyncio.run(test())


def test_a_frame_comes_every_20_ms_when_paced():
    async def check(here, line, media):
        media.says(CODED * 10)
        began = asyncio.get_running_loop().time()
        heard = await sounds(line, 50)
        assert 0.7 < asyncio.get_running_loop().time() - began < 2.0
        assert heard.count(ulaw.decode(CODED)) == 10
        assert set(heard) == {ulaw.decode(CODED), ulaw.decode(QUIET)}

    talking(check, paced=True)
