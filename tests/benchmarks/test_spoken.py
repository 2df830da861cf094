"""That the benchmarks of spoken calls run, and measure something. How fast it is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = [pytest.mark.voice, pytest.mark.sip, pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["sip_calls", "answering"])  # spoken_calls takes two minutes
def test_it_runs(name: str, tmp_path: Path):
    out = tmp_path / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--out", out]
    subprocess.run(command, cwd=settings.BASE_DIR, check=True, timeout=280)
    made = json.loads(out.read_text())
    assert made["rows"]
