"""Callees on real phones: programs of others that answer, speak and hear; and how they are called."""

import asyncio
import io
import itertools
import time
import wave
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from calls.models import Call, Gateway
from temphone.gateway.speech.engines import Speech
from temphone.gateway.speech.ports import FRAME_BYTES, RATE_HZ, Voice
from temphone.lib.clock import iso
from temphone.lib.clock import now as utc_now
from tests.builders import a_contact, a_number, a_trunk
from tests.gateway.sip.peers import Baresip, baresip
from tests.proofs.stage.installation import Installation

EN = Voice()
# Of 25 tries the small model wrote each down as it was said; "the dentist is" it took for others six times.
MESSAGE = "We would like to confirm your appointment for tomorrow morning."
TEMPLATE = "We would like to confirm your appointment for {{ metadata.day }}."
METADATA = {"day": "tomorrow morning"}
PREFACE = (
    "Hello, this is an automated AI assistant calling for TemPhone. This call may be recorded."
    " To stop these calls, press 9 or say stop calling."
)
BEEP_HZ = 1_000


@dataclass
class Office:
    """TemPhone, and the phones that it calls."""

    installation: Installation
    key: str
    folder: Path
    loop: asyncio.AbstractEventLoop
    speech: Speech
    certificates: Path
    phones: AsyncExitStack
    numbers: itertools.count = field(default_factory=itertools.count)
    reached: dict[str, str] = field(default_factory=dict)  # the number of a phone, by its caller ID

    def do(self, work, timeout_s: float = 90):
        """The result of what the loop does."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def close(self) -> None:
        """End the phones."""
        self.do(self.phones.aclose())

    def phone(
        self, made: AbstractAsyncContextManager, *, tls: bool = False, **trunk: object
    ) -> tuple[object, str]:
        """A phone, and the caller ID by whose trunk it is reached."""
        phone = self.do(self.phones.enter_async_context(made))
        number = next(self.numbers)
        way = {"host": "127.0.0.1", "port": phone.port}
        if tls:  # a certificate names a host, and baresip has TLS at the next port
            way = {"host": "localhost", "port": phone.port + 1, "transport": "tls"}
        row = a_trunk(name=f"Trunk {number}", **way, **trunk)
        return phone, a_number(f"+141555501{20 + number}", trunk=row).e164

    def callee(self, *says: bytes, tls: bool = False) -> tuple[Baresip, str]:
        """Somebody who says this from the answer on, and keeps what they hear."""
        folder = self.folder / f"phone-{len(list(self.folder.glob('phone-*')))}"
        folder.mkdir()
        wav = folder / "says.wav"
        wav.write_bytes(a_wav(b"".join(says)))
        number = f"+1415555{1000 + next(self.numbers)}"
        certificate = self.certificates / "phone.pem" if tls else None
        phone, caller_id = self.phone(baresip(folder, wav, number=number, certificate=certificate), tls=tls)
        self.reached[caller_id] = number
        return phone, caller_id

    def schedule(self, caller_id: str, **fields: object) -> Call:
        """Have somebody called by that trunk, now."""
        number = self.reached.get(caller_id) or f"+1415555{1000 + next(self.numbers)}"
        contact = a_contact(phone=number)
        body = {
            "contact_id": contact.pk,
            "scheduled_at": iso(utc_now() + timedelta(seconds=2)),
            "initial_message": TEMPLATE,
            "metadata": METADATA,
            "caller_id": caller_id,
            **fields,
        }
        status, answer = self.installation.api("POST", "/calls/scheduled", self.key, body)
        assert status == 201, answer
        return Call.objects.get(pk=answer["data"]["call_id"])

    def until_trunks_are_ready(self) -> None:
        """Return when the gateway has every trunk ready."""

        def ready() -> bool:
            states = [state for row in Gateway.objects.all() for state in row.trunks.values()]
            return bool(states) and all(state["ready"] for state in states)

        self.installation.wait_until(ready, 60)
        time.sleep(2.5)  # a heartbeat: the trunks that were made last are told, too

    def details(self, call: Call) -> dict[str, object]:
        """The call as the API shows it."""
        status, answer = self.installation.api("GET", f"/calls/{call.pk}", self.key)
        assert status == 200, answer
        return answer["data"]

    def until(self, is_so: Callable[[], bool], timeout_s: float = 120) -> None:
        self.installation.wait_until(is_so, timeout_s)

    def until_over(self, *calls: Call, timeout_s: float = 150) -> None:
        """Return when each has a final status."""
        ids = [call.pk for call in calls]
        self.until(
            lambda: not Call.objects.filter(pk__in=ids, status__in=["scheduled", "in_progress"]).exists(),
            timeout_s,
        )

    def sound(self, text: str) -> bytes:
        """The text as somebody says it."""

        async def speak() -> bytes:
            return b"".join([piece async for piece in self.speech.tts.speak(text, EN)])

        return self.do(speak())

    def words(self, sound: bytes) -> str:
        """What is said in the sound, in small letters."""

        async def hear() -> str:
            transcriber = await self.speech.stt.listen("en")
            for start in range(0, len(sound), FRAME_BYTES):
                transcriber.feed(sound[start : start + FRAME_BYTES])
            try:
                return await transcriber.finish()
            finally:
                await transcriber.close()

        return self.do(hear()).lower()

    def seconds(self, *texts: str) -> float:
        """How long it takes to say them."""
        return sum(len(self.sound(text)) for text in texts) / 2 / RATE_HZ


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE_HZ))


def beep(seconds: float = 0.5) -> bytes:
    period = RATE_HZ // BEEP_HZ
    wave_ = [0, 9_000, 12_000, 9_000, 0, -9_000, -12_000, -9_000]
    return array("h", (wave_[at % period] for at in range(round(seconds * RATE_HZ)))).tobytes()


def a_wav(sound: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(sound)
    return file.getvalue()


def tracks(recording: bytes) -> Sequence[bytes]:
    """The agent's and the callee's sound of a recording."""
    with wave.open(io.BytesIO(recording)) as wav:
        assert (wav.getnchannels(), wav.getframerate()) == (2, RATE_HZ)
        both = array("h", wav.readframes(wav.getnframes()))
    return both[0::2].tobytes(), both[1::2].tobytes()
