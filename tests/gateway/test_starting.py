"""What keeps a gateway from starting, said in one line."""

import asyncio

import pytest

from temphone.telephony.messages import Placed
from tests.gateway.builders import dial
from tests.gateway.fake_django import FakeDjango
from tests.gateway.running import Process

pytestmark = pytest.mark.processes


def test_a_second_gateway_on_the_same_ledger_refuses_to_start(tmp_path):
    async def test():
        async with (
            FakeDjango() as django,
            Process(tmp_path, django, speed=1.0) as first,
            Process(tmp_path, django, speed=1.0) as second,
        ):
            await first.start()
            client = await first.client()
            await second.start()
            code, said = await second.refusal()
            assert code != 0
            assert "Another gateway" in said
            assert len(said.splitlines()) == 1
            assert isinstance((await client.dial(dial("att_1")))[0], Placed)
            assert await first.stop() == 0

    asyncio.run(test())


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("TEMPHONE_GATEWAY_LINES", "many", 2),
        ("TEMPHONE_GATEWAY_LISTEN", "999.999.999.999:1", 1),
        ("TEMPHONE_GATEWAY_LEDGER", "/proc/none/ledger.sqlite3", 1),
        ("TEMPHONE_PHONE_LOG", "/proc/none/phone.log", 1),
        ("TEMPHONE_GATEWAY_SECRET_FILE", "/proc/none/secret", 2),
    ],
)
def test_what_it_cannot_use_stops_the_start_with_one_line(tmp_path, name, value, code):
    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=1.0) as process:
            await process.start(**{name: value, "TEMPHONE_GATEWAY_SECRET": ""})
            exit_code, said = await process.refusal()
            assert exit_code == code
            assert len(said.splitlines()) == 1

    asyncio.run(test())


def test_a_broken_ledger_is_not_overwritten(tmp_path):
    (tmp_path / "ledger.sqlite3").write_text("not a database, but perhaps somebody's work" * 100)

    async def test():
        async with FakeDjango() as django, Process(tmp_path, django, speed=1.0) as process:
            await process.start()
            assert (await process.refusal())[0] == 1

    asyncio.run(test())
    assert (tmp_path / "ledger.sqlite3").read_text().startswith("not a database")
