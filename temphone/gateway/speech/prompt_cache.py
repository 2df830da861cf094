"""What was spoken once is kept: the same text in the same voice costs nothing the next time.

A prompt is a file named after what it holds. What a crash or a full disk left of one is seen by its
length and its checksum, and counts as absent.
"""

import hashlib
import logging
import os
import struct
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from temphone.gateway.trouble import Trouble

HEAD = struct.Struct("!4sII")  # mark, length, checksum of the sound
MARK = b"TPs1"
SUFFIX = ".prompt"
DAY_S = 86_400.0
KEEP_S = 7 * DAY_S  # a prompt may hold a name: what nobody wants any more goes

log = logging.getLogger(__name__)


def name_of(engine: str, voice: str, language: str, text: str) -> str:
    """The file's name of this text in this voice: the same for the same, and telling nothing."""
    parts = (part.encode("utf-8", "surrogatepass") for part in (engine, voice, language, text))
    return (
        hashlib.sha256(b"".join(struct.pack("!I", len(part)) + part for part in parts)).hexdigest() + SUFFIX
    )


class PromptCache:
    """The prompts of one folder, at most so many bytes of them; the longest unused go first.

    Its methods read and write files; they are for a thread, one at a time. Several gateways may share a
    folder: a file that is gone is a prompt that was never there.
    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()  # the longest unused first
        self._total = 0
        self._trouble = Trouble("Prompts are not kept")
        self._look_at = time.time() + DAY_S

    def open(self) -> None:
        """See what is there, and take away what is too old, too much, or half written."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in self._folder.glob("*.part"):
                path.unlink(missing_ok=True)
        for name, size in self._found():
            self._count(name, size)
        self._make_room()

    def get(self, name: str) -> bytes | None:
        """The sound, or None."""
        path = self._folder / name
        try:
            sound = _sound_in(path.read_bytes())
            os.utime(path)
        except OSError:
            self._forget(name)
            return None
        if sound is None:
            log.warning("A prompt was damaged, and is made anew.")
            self._remove(name)
            return None
        self._count(name, HEAD.size + len(sound))
        return sound

    def put(self, name: str, sound: bytes) -> None:
        """Keep it, whole or not at all."""
        part = self._folder / f"{name}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(HEAD.pack(MARK, len(sound), zlib.crc32(sound)) + sound)
            part.replace(self._folder / name)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return self._trouble.tell(error.strerror or type(error).__name__)
        self._trouble.tell("")
        self._count(name, HEAD.size + len(sound))
        self._forget_old()
        return self._make_room()

    def _forget_old(self) -> None:
        """At most once a day."""
        if time.time() >= self._look_at:
            self._look_at = time.time() + DAY_S
            list(self._found())

    def _found(self) -> list[tuple[str, int]]:
        """Names and sizes, the longest unused first; without those that are too old."""
        seen = sorted(self._stats())
        for used_at, name, _ in seen:
            if used_at < time.time() - KEEP_S:
                self._remove(name)
        return [(name, size) for used_at, name, size in seen if used_at >= time.time() - KEEP_S]

    def _stats(self) -> Iterator[tuple[float, str, int]]:
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                stat = path.stat()
                yield stat.st_mtime, path.name, stat.st_size

    def _make_room(self) -> None:
        while self._total > self._most_bytes:
            self._remove(next(iter(self._sizes)))

    def _count(self, name: str, size: int) -> None:
        self._forget(name)
        self._sizes[name] = size
        self._total += size

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink(missing_ok=True)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._total -= self._sizes.pop(name, 0)


def _sound_in(held: bytes) -> bytes | None:
    """The sound of a file's bytes, or None where they are not all there."""
    head, sound = held[: HEAD.size], held[HEAD.size :]
    whole = HEAD.pack(MARK, len(sound), zlib.crc32(sound))
    return sound if head == whole and sound else None
