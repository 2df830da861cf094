"""Twilio's media messages, both ways. What is none of them raises ``msgspec.DecodeError`` when read.

Pipecat's serializer for Twilio was looked at and left: it is made for a pipeline's frames, drops Twilio's
timestamps, and knows no marks.

Source: Twilio, "Media Streams, WebSocket messages". Numbers come as texts; payloads are base64 of mu-law.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class _Message(msgspec.Struct, frozen=True, rename="camel", tag_field="event"):
    """What all have in common."""


class Opening(msgspec.Struct, frozen=True, rename="camel"):
    """Whose stream it is."""

    stream_sid: str
    account_sid: str
    call_sid: str
    custom_parameters: Mapping[str, str] = {}


class Payload(msgspec.Struct, frozen=True):
    """Sound, and when it was heard, counted from the stream's start."""

    payload: bytes
    timestamp: Milliseconds = 0
    track: str = "inbound"


class Digit(msgspec.Struct, frozen=True):
    """A key."""

    digit: str


class Name(msgspec.Struct, frozen=True):
    """Of a mark."""

    name: str


class Connected(_Message, frozen=True, tag="connected"):
    """The first message."""


class Start(_Message, frozen=True, tag="start"):
    """The second."""

    start: Opening


class Media(_Message, frozen=True, tag="media"):
    """What the callee's side sounds like."""

    media: Payload


class Dtmf(_Message, frozen=True, tag="dtmf"):
    """A key was pressed."""

    dtmf: Digit


class Mark(_Message, frozen=True, tag="mark"):
    """Everything that was sent before this mark has been played, or was cleared."""

    mark: Name


class Stop(_Message, frozen=True, tag="stop"):
    """The last: the call is over, or does something else now."""


Incoming = Connected | Start | Media | Dtmf | Mark | Stop

_DECODER = msgspec.json.Decoder(Incoming, strict=False)  # numbers come as texts


def read(text: str) -> Incoming:
    """The message in ``text``.

    Raises:
        msgspec.DecodeError: there is none.
    """
    message: Incoming = _DECODER.decode(text)
    return message


def media(stream_sid: str, coded: bytes) -> str:
    """Sound to be played."""
    return _text({"event": "media", "streamSid": stream_sid, "media": {"payload": coded}})


def mark(stream_sid: str, name: str) -> str:
    """To be sent back when everything before it has been played."""
    return _text({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})


def clear(stream_sid: str) -> str:
    """Drop what has not been played."""
    return _text({"event": "clear", "streamSid": stream_sid})


def _text(message: Mapping[str, object]) -> str:
    return msgspec.json.encode(message).decode()
