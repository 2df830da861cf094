"""One whole call, without Django: what it told, and when."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temphone.gateway.call import Call
from temphone.gateway.legs.line import Line
from temphone.gateway.legs.spoken.engines import Engines
from temphone.gateway.legs.spoken.leg import SpokenLeg
from temphone.gateway.thinking import Mind
from temphone.gateway.trouble import Trouble
from temphone.telephony.messages import DialRequest, EventType, Outcome, Script, Turn

TRUNK = "trunk"
SCRIPT = Script(
    mode="deliver",
    preface=(
        "Hello, this is an automated AI assistant calling for Riverside Dental. To stop these calls, press "
        "9 or say stop calling."
    ),
    message="Your appointment is tomorrow at three o'clock.",
    voicemail_message="This is Riverside Dental. Please call us back about your appointment.",
    screening_message="This is Riverside Dental, about an appointment.",
    goodbye="Thank you for your time. Goodbye.",
    opt_out_confirmation="Understood. We will not call this number again.",
    silence_reminder="Are you still there?",
)


@dataclass
class Told:
    """What a call told; it stands for the journal and the outbox."""

    classes: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def last(self) -> str:
        """Who it took them for in the end."""
        return self.classes[-1] if self.classes else "nobody"

    @property
    def message_began_ms(self) -> int:
        """When the last thing that we said began."""
        return next(turn.offset_ms for turn in reversed(self.turns) if turn.speaker == "agent")

    def record(self, type_: EventType, **fields: Any) -> int:
        if type_ is EventType.CLASSIFIED:
            self.classes.append(str(fields["answered_by"]))
        elif type_ is EventType.TURN:
            self.turns.append(fields["turn"])
        elif type_ is EventType.ENDED:
            self.outcome = fields["ending"].outcome
        return 0

    async def acknowledged(self, *_: object, **__: object) -> None: ...


def a_request(number: int = 1, *, script: Script = SCRIPT, within_s: float = 300.0) -> DialRequest:
    """The dial of a call that may ring for so long from now on; each number is another attempt and phone."""
    return DialRequest(
        attempt_id=f"att_{number}",
        gateway=None,
        to=f"+1415555{number:04}",
        caller_id="+14155550199",
        ring_timeout_s=30,
        max_duration_s=300,
        not_after=datetime.now(UTC) + timedelta(seconds=within_s),
        record=False,
        script=script,
        leg="sip",
        trunk=TRUNK,
    )


async def call(request: DialRequest, line: Line, speech: Engines) -> Told:
    """Carry it to its end."""
    told = Told()
    leg = SpokenLeg(request, line, speech, Trouble("The engine that listens"), lambda: None)
    await Call(request, leg, told, told, mind=Mind(None, request.script, timeout_s=0.0)).run()
    await leg.closed()
    return told
