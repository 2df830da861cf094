"""What `make check` makes of the vulnerability service's answers."""

import importlib.util
import subprocess

import pytest
from django.conf import settings


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("audit", settings.BASE_DIR / ".ci" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOUND = '{"name": "yarl", "version": "1.25.1", "vulns": []}'
HOLED = '{"name": "aiohttp", "version": "3.9.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.9.1"]}]}'
UNKNOWN = '{"name": "axes", "skip_reason": "Dependency not found on PyPI"}'


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND, HOLED], 1, "aiohttp 3.9.0: CVE-1, mended in 3.9.1"),
        ([SOUND, UNKNOWN], 0, "1 of 2 packages looked up, no vulnerability known"),
        ([UNKNOWN], 0, "could not ask: the service knows none of 1 packages"),
        (None, 0, "could not ask: ERROR: no route"),
    ],
)
def test_a_known_hole_fails_and_silence_is_said(audit, monkeypatch, capsys, packages, code, said):
    answer = f'{{"dependencies": [{", ".join(packages)}]}}' if packages else ""
    done = subprocess.CompletedProcess([], 1, stdout=answer, stderr="warning\nERROR: no route\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_kwargs: done)
    assert audit.main() == code
    told = capsys.readouterr().out
    assert f"pip-audit: run.txt: {said}." in told
    assert f"pip-audit: voice.txt: {said}." in told


def test_a_hole_in_what_real_calls_need_alone_fails_too(audit, monkeypatch, capsys):
    def run(command: list[str], **_kwargs: object) -> subprocess.CompletedProcess:
        package = HOLED if command[-1].endswith("voice.txt") else SOUND
        return subprocess.CompletedProcess([], 1, stdout=f'{{"dependencies": [{package}]}}', stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main() == 1
    assert "run.txt: 1 of 1 packages looked up" in capsys.readouterr().out
