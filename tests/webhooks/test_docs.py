"""What docs/webhooks.md says is so."""

import json
import re
import runpy
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from calls.actions.changes import TO_ITS_ADDRESS
from calls.actions.finishing import NOTICES
from temphone.lib.clock import now
from temphone.webhooks.actions import PER_RECEIVER, WAITS
from temphone.webhooks.models import Event
from temphone.webhooks.sender import Message, headers

TEXT = (Path(settings.BASE_DIR) / "docs/webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
OLD_SECRET = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
BODY = '{"type":"call.started","data":{"name":"Zoë"}}'


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def signed() -> dict[str, str]:
    return headers(Message(id="msg_1", url="", body=BODY), secrets=[SECRET, OLD_SECRET], at=now())


@pytest.mark.parametrize("code", snippets("python"), ids=["library", "by hand"])
def test_the_python_code_verifies(code, tmp_path):
    (tmp_path / "receiver.py").write_text(code)
    verified = runpy.run_path(str(tmp_path / "receiver.py"))["verified"]
    for secret in (SECRET, OLD_SECRET):
        assert verified(BODY.encode(), signed(), secret) == json.loads(BODY)
    for body, sent, secret in (
        (BODY + " ", signed(), SECRET),
        (BODY, signed(), "whsec_" + "A" * 32),
        (BODY, signed() | {"webhook-timestamp": str(int(now().timestamp()) - 400)}, SECRET),
    ):
        with pytest.raises(Exception, match=r"."):
            verified(body.encode(), sent, secret)


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_node_code_verifies(tmp_path):
    (by_hand,) = [code for code in snippets("js") if "node:crypto" in code]
    script = tmp_path / "verify.mjs"
    tries = [
        [BODY, signed(), SECRET],
        [BODY, signed(), OLD_SECRET],
        [BODY + " ", signed(), SECRET],
        [BODY, signed(), "whsec_" + "A" * 32],
        [BODY, signed() | {"webhook-timestamp": "1773586806"}, SECRET],
    ]
    script.write_text(
        by_hand
        + f"""
        for (const [body, headers, secret] of {json.dumps(tries)}) {{
          try {{ console.log(JSON.stringify(verified(body, headers, secret))); }}
          catch (error) {{ console.log(error.message); }}
        }}"""
    )
    done = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        BODY,
        BODY,
        "not signed with our secret",
        "not signed with our secret",
        "too old, or from the future",
    ]


def test_the_tries_are_those_of_the_table():
    rows = re.findall(r"^\| (\d+) \| (at once|\d+ \w+) \|$", TEXT, re.MULTILINE)
    waits = [wait.replace("at once", "0 seconds").split() for _try, wait in rows]
    assert [timedelta(**{unit: int(count)}) for count, unit in waits] == list(WAITS)
    assert f"At most {PER_RECEIVER} messages" in TEXT


def test_every_event_has_its_line():
    named = re.findall(r"^\| `([a-z._]+)` \|", TEXT, re.MULTILINE)
    assert sorted(named) == sorted(Event.values)
    assert set(named[:6]) == TO_ITS_ADDRESS >= set(NOTICES.values())
