"""Hears where the callee's utterances begin and end, and what they are."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from temphone.gateway.conversation.moves import Speech, Tone
from temphone.gateway.legs.spoken.inbox import Inbox, Slot
from temphone.gateway.legs.spoken.scribe import Part, Scribe
from temphone.gateway.legs.spoken.tones import Tones
from temphone.gateway.speech.ports import FRAME_MS, TurnDetector
from temphone.telephony.understanding import is_filler, words_of

PAUSE_MS = 300  # after which it may be over
LONGEST_PAUSE_MS = 1_200  # after which it is
# A machine pauses between the sentences of its greeting, and a human waits after theirs for an answer.
GREETING_PAUSE_MS = 800
BARGE_IN_MS = 200
SHORT_MS = 300  # so short a noise of agreement does not ask for the word
LEAST_MS = 100  # what is shorter is no word
LONGEST_MS = 30_000
# Voice activity is seen some frames after it began.
BEFORE_FRAMES = 300 // FRAME_MS


@dataclass(slots=True, eq=False)
class Utterance:
    """Something that the callee is saying, or a noise that they make; instants by the call's clock."""

    slot: Slot
    began_ms: int
    over_agent: bool  # whether it began while the agent spoke
    last_ms: int = 0
    voiced_ms: int = 0
    part: Part | None = None  # what is being spoken, between two pauses
    sound: bytearray = field(default_factory=bytearray)  # of the parts that have ended
    words: list[asyncio.Task[str]] = field(default_factory=list)

    @property
    def asks_for_the_word(self) -> bool:
        """Whether whoever speaks should stop."""
        return self.slot.heard is None and self.voiced_ms >= BARGE_IN_MS


class Ears:
    """The hearing of one call."""

    def __init__(
        self, turns: TurnDetector, scribe: Scribe, inbox: Inbox, changed: Callable[[], None]
    ) -> None:
        """``changed`` is told when the inbox has changed between two frames."""
        self._turns = turns
        self._activity = turns.activity()
        self._tones = Tones()
        self._scribe = scribe
        self._inbox = inbox
        self._changed = changed
        self._before: deque[bytes] = deque(maxlen=BEFORE_FRAMES)
        self._utterance: Utterance | None = None
        self._beep: Slot | None = None
        self._unsettled: set[Utterance] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.greeted = False  # whether they were spoken to, and so have finished greeting

    @property
    def asked_for_the_word(self) -> bool:
        """Whether the callee says something for which the agent should be silent."""
        return any(utterance.asks_for_the_word for utterance in self._unsettled)

    def hear(self, frame: bytes, now_ms: int, *, over_agent: bool) -> None:
        """Take the next frame; it ends at ``now_ms``."""
        self._hear_beep(ended=self._tones.feed(frame))
        self._before.append(frame)
        if self._activity.feed(frame) and not self._tones.sounding:
            self._hear_voice(frame, now_ms, over_agent=over_agent)
        elif self._utterance:
            self._hear_pause(self._utterance, frame, now_ms)

    def end(self) -> None:
        """The line has ended: so has what is being said, or sounds."""
        self._end_utterance()
        if self._beep:
            self._inbox.settle(self._beep, Tone())
            self._beep = None

    async def settled(self) -> None:
        """Returns when everything that was said is understood."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _end_utterance(self) -> None:
        """What is being said ends here."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        if utterance.voiced_ms < LEAST_MS:
            self._settle(utterance, None)
            return
        self._end_part(utterance)
        self._do(self._understand(utterance))

    def _hear_beep(self, *, ended: bool) -> None:
        """A beep ends what was said before it, and takes its place in the order when it begins."""
        if self._tones.beeping and self._beep is None:
            self._end_utterance()
            self._beep = self._inbox.reserve()
        elif self._beep and not self._tones.beeping:
            self._inbox.settle(self._beep, Tone() if ended else None)
            self._beep = None

    def _hear_voice(self, frame: bytes, now_ms: int, *, over_agent: bool) -> None:
        utterance = self._utterance or self._begin(now_ms, over_agent=over_agent)
        utterance.last_ms = now_ms
        utterance.voiced_ms += FRAME_MS
        if utterance.part is None:
            utterance.part = Part(bytearray(b"".join(self._before)))
        else:
            utterance.part.sound += frame
        if utterance.voiced_ms >= LEAST_MS:
            self._scribe.stream(utterance.part)
        if now_ms - utterance.began_ms >= LONGEST_MS:
            self._end_utterance()

    def _begin(self, now_ms: int, *, over_agent: bool) -> Utterance:
        self._utterance = Utterance(self._inbox.reserve(), now_ms - FRAME_MS, over_agent)
        self._unsettled.add(self._utterance)
        return self._utterance

    def _hear_pause(self, utterance: Utterance, frame: bytes, now_ms: int) -> None:
        pause_ms = now_ms - utterance.last_ms
        if utterance.part:
            utterance.part.sound += frame
        longest_ms = LONGEST_PAUSE_MS if self.greeted else GREETING_PAUSE_MS
        if pause_ms >= longest_ms:
            self._end_utterance()
        elif pause_ms >= PAUSE_MS and utterance.part:
            self._ask_whether_over(utterance)

    def _ask_whether_over(self, utterance: Utterance) -> None:
        if utterance.voiced_ms < LEAST_MS:
            self._end_utterance()
            return
        # Its words are wanted either way, and are known sooner when they are asked for now.
        self._end_part(utterance)
        if self.greeted:
            self._do(self._end_if_over(utterance))

    async def _end_if_over(self, utterance: Utterance) -> None:
        last_ms = utterance.last_ms
        over = await self._turns.is_over(bytes(utterance.sound))
        if over and utterance is self._utterance and utterance.last_ms == last_ms:
            self._end_utterance()

    def _end_part(self, utterance: Utterance) -> None:
        if utterance.part is None:
            return
        part, utterance.part = utterance.part, None
        utterance.sound += part.sound
        utterance.words.append(self._scribe.finish(part))

    async def _understand(self, utterance: Utterance) -> None:
        parts = await asyncio.gather(*utterance.words, return_exceptions=True)
        text = " ".join(part.strip() for part in parts if isinstance(part, str)).strip()
        speech = Speech(
            text,
            offset_ms=utterance.began_ms,
            lasts_ms=utterance.last_ms - utterance.began_ms,
            understood=all(isinstance(part, str) for part in parts),
        )
        self._settle(utterance, None if is_noise(speech, utterance) else speech)
        self._changed()

    def _settle(self, utterance: Utterance, speech: Speech | None) -> None:
        self._unsettled.discard(utterance)
        self._inbox.settle(utterance.slot, speech)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def is_noise(speech: Speech, utterance: Utterance) -> bool:
    """Whether nothing was said: a cough, or a short noise of agreement while the agent spoke."""
    if not speech.understood:
        return False
    if not words_of(speech.text):
        return True
    return utterance.over_agent and utterance.voiced_ms < SHORT_MS and is_filler(speech.text)
