"""The recordings of a call as its page shows them: to be played, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from calls.actions.listening import LISTENER
from calls.models import Attempt, Call, Recording
from calls.states import RecordingState
from temphone.accounts.actors import Actor
from temphone.lib.waveform import BUCKETS, LOUDEST
from temphone.templatetags.times import long_date

SILENT = "simulated"  # the network that has no sound
AWAITED_FOR = timedelta(minutes=5)  # from the end of the attempt
BARS = 200
MIDDLE = 32  # of the picture's height: one side above, one below
TALLEST = 30
QUIET = LOUDEST // 6  # what is nowhere louder is drawn as quiet as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """What there is to hear of one attempt, or in ``note`` why nothing is."""

    attempt: Attempt
    recording: Recording | None
    note: str
    is_awaited: bool

    @property
    def duration_s(self) -> int:
        """How long it is, in whole seconds."""
        return round(((self.recording and self.recording.duration_ms) or 0) / 1000)

    @property
    def exact_s(self) -> str:
        """The same for scripts."""
        return f"{((self.recording and self.recording.duration_ms) or 0) / 1000:.3f}"

    @property
    def agent(self) -> str:
        """The agent's side as a path of SVG: bars upwards from the middle."""
        return self._bars(slice(BUCKETS), -1)

    @property
    def callee(self) -> str:
        """The callee's, downwards."""
        return self._bars(slice(BUCKETS, None), 1)

    def _bars(self, side: slice, way: int) -> str:
        peaks = bytes(self.recording.peaks) if self.recording else b""
        return _bars(peaks[side], max(peaks, default=0), way)


def players_of(call: Call, attempts: Sequence[Attempt], actor: Actor, now: datetime) -> list[Player]:
    """For each attempt of which there is something to hear, or to say, in order; one query."""
    recordings = {row.attempt_id: row for row in Recording.objects.filter(attempt__call=call)}
    found = [_player(call, one, recordings.get(one.pk), actor, now) for one in attempts]
    return [player for player in found if player.recording or player.note]


def signature(players: Sequence[Player]) -> str:
    """Differs when there is something else to show."""
    return "-".join(
        f"{player.attempt.number}{player.recording.state if player.recording else 'none'}"
        for player in players
    )


def recorded(call: Call) -> str:
    """Whether the call was recorded, in a word or two."""
    if not call.recording_enabled:
        return _("No")
    if call.recording_ms is not None:
        return _("Yes")
    return _("No: the simulated network has no sound") if call.mode == "test" else _("Asked for")


def _player(call: Call, attempt: Attempt, recording: Recording | None, actor: Actor, now: datetime) -> Player:
    note = _note(call, attempt, recording, now)
    heard = recording if recording and recording.is_ready else None
    if heard and not actor.role.includes(LISTENER):
        heard, note = None, _("It was recorded. To listen needs the role operator.")
    on_its_way = recording is None or recording.state == RecordingState.UPLOADING
    return Player(
        attempt=attempt,
        recording=heard,
        note=note,
        is_awaited=bool(note) and on_its_way and _just_ended(attempt, now),
    )


def _note(call: Call, attempt: Attempt, recording: Recording | None, now: datetime) -> str:
    if recording is None:
        wanted = call.recording_enabled and attempt.carrier != SILENT
        over = attempt.answered_at and not attempt.is_live
        return _missing(attempt, now) if wanted and over else ""
    if recording.state == RecordingState.UPLOADING:
        return _("The recording is on its way.")
    if recording.state == RecordingState.FAILED:
        return _("Was to be recorded, but {problem}.").format(problem=recording.get_problem_display())
    if recording.state == RecordingState.DELETED and recording.deleted_at:
        day = long_date(localtime(recording.deleted_at))
        return _("The recording was deleted on {day}.").format(day=day)
    return ""


def _missing(attempt: Attempt, now: datetime) -> str:
    if _just_ended(attempt, now):
        return _("The recording is on its way.")
    return _("Was to be recorded, but nothing has arrived from the gateway.")


def _just_ended(attempt: Attempt, now: datetime) -> bool:
    return attempt.ended_at is not None and now - attempt.ended_at < AWAITED_FOR


def _bars(peaks: bytes, loudest: int, way: int) -> str:
    """A stroke for each bar, the loudest of both sides as tall as can be; silence is a dot.

    Half as loud looks two thirds as tall, as it sounds.
    """
    each = max(len(peaks) // BARS, 1)
    loud = [max(peaks[first : first + each]) for first in range(0, len(peaks), each)]
    most = max(loudest, QUIET)
    heights = [max(TALLEST * (peak / most) ** 0.6, 0.7) for peak in loud]
    return "".join(f"M{place}.5 {MIDDLE}v{way * height:.1f}" for place, height in enumerate(heights))
