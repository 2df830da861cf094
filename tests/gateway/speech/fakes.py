"""Engines that render nothing but bytes, and tell what they were asked."""

import asyncio

from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import SpeechFailed
from temphone.gateway.speech.prompt_cache import PromptCache


class Part:
    """An engine that is always well."""

    trouble = None

    async def start(self):
        pass

    async def close(self):
        pass

    def problem(self):
        return self.trouble


class FakeEngine(Part):
    """Speaks the text's own bytes, word by word; waits before each word while it is held."""

    name = "fake"

    def __init__(self, *, fails_after=None, held=False):
        self.asked = []
        self.words = 0
        self.fails_after = fails_after
        self.may_go_on = asyncio.Event()
        if not held:
            self.may_go_on.set()

    async def speak(self, text, voice, wish, /):
        self.asked.append((text, voice))
        self.wish = wish
        for number, word in enumerate(text.split()):
            if number == self.fails_after:
                raise SpeechFailed("the engine broke")
            await self.may_go_on.wait()
            self.words += 1
            yield word.encode().ljust(8)


class FakeListener(Part):
    """Hears the same words in whatever was fed."""

    def __init__(self, hears=""):
        self.hears = hears
        self.fed = b""

    async def listen(self, language, /):
        return self

    def feed(self, sound):
        self.fed += sound

    async def finish(self):
        return self.hears


class FakeTurns(Part):
    """Takes every pause for an end."""

    async def is_over(self, utterance, /):
        return True


def a_speech(folder, speaker=None, listener=None, turns=None):
    """Speech of fakes."""
    return Speech(
        speaker=speaker or FakeEngine(),
        listener=listener or FakeListener(),
        turns=turns or FakeTurns(),
        prompts=PromptCache(folder, most_bytes=100_000),
    )
