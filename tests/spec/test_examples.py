"""The specification's examples run as they are written, but for the host and the date."""

import json
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from calls.models import Call
from temphone.accounts.models import ApiKey, Mode, digest
from temphone.lib.clock import iso
from tests.api.client import in_an_hour
from tests.builders import a_campaign, a_contact
from tests.spec.programs import MODULES, program, run

EXAMPLES = Path(__file__).parent / "examples"
TYPESCRIPT = {
    "files": ["axios.ts"],
    "compilerOptions": {
        "strict": True,
        "target": "es2022",
        "module": "es2022",
        "moduleResolution": "node",
        "lib": ["es2022", "dom"],
        "types": [],
        "preserveSymlinks": True,
    },
}
KEY = "sk_test_51_fakeapikey123456"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _demo() -> None:
    """The specification's own contact, campaign and key."""
    a_contact(id="ctc_12kd88")
    a_campaign(id="camp_91ks11")
    ApiKey.objects.create(public_id="51", hash=digest(KEY), name="The specification's", mode=Mode.TEST)


def example(name: str, live_server: LiveServer) -> str:
    """The example, with this server and a date to come."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert text.count("https://api.example-ai.com") == 1
    assert text.count("2026-03-15T15:00:00Z") == 1
    return text.replace("https://api.example-ai.com", live_server.url).replace(
        "2026-03-15T15:00:00Z", iso(in_an_hour())
    )


@pytest.mark.parametrize("name", ["request.sh", "short.sh"])
def test_curl(name, live_server, tmp_path):
    program("curl")
    answer = json.loads(run(tmp_path, "sh", "-c", example(name, live_server)))
    assert answer["message"] == "AI outbound call scheduled successfully."
    assert answer["data"]["call_id"] == Call.objects.get().pk


@pytest.mark.node
def test_javascript_with_fetch(live_server, tmp_path):
    node = program("node")
    (tmp_path / "fetch.mjs").write_text(example("fetch.mjs", live_server), encoding="utf-8")
    assert run(tmp_path, node, "fetch.mjs").strip() == Call.objects.get().pk


@pytest.mark.node
def test_typescript_with_axios(live_server, tmp_path):
    node = program("node")
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "axios.ts").write_text(example("axios.ts", live_server), encoding="utf-8")
    (tmp_path / "tsconfig.json").write_text(json.dumps(TYPESCRIPT), encoding="utf-8")
    run(tmp_path, node, str(MODULES / "typescript" / "bin" / "tsc"), "--project", ".")
    assert run(tmp_path, node, "--preserve-symlinks", "axios.js").strip() == "scheduled"
    assert Call.objects.get().status == "scheduled"
