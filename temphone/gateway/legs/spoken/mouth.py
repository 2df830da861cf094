"""Plays what the agent says into the line, a little ahead of what is heard."""

from temphone.gateway.legs.line import Line
from temphone.gateway.legs.spoken.engines import BYTES_PER_MS
from temphone.gateway.legs.spoken.prompts import Prompt
from temphone.gateway.recorder import Tape
from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS

CHARS_PER_S = 14.0  # how fast a voice speaks, where the length of a sound is not known yet


class Mouth:
    """The speaking of one call."""

    def __init__(self, line: Line, tape: Tape | None) -> None:
        self._line = line
        self._tape = tape
        self._prompt: Prompt | None = None
        self._given = 0  # bytes of the prompt that the line has
        self._heard = 0  # of those, as of the last frame; a line that has ended does not tell any more
        self._waits = False
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether it speaks, or waits to speak on."""
        return self._prompt is not None

    @property
    def finished(self) -> bool:
        """Whether all of the prompt was heard."""
        return self._prompt is not None and self._prompt.complete and self._said_all_there_is(self._prompt)

    @property
    def problem(self) -> str:
        """Why no more of the prompt will come, when all there is of it was heard."""
        return self._prompt.problem if self._prompt and self._said_all_there_is(self._prompt) else ""

    def begin(self, prompt: Prompt) -> None:
        """Speak this."""
        self._prompt, self._given, self._heard, self._waits = prompt, 0, 0, False

    def move(self, *, may_speak: bool) -> None:
        """Give the line what it needs for the next moment, or be silent."""
        if self._over:
            return
        self._look()
        if not may_speak:
            self._wait()
            return
        self._waits = False
        while self._line.unplayed_ms <= self._line.lead_ms - FRAME_MS and (frame := self._next_frame()):
            if self._tape:
                self._tape.give(frame, self._line.unplayed_ms)
            self._line.play(frame)

    def stop(self) -> str:
        """Be silent; the words of the prompt that were heard."""
        if not self._over:
            self._look()
            self._wait()
        prompt, self._prompt = self._prompt, None
        return _words_in(prompt, self._heard) if prompt else ""

    def end(self) -> None:
        """The line has ended: what was not heard by now never will be."""
        self._over = True

    def _look(self) -> None:
        self._heard = max(0, self._given - self._line.unplayed_ms * BYTES_PER_MS)

    def _said_all_there_is(self, prompt: Prompt) -> bool:
        return self._heard >= len(prompt.sound)

    def _wait(self) -> None:
        if self._waits or not self._prompt:
            return
        self._waits = True
        if self._given == self._heard:
            return
        self._given = self._heard
        if self._tape:
            self._tape.clear(self._line.unplayed_ms)
        self._line.clear()

    def _next_frame(self) -> bytes:
        """The next 20 ms; empty when they are not there, or not yet."""
        if not self._prompt:
            return b""
        frame = bytes(self._prompt.sound[self._given : self._given + FRAME_BYTES])
        if len(frame) < FRAME_BYTES and not self._prompt.settled:
            return b""
        self._given += len(frame) and FRAME_BYTES
        return frame and frame.ljust(FRAME_BYTES, b"\0")


def _words_in(prompt: Prompt, played: int) -> str:
    """The words, all of them heard to the end, in so many bytes of the sound."""
    whole = len(prompt.sound)
    if not prompt.complete:
        whole = max(whole, round(len(prompt.text) / CHARS_PER_S * 1000) * BYTES_PER_MS)
    if played >= whole:
        return prompt.text
    chars = int(len(prompt.text) * played / whole)
    return f"{prompt.text} "[: chars + 1].rpartition(" ")[0].rstrip()
