"""The trunks that a gateway was told of: kept, changed, and told about."""

import asyncio
import stat
from unittest.mock import Mock

import pytest
from msgspec import json
from msgspec.structs import replace

from temphone.gateway import heartbeat
from temphone.gateway.talking import Silent
from temphone.gateway.trunks import PURPOSE, Trunks
from temphone.lib.sealing import seal
from temphone.telephony.messages import Refused, SipTrunk, TrunkState, TwilioTrunk
from tests.gateway.builders import SECRET, dial
from tests.gateway.fake_django import FakeDjango, until
from tests.gateway.running import gateway
from tests.gateway.talks import plain

SIP = SipTrunk(id="trunk_1", lines=3, host="sip.example.org", port=5060, user="acme", password="s3cret")
TWILIO = TwilioTrunk(id="trunk_2", lines=1, account_sid="AC1", auth_token="t0ken")


class Keeping:
    """A keeper that notes what it is to keep."""

    def __init__(self):
        self.told = []

    def keep(self, trunks):
        self.told.append(list(trunks))

    def state(self, trunk_id):
        return TrunkState(ready=False, problem=f"{trunk_id} is registering")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.trunks"


def test_they_are_there_again_after_a_restart(path):
    Trunks(path, secret=SECRET).learn([SIP, TWILIO])
    again = Trunks(path, secret=SECRET)
    assert (again.find("trunk_1"), again.find("trunk_2")) == (SIP, TWILIO)


def test_their_file_is_for_the_owners_eyes(path):
    Trunks(path, secret=SECRET).learn([SIP])
    Trunks(path, secret=SECRET).learn([SIP, TWILIO])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_keeper_has_those_of_its_kind_and_hears_of_changes_alone(path):
    trunks, keeper = Trunks(path, secret=SECRET), Keeping()
    trunks.kept_by("sip", keeper)
    trunks.learn([SIP, TWILIO])
    trunks.learn([SIP, TWILIO])
    trunks.learn([TWILIO])
    assert keeper.told == [[], [SIP], []]


def test_a_keeper_that_comes_later_has_what_is_there(path):
    trunks, keeper = Trunks(path, secret=SECRET), Keeping()
    trunks.learn([SIP])
    trunks.kept_by("sip", keeper)
    assert keeper.told == [[SIP]]


def test_each_is_told_as_its_keeper_has_it_and_one_without_as_what_it_is(path):
    trunks = Trunks(path, secret=SECRET)
    trunks.kept_by("sip", Keeping())
    trunks.learn([SIP, TWILIO])
    assert trunks.states() == {
        "trunk_1": TrunkState(ready=False, problem="trunk_1 is registering"),
        "trunk_2": TrunkState(ready=False, problem="this gateway carries no calls over twilio"),
    }


def test_their_file_tells_nothing_of_them(path):
    Trunks(path, secret=SECRET).learn([SIP, TWILIO])
    kept = path.read_bytes()
    for told in (SIP.host, SIP.user, SIP.password, TWILIO.account_sid, TWILIO.auth_token):
        assert told.encode() not in kept


SEALED_BY_ANOTHER = seal(json.encode([SIP]).decode(), secret=f"{SECRET} of another", purpose=PURPOSE).encode()
NO_TRUNKS = seal("[{}]", secret=SECRET, purpose=PURPOSE).encode()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", "[é]".encode(), json.encode([SIP]), SEALED_BY_ANOTHER, NO_TRUNKS],
    ids=["empty", "broken", "no ASCII", "in clear, of an earlier version", "another secret", "no trunks"],
)
def test_a_file_that_cannot_be_read_is_as_none_and_is_gone(path, content, caplog):
    path.write_bytes(content)
    trunks = Trunks(path, secret=SECRET)
    assert trunks.states() == {}
    assert "Django will tell them" in caplog.text
    assert not path.exists()
    trunks.learn([SIP])
    assert Trunks(path, secret=SECRET).find("trunk_1") == SIP


def test_trunks_that_cannot_be_kept_are_there_all_the_same(tmp_path, caplog):
    trunks = Trunks(tmp_path / "nowhere" / "ledger.trunks", secret=SECRET)
    trunks.learn([SIP])
    assert trunks.find("trunk_1") == SIP
    assert "cannot be kept" in caplog.text


def test_django_tells_them_and_hears_how_they_are(tmp_path, monkeypatch):
    """Here nothing speaks, as in the default installation."""
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)

    async def test():
        async with FakeDjango() as django:
            django.trunks = [SIP]
            async with gateway(tmp_path, django, talks=lambda *_: Silent("nothing speaks")) as client:
                await until(lambda: django.beats[-1].trunks)
                (answer,) = await client.dial(dial("att_1", leg="sip", trunk="trunk_1"))
                assert answer == Refused(attempt_id="att_1", cause="no such kind of leg", retry=False)
                return django.beats[-1].trunks

    assert asyncio.run(test()) == {"trunk_1": TrunkState(ready=False, problem="nothing speaks")}
    assert Trunks(tmp_path / "ledger.trunks", secret=SECRET).find("trunk_1") == SIP


def test_the_lines_of_a_trunk_are_kept_to(tmp_path, monkeypatch):
    """Counted in the ledger, so also within one batch, and over a restart."""
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)
    calls = [
        dial(f"att_{number}", "+14155550115", trunk="trunk_1", max_duration_s=80_000) for number in range(5)
    ]

    async def test():
        async with FakeDjango() as django:
            django.trunks = [SIP]
            async with gateway(tmp_path, django, speed=1.0, sip=None, talks=plain(Mock())) as client:
                await until(lambda: django.beats[-1].trunks)
                first = await client.dial(*calls[:4])
            async with gateway(tmp_path, django, speed=1.0, sip=None, talks=plain(Mock())) as client:
                (fifth,) = await client.dial(calls[4])
                (other,) = await client.dial(dial("att_none", trunk="trunk_9"))
            return [*first, fifth, other]

    answers = asyncio.run(test())
    assert [isinstance(answer, Refused) for answer in answers] == [False] * 3 + [True] * 3
    assert [answer.cause for answer in answers[3:]] == ["no free line of the trunk"] * 2 + ["no such trunk"]
    assert all(answer.retry for answer in answers[3:])


def test_what_a_gateway_carries_over_sip_is_kept_to_whatever_lines_its_trunks_have(tmp_path, monkeypatch):
    """Refused before anything is told of it, so that no call begins again and again."""
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)
    monkeypatch.setattr("temphone.gateway.switchboard.MAX_CALLS", 2)
    long = {"to": "+14155550115", "max_duration_s": 80_000}
    calls = [dial(f"att_{number}", trunk=f"trunk_{number % 2 + 1}", **long) for number in range(3)]

    async def test():
        async with FakeDjango() as django:
            django.trunks = [replace(SIP, id=f"trunk_{number}", lines=500) for number in (1, 2)]
            async with gateway(tmp_path, django, speed=1.0, sip=None, talks=plain(Mock())) as client:
                await until(lambda: django.beats[-1].trunks)
                return await client.dial(*calls), django.types("att_2")

    answers, told = asyncio.run(test())
    assert [isinstance(answer, Refused) for answer in answers] == [False, False, True]
    assert (answers[2].retry, "over SIP" in answers[2].cause, told) == (True, True, [])
