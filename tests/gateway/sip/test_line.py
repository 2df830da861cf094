"""One line, told by hand what the stack tells it."""

import asyncio

import pytest

from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.line import Gone, Pressed
from temphone.gateway.legs.sip import line as lines
from temphone.gateway.legs.sip.line import SipLine
from temphone.gateway.legs.sip.network import SipNetwork
from temphone.telephony.messages import EndedBy
from tests.gateway.sip.calling import request, settings
from tests.gateway.twilio.lines import Note

baresip = pytest.importorskip("baresip")
pytestmark = pytest.mark.sip
NO_ROUTE = "No route to host [113]"


class Exchange:
    """A network over which nothing goes; a call is closed with these words, after so long."""

    def __init__(self, *, closes="", after_s=0.0, udp=True):
        self.closes, self.after_s, self.udp = closes, after_s, udp

    async def place(self, line, history):
        line.dialling()
        asyncio.get_running_loop().call_later(self.after_s, line.happened, closed(self.closes))

    def met(self, line, trouble): ...

    def let_go(self, line): ...

    def repeats(self, line):
        return self.udp


def closed(text):
    return baresip.StackEvent(event=baresip.Event.CALL_CLOSED, text=text)


def key(digit):
    return baresip.StackEvent(event=baresip.Event.CALL_DTMF_START, text=digit)


def established(line):
    line.happened(baresip.StackEvent(event=baresip.Event.CALL_ESTABLISHED))
    return line


@pytest.mark.parametrize(
    ("after_s", "udp", "rang"), [(0.0, True, False), (0.2, True, True), (0.2, False, False)]
)
def test_a_route_that_is_lost_after_the_first_invite_went_out_may_have_let_it_ring(
    monkeypatch, after_s, udp, rang
):
    monkeypatch.setattr(lines, "REPEATED_AFTER_S", 0.1)

    async def test():
        with pytest.raises(Failed) as failed:
            await SipLine(Exchange(closes=NO_ROUTE, after_s=after_s, udp=udp), request(), Note()).ring()
        return failed.value

    assert asyncio.run(test()).rang is rang


def test_a_key_that_is_told_of_in_two_ways_is_one(monkeypatch):
    async def test():
        line = established(SipLine(Exchange(), request(), Note()))
        for digit in ("1", "1", "2", "1"):
            line.happened(key(digit))
        pressed = [await line.receive() for _ in range(3)]
        monkeypatch.setattr(lines, "SAME_KEY_S", 0.0)
        line.happened(key("1"))
        return [*pressed, await line.receive()]

    assert asyncio.run(test()) == [Pressed("1"), Pressed("2"), Pressed("1"), Pressed("1")]


def test_a_line_whose_sound_breaks_ends_and_the_others_go_on(monkeypatch, caplog):
    class Broken:
        def feed(self):
            raise MemoryError

    class Counting:
        fed = 0

        def feed(self):
            self.fed += 1

        def hear(self, now):
            return []

    async def test():
        network = SipNetwork(settings())
        one, two = (established(SipLine(network, request(), Note())) for _ in range(2))
        one._media, two._media = Broken(), Counting()
        network._lines = {one: None, two: None}
        network._some_line.set()
        beat = asyncio.create_task(network._beat())
        while two._media.fed < 3:
            await asyncio.sleep(0)
            assert not beat.done()
        beat.cancel()
        return await one.receive()

    assert asyncio.run(test()) == Gone(EndedBy.CARRIER, "its sound broke: MemoryError")
    assert "The sound of a call broke." in caplog.text
