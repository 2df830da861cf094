"""What the gateway and its workers say to each other: a few words as JSON, and sound after them.

A frame is two lengths of four bytes, big-endian, then the words, then the sound.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

LENGTHS = struct.Struct("!II")

Words = Mapping[str, Any]


def pack(words: Words, sound: bytes = b"") -> bytes:
    """The frame of these."""
    head = json.dumps(words).encode()
    return LENGTHS.pack(len(head), len(sound)) + head + sound


def unpack(head: bytes) -> Words:
    """The words of a frame."""
    words: dict[str, Any] = json.loads(head)
    return words
