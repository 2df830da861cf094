"""One call in which the agent speaks and the callee is listened to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from temphone.gateway.conversation.answering import classify
from temphone.gateway.conversation.moves import Heard, Key, Mute, Over, Silence, Speech, Tone
from temphone.gateway.legs.base import Failed, Spoken
from temphone.gateway.legs.line import Gone, Line, Pressed, Sound
from temphone.gateway.legs.spoken.ears import Ears
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.inbox import Inbox, Watch
from temphone.gateway.legs.spoken.mouth import Mouth
from temphone.gateway.legs.spoken.prompts import Prompts
from temphone.gateway.legs.spoken.scribe import Scribe
from temphone.gateway.recorder import Tape
from temphone.gateway.speech.ports import FRAME_MS, Unfit, Voice
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import AnsweredBy, DialRequest, EndedBy, Outcome, Script
from temphone.telephony.sentences import sentences_in

DIAL_TAKES_S = 0.5  # of the time that not_after leaves
GRACE_S = 30.0  # beyond the maximum duration, for a line that gives no frames any more
DRAIN_S = 2.0
TAKEN_S = 2.0  # for the network to take them, after a hang-up
REACTION_MS = 2_500  # who speaks sooner after we began has not listened, but greets on
UNAVAILABLE = "speech_unavailable"
REFUSED = "speech_refused"
MOST_CAUSE = 100


class SpokenLeg:
    """See the interface. The line is carried by a task of its own, whatever the conversation does."""

    def __init__(
        self,
        request: DialRequest,
        line: Line,
        engines: Engines,
        trouble: Trouble,
        tape: Callable[[], Tape | None],
        *,
        begun: bool = False,
    ) -> None:
        """``tape`` is asked for when the call is answered; ``begun``: a former gateway dialled it."""
        self._begun = begun
        self._request = request
        self._line = line
        self._engines = engines
        self._new_tape = tape
        self._tape: Tape | None = None
        self._inbox = Inbox()
        self._watch = Watch()
        script = request.script
        self._prompts = Prompts(engines.tts, partial(_voice_of, script), self._watch.changed)
        self._scribe = Scribe(engines.stt, script.language, trouble)
        self._offset_ms = 0
        self._began_ms: int | None = None  # to speak
        self._conversed = False  # whether a human has answered to what was said
        self._hung_up = asyncio.Event()
        self._carried: asyncio.Task[None] | None = None

    @property
    def offset_ms(self) -> int:
        """See the interface. The sound that came in is the clock."""
        return self._offset_ms

    async def ring(self) -> None:
        """See the interface. What is said first is made first: who answers hears it at once."""
        async with self._closed_on_failure():
            if not self._begun:  # else the line says what became of it, and nothing is said
                await self._prepare()
            await self._line.ring()

    async def answer(self) -> None:
        """See the interface."""
        async with self._closed_on_failure():
            await self._line.answer()
        self._tape = self._new_tape()
        self._mouth = Mouth(self._line, self._tape)
        self._ears = Ears(self._engines.turns, self._scribe, self._inbox, self._watch.changed)
        self._carried = asyncio.create_task(self._carry())
        self._carried.add_done_callback(self._break)

    async def say(self, text: str) -> Spoken:
        """See the interface."""
        self._ears.greeted = True
        if self._began_ms is None:
            self._began_ms = self._offset_ms
        if heard := self._cutting_in():
            return Spoken("", heard)  # they did it before anything was said
        self._mouth.begin(self._prompts.of(text))
        self._speak()
        return await self._watch.until(partial(self._spoken, text))

    async def listen(self, timeout_s: float) -> Heard:
        """See the interface."""
        until_ms = self._offset_ms + round(timeout_s * 1000)
        return await self._watch.until(partial(self._heard, until_ms))

    async def transfer(self, to: str) -> bool:
        """See the interface."""
        if self._hung_up.is_set():
            return False
        handing_over = asyncio.create_task(self._line.transfer(to))
        hanging_up = asyncio.create_task(self._hung_up.wait())
        try:
            await asyncio.wait({handing_over, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
            if not handing_over.done():
                await asyncio.wait({handing_over}, timeout=TAKEN_S)
            return handing_over.done() and handing_over.result()
        finally:
            handing_over.cancel()
            hanging_up.cancel()

    def hang_up(self) -> None:
        """See the interface."""
        self._hung_up.set()
        self._line.hang_up()

    def stop(self) -> bool:
        """See the interface. What it was told by then is understood first, as before every end."""
        self.hang_up()
        return self._carried is not None

    async def closed(self, within_s: float | None = None) -> None:
        """Returns when a call that was answered has ended and let go of everything; ``within_s`` by force."""
        if self._carried:
            await asyncio.wait({self._carried}, timeout=within_s)
            self._carried.cancel()
            await asyncio.wait({self._carried})

    async def _prepare(self) -> None:
        left_s = (self._request.not_after - datetime.now(UTC)).total_seconds() - DIAL_TAKES_S
        preparing = asyncio.create_task(self._get_ready())
        hanging_up = asyncio.create_task(self._hung_up.wait())
        try:
            await asyncio.wait({preparing, hanging_up}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if self._hung_up.is_set():
                raise Failed(Outcome.CANCELED_BY_USER, by=EndedBy.STAFF, cause="hung up before the dial")
            error = preparing.exception() if preparing.done() else None
            if isinstance(error, Unfit):  # dialled anew at once it would come to the same: it counts as a try
                cause = f"{REFUSED}: {error}"[:MOST_CAUSE]
                raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause=cause)
            if error or not preparing.done():
                raise Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause=UNAVAILABLE, rang=False)
        finally:
            hanging_up.cancel()
            preparing.cancel()

    async def _get_ready(self) -> None:
        """Be able to hear, and have what is said first. Raises SpeechFailed."""
        script = self._request.script
        await self._scribe.open()
        await self._prompts.make((script.preface, script.message))
        self._prompts.make_ahead(_said_later(script))

    @asynccontextmanager
    async def _closed_on_failure(self) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await self._close()
            raise

    async def _close(self) -> None:
        self._prompts.close()
        await self._scribe.close()

    async def _carry(self) -> None:
        """Take what comes from the line until it ends, then let the conversation hear the rest."""
        try:
            over = await self._take_all_in_time()
            self._mouth.end()
            self._ears.end()
            await self._ears.settled()
            self._inbox.close(over)
            self._watch.changed()
        finally:
            if self._tape:
                self._tape.end()
            await self._close()

    def _break(self, carried: asyncio.Task[None]) -> None:
        """An error of ours ends the conversation too."""
        if not carried.cancelled() and (error := carried.exception()):
            self._watch.fail(error)

    async def _take_all_in_time(self) -> Over:
        try:
            async with asyncio.timeout(self._request.max_duration_s + GRACE_S):
                return await self._take_all()
        except TimeoutError:
            self._line.hang_up()
            return Over(EndedBy.SYSTEM)

    async def _take_all(self) -> Over:
        while True:
            match await self._line.receive():
                case Sound(frame=frame):
                    self._take(frame)
                case Pressed(digit=digit):
                    self._press(digit)
                case Gone(by=by):
                    return Over(by)
            if self._offset_ms >= self._request.max_duration_s * 1000:
                self._line.hang_up()
                await self._drain()
                return Over(EndedBy.SYSTEM)

    async def _drain(self) -> None:
        """Keys that were pressed before the end count."""
        async with asyncio.timeout(DRAIN_S):
            while not isinstance(item := await self._line.receive(), Gone):
                if isinstance(item, Pressed):
                    self._press(item.digit)

    def _take(self, frame: bytes) -> None:
        self._offset_ms += FRAME_MS
        if self._tape:
            self._tape.hear(frame)
        self._ears.hear(frame, self._offset_ms, over_agent=self._mouth.busy)
        self._speak()
        self._watch.changed()

    def _press(self, digit: str) -> None:
        self._inbox.put(Key(digit, self._offset_ms))
        self._watch.changed()

    def _speak(self) -> None:
        self._mouth.move(may_speak=not self._ears.asked_for_the_word)

    def _spoken(self, text: str) -> Spoken | None:
        """What came of saying it, if it is over."""
        if self._mouth.finished:
            self._mouth.stop()
            return Spoken(text, None)
        if heard := self._cutting_in():
            return Spoken(self._mouth.stop(), heard)
        if (problem := self._mouth.problem) and not self._inbox.pending:
            return Spoken(self._mouth.stop(), Mute(problem))
        return None

    def _cutting_in(self) -> Heard | None:
        """What the agent stops for. A beep is nothing to whoever has answered as a human does."""
        heard = self._inbox.take()
        while isinstance(heard, Tone) and self._conversed:
            heard = self._inbox.take()
        return self._noted(heard)

    def _heard(self, until_ms: int) -> Heard | None:
        """What they did; Silence when the time is over and they have not begun anything."""
        heard = self._noted(self._inbox.take())
        if heard is None and self._offset_ms >= until_ms and not self._inbox.pending:
            return Silence()
        return heard

    def _noted(self, heard: Heard | None) -> Heard | None:
        if isinstance(heard, Speech) and self._is_reaction(heard):
            self._conversed = True
        return heard

    def _is_reaction(self, speech: Speech) -> bool:
        if self._began_ms is None or speech.offset_ms - self._began_ms < REACTION_MS:
            return False
        return classify(speech) is AnsweredBy.HUMAN


def _voice_of(script: Script, text: str) -> Voice:
    """Who speaks this: what is in no other language is spoken in ours."""
    ours = sentences_in(script.language)
    notices = (script.preface, script.opt_out_confirmation, ours.no_answer_now, ours.connecting)
    language = script.notices_in if text in (*notices, ours.not_connected) else ""
    return Voice(name=script.voice, language=language or script.language)


def _said_later(script: Script) -> tuple[str, ...]:
    """What may be said in the course of the call, as it is likely to come."""
    steps = [text for step in script.steps for text in (step.say, *(branch.say for branch in step.branches))]
    return (
        script.voicemail_message,
        script.screening_message,
        *steps,
        script.goodbye,
        script.opt_out_confirmation,
        script.silence_reminder,
    )
