"""What one sees while the battery runs."""

import shutil
import sys
from collections.abc import Mapping, Sequence

from tests.proofs.running.tracks import Track
from tests.proofs.telling import report


class Screen:
    """The live lines: rewritten in place on a terminal, else a line whenever a proof has got on."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self.height = 0
        self.shown: dict[str, str] = {}

    def show(self, tracks: Sequence[Track]) -> None:
        """How far each is."""
        lines = {track.name: report.progress(track) for track in tracks}
        changed = [line for name, line in lines.items() if self.shown.get(name) != line]
        if changed and self.live:
            self._clear()
            fitting = _fitting(tracks, lines)
            sys.stdout.write("".join(f"{line}\n" for line in fitting))
            self.height = len(fitting)
        elif changed and self.shown:
            sys.stdout.write("".join(f"{line}\n" for line in changed))
        self.shown = lines
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        sys.stdout.write(f"{text}\n")
        self.shown = {}

    def _clear(self) -> None:
        sys.stdout.write(f"\x1b[{self.height}F\x1b[J" if self.height else "")
        self.height = 0


def _fitting(tracks: Sequence[Track], lines: Mapping[str, str]) -> list[str]:
    """What the terminal has room for: no line that is scrolled away or wrapped can be rewritten in place.

    What runs comes first, then what was flagged, what waits, and what is done.
    """
    columns, rows = shutil.get_terminal_size()
    room = max(1, rows - 2)
    if len(tracks) <= room:
        return [line[: columns - 1] for line in lines.values()]
    ranked = sorted(tracks, key=_rank)
    chosen = {track.name for track in ranked[: room - 1]}
    done = sum(track.cases >= track.target for track in tracks)
    last = f"and {len(tracks) - len(chosen)} more; {done} of {len(tracks)} are done"
    return [line[: columns - 1] for line in [*(lines[name] for name in lines if name in chosen), last]]


def _rank(track: Track) -> tuple[bool, bool, bool]:
    return not track.under_way, not track.journal.flagged, track.cases >= track.target
