"""Cached speech: what was spoken is kept, what is spoken twice at once is rendered once."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from temphone.gateway.speech.cached import CachedSpeech
from temphone.gateway.speech.ports import SpeechFailed, Urgency, Voice, live
from temphone.gateway.speech.prompt_cache import PromptCache
from tests.gateway.speech.fakes import FakeEngine

ANNA, BERT = Voice(name="anna"), Voice(name="bert")
HELLO = b"Hello   there   "


@asynccontextmanager
async def cached_speech(folder, engine=None):
    cached = CachedSpeech(engine or FakeEngine(), PromptCache(folder, most_bytes=10_000))
    await cached.start()
    try:
        yield cached
    finally:
        await cached.close()


async def spoken(cached, text="Hello there", voice=ANNA, wish=live):
    return b"".join([piece async for piece in cached.speak(text, voice, wish)])


async def until(condition):
    async with asyncio.timeout(10):
        for _ in iter(lambda: bool(condition()), True):
            await asyncio.sleep(0)


def test_it_speaks_piece_by_piece(tmp_path):
    async def story():
        async with cached_speech(tmp_path, FakeEngine()) as cached:
            return [piece async for piece in cached.speak("Hello there", ANNA)]

    assert asyncio.run(story()) == [b"Hello   ", b"there   "]


def test_what_was_spoken_is_not_rendered_again_even_after_a_restart(tmp_path):
    first, second = FakeEngine(), FakeEngine()

    async def story():
        async with cached_speech(tmp_path, first) as cached:
            assert await spoken(cached) == HELLO
        async with cached_speech(tmp_path, second) as cached:
            assert await spoken(cached) == HELLO

    asyncio.run(story())
    assert (len(first.asked), second.asked) == (1, [])


def test_another_text_voice_language_or_engine_is_another_prompt(tmp_path):
    engine, other = FakeEngine(), FakeEngine()
    other.name = "other"

    async def story():
        async with cached_speech(tmp_path, engine) as cached:
            await spoken(cached, "Hello there", ANNA)
            await spoken(cached, "Hello then", ANNA)
            await spoken(cached, "Hello there", BERT)
            await spoken(cached, "Hello there", Voice(name="anna", language="de"))
        async with cached_speech(tmp_path, other) as cached:
            await spoken(cached, "Hello there", ANNA)

    asyncio.run(story())
    assert (len(engine.asked), len(other.asked)) == (4, 1)


def test_the_same_text_at_the_same_time_is_rendered_once(tmp_path):
    async def story():
        engine = FakeEngine(held=True)
        async with cached_speech(tmp_path, engine) as cached:
            listeners = [asyncio.create_task(spoken(cached)) for _ in range(5)]
            await until(lambda: engine.asked)
            late = asyncio.create_task(spoken(cached))
            engine.may_go_on.set()
            assert await asyncio.gather(*listeners, late) == [HELLO] * 6
            assert len(engine.asked) == 1

    asyncio.run(story())


def test_a_rendering_is_as_urgent_as_for_the_one_who_needs_it_most(tmp_path):
    async def story():
        engine = FakeEngine(held=True)
        async with cached_speech(tmp_path, engine) as cached:
            ahead = asyncio.create_task(spoken(cached, wish=lambda: Urgency.AHEAD))
            await until(lambda: engine.asked)
            assert engine.wish() is Urgency.AHEAD
            live = asyncio.create_task(spoken(cached, wish=lambda: Urgency.LIVE))
            await until(lambda: engine.wish() is Urgency.LIVE)
            live.cancel()
            await until(lambda: engine.wish() is Urgency.AHEAD)
            engine.may_go_on.set()
            assert await ahead == HELLO

    asyncio.run(story())


def test_one_who_leaves_takes_nothing_from_the_others(tmp_path):
    async def story():
        engine = FakeEngine(held=True)
        async with cached_speech(tmp_path, engine) as cached:
            leaving, staying = (asyncio.create_task(spoken(cached)) for _ in range(2))
            await until(lambda: engine.asked)
            leaving.cancel()
            engine.may_go_on.set()
            assert await staying == HELLO

    asyncio.run(story())


def test_what_was_begun_is_made_to_its_end_and_kept_for_whoever_asks_next(tmp_path):
    async def story():
        engine = FakeEngine(held=True)
        async with cached_speech(tmp_path, engine) as cached:
            leaving = asyncio.create_task(spoken(cached))
            await until(lambda: engine.asked)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            engine.may_go_on.set()
            assert await spoken(cached) == HELLO
            assert len(engine.asked) == 1
        async with cached_speech(tmp_path, FakeEngine()) as cached:
            assert await spoken(cached) == HELLO
            assert cached._engine.asked == []

    asyncio.run(story())


def test_what_failed_is_not_taken_for_said_and_not_kept(tmp_path):
    async def story():
        engine = FakeEngine(fails_after=1)
        async with cached_speech(tmp_path, engine) as cached:
            with pytest.raises(SpeechFailed, match="the engine broke"):
                await spoken(cached)
            engine.fails_after = None
            assert await spoken(cached) == HELLO

    asyncio.run(story())


def test_an_engine_that_makes_no_sound_has_failed(tmp_path):
    class Mute(FakeEngine):
        async def speak(self, text, voice, _wish, /):
            for nothing in [b""]:
                yield nothing

    async def story():
        async with cached_speech(tmp_path, Mute()) as cached:
            with pytest.raises(SpeechFailed, match="made no sound"):
                await spoken(cached)

    asyncio.run(story())


def test_an_engine_that_breaks_in_another_way_leaves_nobody_waiting(tmp_path):
    class Broken(FakeEngine):
        async def speak(self, text, voice, _wish, /):
            yield b"Hello   "
            raise ZeroDivisionError

    async def story():
        async with cached_speech(tmp_path, Broken()) as cached:
            with pytest.raises(SpeechFailed):
                await spoken(cached)

    asyncio.run(story())


@pytest.mark.parametrize("text", ["", "  ", "...", "\ud800", "\x00", "👋"])
def test_of_nothing_to_say_nothing_is_spoken(tmp_path, text):
    async def story():
        engine = FakeEngine()
        async with cached_speech(tmp_path, engine) as cached:
            assert await spoken(cached, text) == b""
        assert engine.asked == []

    asyncio.run(story())


def test_what_no_engine_can_speak_is_left_out(tmp_path):
    async def story():
        engine = FakeEngine()
        async with cached_speech(tmp_path, engine) as cached:
            await spoken(cached, "Hello\ud83d \x00\n[[there]]")
        return engine.asked

    assert asyncio.run(story()) == [("Hello there", ANNA)]


def test_what_is_prepared_is_spoken_without_the_engine(tmp_path):
    async def story():
        engine = FakeEngine()
        async with cached_speech(tmp_path, engine) as cached:
            await cached.prepare(["Hello there", "Goodbye"], ANNA)
            engine.asked.clear()
            assert await spoken(cached) == HELLO
            assert await spoken(cached, "Goodbye") == b"Goodbye "
            assert engine.asked == []

    asyncio.run(story())


def test_what_cannot_be_prepared_is_told(tmp_path):
    async def story():
        async with cached_speech(tmp_path, FakeEngine(fails_after=0)) as cached:
            with pytest.raises(SpeechFailed):
                await cached.prepare(["Hello there"], ANNA)

    asyncio.run(story())


@pytest.mark.parametrize("left", [b"", b"TPs1", None])
def test_a_prompt_that_a_crash_cut_short_is_made_anew(tmp_path, left):
    async def story():
        engine = FakeEngine()
        async with cached_speech(tmp_path, engine) as cached:
            await spoken(cached)
        (kept,) = tmp_path.glob("*.prompt")
        kept.write_bytes(kept.read_bytes()[:-3] if left is None else left)
        async with cached_speech(tmp_path, engine) as cached:
            assert await spoken(cached) == HELLO
            assert len(engine.asked) == 2
        async with cached_speech(tmp_path, engine) as cached:
            assert await spoken(cached) == HELLO
            assert len(engine.asked) == 2

    asyncio.run(story())


def test_a_prompt_whose_bytes_changed_on_the_disk_is_made_anew(tmp_path):
    async def story():
        engine = FakeEngine()
        async with cached_speech(tmp_path, engine) as cached:
            await spoken(cached)
        (kept,) = tmp_path.glob("*.prompt")
        kept.write_bytes(kept.read_bytes()[:-1] + b"X")
        async with cached_speech(tmp_path, engine) as cached:
            assert await spoken(cached) == HELLO

    asyncio.run(story())


def test_where_nothing_can_be_written_it_speaks_nevertheless(tmp_path, caplog):
    no_folder = tmp_path / "file"
    no_folder.touch()

    async def story():
        engine = FakeEngine()
        async with cached_speech(no_folder, engine) as cached:
            assert await spoken(cached) == HELLO
            assert await spoken(cached) == HELLO
            return len(engine.asked)

    assert asyncio.run(story()) == 2
    assert "Prompts are not kept: File exists" in caplog.text
    assert "Hello" not in caplog.text


def test_names_of_files_tell_nothing(tmp_path):
    async def story():
        async with cached_speech(tmp_path) as cached:
            await spoken(cached)

    asyncio.run(story())
    (kept,) = tmp_path.iterdir()
    assert "hello" not in kept.name.lower()
