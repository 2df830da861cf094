"""What the ear heard is what rang, and nothing is over before the gateways' ledgers say so too."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.phone_log import PhoneLog, Ring
from tests.gateway.builders import dial
from tests.proofs.stage import ear
from tests.proofs.stage.installation import KILLS, Installation
from tests.proofs.stage.quiet import Quiet

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path):
    return Installation(tmp_path)


@pytest.fixture
def network(installation, monkeypatch):
    """The network's memory, with the ear at it."""
    monkeypatch.setattr(PhoneLog, "append", PhoneLog.append)
    ear.listen(installation.folder / ear.HEARD)
    return PhoneLog(installation.folder / "gateway" / "phone.log")


def ring(number, at=NOW):
    return Ring(to=number, at=at, attempt_id=f"att_{number}")


def killed(installation, name, at):
    with (installation.folder / KILLS).open("a") as kills:
        kills.write(json.dumps({"name": name, "at": at.isoformat()}) + "\n")


def test_a_ring_that_the_network_forgot_is_heard_all_the_same(installation, network):
    network.append(ring("1"))
    (installation.folder / "gateway" / "phone.log").write_text("")
    network.append(ring("1", NOW + timedelta(seconds=9)))
    assert installation.rings() == {"1": 2}


def test_a_ring_that_a_kill_cut_in_two_counts_once_and_one_that_only_the_network_knows_never(
    installation, network
):
    network.append(ring("1"))
    (installation.folder / ear.HEARD).write_text("")
    assert installation.rings() == {}
    killed(installation, "worker", NOW + timedelta(milliseconds=1))
    assert installation.rings() == {}
    killed(installation, "gateway-2", NOW + timedelta(milliseconds=1))
    assert installation.rings() == {"1": 1}


def test_nothing_is_over_while_a_ledger_has_an_open_attempt_or_an_event_that_nobody_took(installation):
    quiet = Quiet(installation=installation, is_open=lambda: False, quiet_s=0)
    assert not quiet.is_over()  # the first look finds that something was heard since never
    assert quiet.is_over()
    ledger = Ledger(installation.folder / "gateway" / "ledger.sqlite3")
    request = dial("att_1")
    with ledger.transaction():
        ledger.admit([request], lambda *_: None)
    assert installation.unfinished() == 2
    assert not quiet.is_over()
    with ledger.transaction():
        ledger.events.acknowledge(request.attempt_id, 1)
    assert not quiet.is_over()
    with ledger.transaction():
        ledger._db.execute("UPDATE attempts SET state = 'ended'")
    assert quiet.is_over()
    ledger.close()


def test_a_ring_after_all_was_over_begins_the_quiet_time_anew(installation, network):
    quiet = Quiet(installation=installation, is_open=lambda: False, quiet_s=0)
    assert [quiet.is_over(), quiet.is_over()] == [False, True]
    network.append(ring("1"))
    assert [quiet.is_over(), quiet.is_over()] == [False, True]
