"""Engines that render nothing but bytes, and tell what they were asked."""

import asyncio

from temphone.gateway.speech.ports import SpeechFailed


class FakeEngine:
    """Speaks the text's own bytes, word by word; waits before each word while it is held."""

    name = "fake"

    def __init__(self, *, fails_after=None, held=False):
        self.asked = []
        self.words = 0
        self.fails_after = fails_after
        self.may_go_on = asyncio.Event()
        if not held:
            self.may_go_on.set()

    async def speak(self, text, voice, /):
        self.asked.append((text, voice))
        for number, word in enumerate(text.split()):
            if number == self.fails_after:
                raise SpeechFailed("the engine broke")
            await self.may_go_on.wait()
            self.words += 1
            yield word.encode().ljust(8)
