"""A line with a clock of its own, which no test waits for, and engines for it.

The line gives a frame whenever it is asked, when everything else in the event loop has had its turn; so
a call of a minute takes a blink, and every instant in it is exact.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.line import Gone, Pressed, Sound
from temphone.gateway.speech.ports import FRAME_BYTES, FRAME_MS, SpeechFailed, Unfit, Voice, Wish
from temphone.telephony.messages import EndedBy
from tests.gateway.spoken.sounds import SILENCE, frames, voice, words

TURNS = 12  # of the event loop, for everything to come to rest between two frames
NEVER_MS = 600_000


@dataclass
class Does:
    """One thing that the callee does ``after_ms`` their last, or as soon as ``when`` holds."""

    what: bytes | str | Gone
    after_ms: int = 0
    when: Callable[["FakeLine"], bool] | None = None


@dataclass
class FakeLine:
    """The callee does what they are told, and hears what is played."""

    does: list[Does] = field(default_factory=list)
    fails_to_ring: Failed | None = None
    fails_to_answer: Failed | None = None
    rang: int = 0
    now_ms: int = 0
    cleared: list[int] = field(default_factory=list)
    hung_up: bool = False
    most_unplayed_ms: int = 0

    def __post_init__(self) -> None:
        self._given = bytearray()
        self.heard = bytearray()  # as it was played, with the pauses: 16 bytes a millisecond
        self._coming: deque[bytes] = deque()
        self._todo = deque(self.does)
        self._free_at_ms = 0
        self._gone: Gone | None = None

    async def ring(self) -> None:
        self.rang += 1
        if self.fails_to_ring:
            raise self.fails_to_ring

    async def answer(self) -> None:
        if self.fails_to_answer:
            raise self.fails_to_answer

    async def receive(self) -> Sound | Pressed | Gone:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return self._next()

    def _next(self) -> Sound | Pressed | Gone:
        assert self.now_ms < NEVER_MS, "the call never ends"
        while not self._gone and self._todo and self._is_time(self._todo[0]):
            what = self._todo.popleft().what
            if isinstance(what, str):
                return Pressed(what)
            if isinstance(what, bytes):
                self._coming.extend(frames(what))
                self._free_at_ms = self.now_ms + len(self._coming) * FRAME_MS
            else:
                self._gone = what
        if self._gone:
            return self._gone
        if self.hung_up:
            self._gone = Gone(EndedBy.STAFF, "BYE")
            return self._gone
        return self._frame()

    def _is_time(self, does: Does) -> bool:
        if does.when:
            if not does.when(self):
                return False
            does.when = None
            self._free_at_ms = max(self._free_at_ms, self.now_ms)
        return self.now_ms >= self._free_at_ms + does.after_ms

    def _frame(self) -> Sound:
        self.heard += bytes(self._given[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
        del self._given[:FRAME_BYTES]
        self.now_ms += FRAME_MS
        return Sound(self._coming.popleft() if self._coming else SILENCE)

    async def ends(self) -> None:
        """Returns when it has told its end."""
        for _ in range(NEVER_MS):
            if self._gone:
                return
            await asyncio.sleep(0)

    async def reaches(self, ms: int) -> bool:
        """Returns when its clock shows so much."""
        for _ in range(ms * TURNS):
            if self.now_ms >= ms:
                return True
            await asyncio.sleep(0)
        return False

    def play(self, sound: bytes) -> None:
        assert not self._gone, "nothing is played into a line that has ended"
        self._given += sound
        self.most_unplayed_ms = max(self.most_unplayed_ms, self.unplayed_ms)

    lead_ms = 200

    @property
    def unplayed_ms(self) -> int:
        return 0 if self._gone else len(self._given) // FRAME_BYTES * FRAME_MS

    def clear(self) -> None:
        self.cleared.append(self.now_ms)
        self._given.clear()

    def hang_up(self) -> None:
        self.hung_up = True

    async def transfer(self, to: str) -> bool:
        return False

    @property
    def words(self) -> str:
        """What the callee heard."""
        return words(bytes(self.heard))

    def loud_from_ms(self) -> int:
        """When the first sound was heard."""
        return (len(self.heard) - len(self.heard.lstrip(b"\0"))) // (FRAME_BYTES // FRAME_MS)

    def quiet_from_ms(self) -> int:
        """When the last sound was heard."""
        return len(self.heard.rstrip(b"\0")) // (FRAME_BYTES // FRAME_MS)


def says(text: str, after_ms: int = 0, *, when=None) -> Does:
    return Does(voice(text), after_ms, when)


def presses(digit: str, after_ms: int = 0, *, when=None) -> Does:
    return Does(digit, after_ms, when)


def hangs_up(after_ms: int = 0, *, when=None) -> Does:
    return Does(Gone(EndedBy.CALLEE, "BYE"), after_ms, when)


def heard(text: str) -> Callable[[FakeLine], bool]:
    """When the callee has heard this."""
    return lambda line: text in line.words


@dataclass
class FakeVoice:
    """Speaks; ``fails`` is after how many bytes of a text, each time that it is tried, in turn."""

    fails: dict[str, list[int]] = field(default_factory=dict)
    spoken: list[str] = field(default_factory=list)
    wishes: dict[str, Wish] = field(default_factory=dict)
    hangs: bool = False
    knows: tuple[str, ...] = ("",)  # voices

    async def speak(self, text: str, voice_: Voice, wish: Wish):
        self.spoken.append(text)
        self.wishes[text] = wish
        if voice_.name not in self.knows:
            raise Unfit("no such voice")
        sound = voice(text)
        if self.hangs:
            await asyncio.Event().wait()
        failures = self.fails.get(text)
        fails_after = failures.pop(0) if failures else -1
        whole = sound if fails_after < 0 else sound[:fails_after]
        for at in range(0, len(whole), 1000):
            yield whole[at : at + 1000]
        if fails_after >= 0:
            raise SpeechFailed("no voice")


@dataclass
class FakeTranscriber:
    ear: "FakeEar"
    sound: bytearray = field(default_factory=bytearray)
    closed: bool = False
    finishing: bool = False

    def feed(self, sound: bytes) -> None:
        assert not self.closed
        assert not self.finishing, "one part at a time"
        self.sound += sound

    async def finish(self) -> str:
        sound, self.sound = bytes(self.sound), bytearray()
        self.ear.asked += 1
        self.finishing = True
        for _ in range(self.ear.takes_frames * TURNS):
            await asyncio.sleep(0)
        self.finishing = False
        if self.ear.deaf:
            self.ear.deaf -= 1
            raise SpeechFailed("deaf")
        return words(sound)

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeEar:
    """Understands; ``deaf`` is how often it will not, ``takes_frames`` how long it thinks."""

    deaf: int = 0
    takes_frames: int = 0
    refuses: int = 0
    asked: int = 0
    opened: list[FakeTranscriber] = field(default_factory=list)

    async def listen(self, language: str) -> FakeTranscriber:
        if self.refuses:
            self.refuses -= 1
            raise SpeechFailed("nobody listens")
        self.opened.append(FakeTranscriber(self))
        return self.opened[-1]


class FakeActivity:
    def feed(self, frame: bytes) -> bool:
        return any(frame)


@dataclass
class FakeTurns:
    """Whether they have finished; ``unfinished`` is after which words they have not."""

    unfinished: tuple[str, ...] = ()

    def activity(self) -> FakeActivity:
        return FakeActivity()

    async def is_over(self, utterance: bytes) -> bool:
        return not words(utterance).endswith(self.unfinished) if self.unfinished else True


@dataclass
class FakeEngines:
    tts: FakeVoice = field(default_factory=FakeVoice)
    stt: FakeEar = field(default_factory=FakeEar)
    turns: FakeTurns = field(default_factory=FakeTurns)
