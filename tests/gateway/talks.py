"""Legs of lines that need no engines."""

from collections.abc import Callable, Sequence

from temphone.gateway.legs.base import Network
from temphone.gateway.legs.line import Lines
from temphone.gateway.speech.ports import SpeechFailed, Voice
from temphone.gateway.talking import Made


class PlainTalks:
    """What makes networks of lines, whatever is installed."""

    def __init__(self, network: Callable[[Lines], Network]) -> None:
        self._network = network

    def over(self, lines: Lines) -> Network:
        return self._network(lines)

    def problem(self) -> str | None:
        return None

    async def speak(self, texts: Sequence[str], voice: Voice) -> bytes:
        raise SpeechFailed("There is no engine here.")

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def plain(network: Callable[[Lines], Network]) -> Made:
    """Legs as this network makes them."""
    return lambda *_: PlainTalks(network)
