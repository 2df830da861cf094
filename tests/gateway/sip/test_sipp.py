"""The same against sipp and Debian's baresip, which others wrote."""

import asyncio
import re
import wave
from hashlib import md5

import pytest

from temphone.gateway.legs.line import Gone
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.fake_django import until
from tests.gateway.sip.calling import Ear, Remembers, answered, failure, request, sip, trunk
from tests.gateway.sip.peers import SILENCE, baresip, sipp
from tests.gateway.sip.sounds import ALIKE, is_silent, likeness, speech, to_ulaw

pytestmark = pytest.mark.sip
USER = {"user": "acme", "password": "s3cret"}


def called(scenario, folder, *options, trunk_fields=None, seconds=0.5, sound=SILENCE):
    """A call that sipp answers: what was heard of it, its end, and sipp's exit code."""

    async def test():
        async with (
            sipp(scenario, folder, *options, sound=sound) as peer,
            sip(trunk(peer.port, **(trunk_fields or {}))) as network,
        ):
            line = await answered(network)
            ear = Ear(line)
            try:
                async with asyncio.timeout(seconds):
                    await until(lambda: ear.gone)
            except TimeoutError:
                line.hang_up()
            gone = await ear.over()
            code = await peer.ended()
            return ear, gone, code, peer.log

    return asyncio.run(test())


def refused(scenario, folder, *, trunk_fields=None, **fields):
    """A call that sipp refuses: the failure, and sipp's exit code."""

    async def test():
        async with (
            sipp(scenario, folder) as peer,
            sip(trunk(peer.port, **(trunk_fields or {}))) as network,
        ):
            told = await failure(network.line(request(**fields), Remembers()))
            return told, await peer.ended(), network.state("trunk_1")

    return asyncio.run(test())


def test_what_sipp_says_is_heard(tmp_path):
    said = speech(2)
    ear, gone, code, _ = called("answers", tmp_path, seconds=2.5, sound=to_ulaw(said))
    assert (gone, code) == (Gone(EndedBy.STAFF, "BYE"), 0)
    assert likeness(ear.sound, said) > ALIKE


def test_what_we_say_comes_back_from_sipp(tmp_path):
    said = speech(2)

    async def test():
        async with sipp("echoes", tmp_path, "-rtp_echo") as peer, sip(trunk(peer.port)) as network:
            line = await answered(network)
            ear = Ear(line)
            line.play(said)
            await asyncio.sleep(2.5)
            line.hang_up()
            await ear.over()
            assert await peer.ended() == 0
            return ear

    assert likeness(asyncio.run(test()).sound, said) > ALIKE


def test_sipp_hangs_up(tmp_path):
    ear, gone, code, _ = called("hangs_up", tmp_path, seconds=10, sound=to_ulaw(speech(1)))
    assert (gone, code) == (Gone(EndedBy.CALLEE, "BYE"), 0)
    assert 95 <= len(ear.frames) <= 115


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.INVALID_NUMBER),
        (480, Outcome.NO_ANSWER),
        (486, Outcome.BUSY),
        (503, Outcome.CARRIER_ERROR),
        (603, Outcome.REJECTED),
    ],
)
def test_sipp_refuses(tmp_path, status, outcome):
    told, code, state = refused(f"refuses_{status}", tmp_path)
    assert (told.outcome, told.cause[:3], code) == (outcome, str(status), 0)
    assert state.ready


def test_sipp_never_answers(tmp_path):
    told, code, _ = refused("never_answers", tmp_path, ring_timeout_s=1)
    assert (told.outcome, told.cause, code) == (Outcome.NO_ANSWER, "487 Request Terminated", 0)


def test_the_right_password_after_401(tmp_path):
    _, gone, code, _ = called("asks_401", tmp_path, trunk_fields=USER)
    assert (gone, code) == (Gone(EndedBy.STAFF, "BYE"), 0)


def test_the_wrong_password_after_401(tmp_path):
    told, code, state = refused("asks_401", tmp_path, trunk_fields=USER | {"password": "wrong"})
    assert (told.outcome, code) == (Outcome.CARRIER_ERROR, 0)
    assert told.cause.startswith("403 wrong password")
    assert state.ready  # 403 may be of the number


def right(given: str, password: str) -> bool:
    """Whether this answer to the challenge was made with the password; RFC 2617 with qop."""
    words = dict(re.findall(r'(\w+)="?([^",\s]+)"?', given))

    def digest(text: str) -> str:
        return md5(text.encode(), usedforsecurity=False).hexdigest()

    secret = digest(f"{words['username']}:{words['realm']}:{password}")
    asked = digest(f"INVITE:{words['uri']}")
    parts = (secret, words["nonce"], words["nc"], words["cnonce"], words["qop"], asked)
    return words["response"] == digest(":".join(parts))


@pytest.mark.parametrize("password", ["s3cret", "wrong", "with space;and,comma"])
def test_the_password_after_407(tmp_path, password):
    """sipp cannot check it, so we do."""
    _, _, code, log = called("asks_407", tmp_path, trunk_fields=USER | {"password": password})
    assert code == 0
    assert 'username="acme"' in log
    assert right(log, password)
    assert not right(log, password + "x")


def test_early_media_of_sipp_is_not_heard(tmp_path):
    ear, _, code, _ = called("early_media", tmp_path, sound=to_ulaw(speech(1)))
    assert code == 0
    assert all(map(is_silent, ear.frames[10:]))


def test_keys_that_sipp_presses(tmp_path):
    ear, _, code, _ = called("presses_keys", tmp_path, seconds=2)
    assert (ear.keys, code) == ("42", 0)


def test_over_tcp(tmp_path):
    said = speech(1)
    ear, gone, code, _ = called(
        "answers", tmp_path, "-t", "t1", trunk_fields={"transport": "tcp"}, seconds=1.5, sound=to_ulaw(said)
    )
    assert (gone, code) == (Gone(EndedBy.STAFF, "BYE"), 0)
    assert likeness(ear.sound, said) > ALIKE


def test_baresip_and_we_hear_each_other(tmp_path):
    theirs, ours = speech(2, seed=3), speech(2, seed=4)
    with wave.open(str(tmp_path / "theirs.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(theirs)

    async def test():
        async with (
            baresip(tmp_path / "peer", tmp_path / "theirs.wav") as peer,
            sip(trunk(peer.port)) as network,
        ):
            line = await answered(network)
            ear = Ear(line)
            line.play(ours)
            await asyncio.sleep(2.5)
            line.hang_up()
            await ear.over()
            await asyncio.sleep(0.5)
            return ear.sound, peer.heard

    heard, heard_there = asyncio.run(test())
    second = 16_000
    assert likeness(heard, theirs[:second]) > ALIKE
    assert likeness(heard_there, ours[:second]) > ALIKE
