"""``python -m temphone.gateway check``: what is here, what is missing, and the mend."""

import os
import socket
import subprocess
import sys
import wave
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType

import pytest

from temphone.gateway import check as checking
from temphone.gateway.check import SENTENCE, check
from temphone.gateway.config import PublicSettings, SipSettings, from_environment
from temphone.gateway.conversation.llm import ModelSettings
from temphone.gateway.speech import packages
from tests.gateway.speech.fakes import FakeEngine, FakeListener, FakeTurns, a_speech

ROOT = Path(__file__).parents[2]


def config(folder, **environment):
    return from_environment({"TEMPHONE_DATA_DIR": str(folder)} | environment)


def run(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "temphone.gateway", "check", *arguments],
        cwd=ROOT,
        env=os.environ | {"TEMPHONE_DATA_DIR": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As if all packages were here, with engines that need none."""
    voice = tmp_path / "anna.onnx"
    voice.write_bytes(bytes(2_000_000))
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (model / name).write_bytes(b"weights")
    monkeypatch.setattr(packages, "folder_of", lambda module: tmp_path)
    monkeypatch.setattr(packages, "own_voice", lambda: voice)
    monkeypatch.setattr(checking, "version", lambda package: "0.5.2a3")
    monkeypatch.setitem(sys.modules, "baresip", ModuleType("baresip"))

    def install(*, hears=SENTENCE, **engine):
        speech = a_speech(tmp_path / "prompts", FakeEngine(**engine), FakeListener(hears), FakeTurns())
        monkeypatch.setattr(checking, "build", lambda settings: speech)
        return config(tmp_path, TEMPHONE_WHISPER_MODEL=str(model))

    return install


def test_what_is_missing_is_named_with_its_mend(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(packages, "folder_of", lambda module: None)
    assert check(config(tmp_path), tmp_path / "check.wav") == 1
    said = capsys.readouterr().out
    for subject in ("Packages", "Voice", "Model"):
        assert f"\n! {subject}" in said
    assert "-> make voice" in said
    assert "-> TEMPHONE_WHISPER_MODEL=" in said
    assert "To mend: Packages, " in said
    assert not (tmp_path / "check.wav").exists()


def test_where_all_is_here_it_speaks_and_listens(tmp_path, capsys, installed):
    assert check(installed(), tmp_path / "there" / "check.wav") == 0
    said = capsys.readouterr().out
    assert "\n!" not in said
    assert said.endswith("All is well.\n")
    assert SENTENCE.split()[0] in said
    with wave.open(str(tmp_path / "there" / "check.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) == (8000, 1, 2)
        assert recording.getnframes() >= len(SENTENCE.split()) * 4


def test_no_line_is_wider_than_a_terminal(tmp_path, capsys, installed, monkeypatch):
    check(installed(hears="word " * 40), Path("/dev/null"))
    monkeypatch.undo()
    monkeypatch.setattr(packages, "folder_of", lambda module: None)
    check(config(tmp_path), tmp_path / "check.wav")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_words_that_were_not_said_are_no_success(tmp_path, capsys, installed):
    assert check(installed(hears="Thank you for watching."), tmp_path / "check.wav") == 1
    assert "! Listening “Thank you for watching.”" in capsys.readouterr().out


def test_an_engine_that_fails_is_told(tmp_path, capsys, installed):
    assert check(installed(fails_after=0), tmp_path / "check.wav") == 1
    assert "! Speech    the engine broke" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_told(tmp_path, capsys, installed):
    (tmp_path / "file").touch()
    assert check(installed(), tmp_path / "file" / "check.wav") == 1
    assert "! File" in capsys.readouterr().out


def test_a_port_in_use_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(packages, "folder_of", lambda module: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        check(config(tmp_path, TEMPHONE_GATEWAY_LISTEN=address), tmp_path / "check.wav")
    assert f"  Port      {address}: Address already in use" in capsys.readouterr().out


def test_a_sip_stack_that_cannot_be_loaded_is_told(tmp_path, capsys, installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "baresip", None)
    assert check(installed(), tmp_path / "check.wav") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "! SIP baresip-python 0.5.2a3 cannot be loaded: import of baresip halted" in said


def test_where_sip_is_off_it_is_not_asked_for(tmp_path, capsys, installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "baresip", None)
    off = replace(installed(), sip=None)
    assert check(off, tmp_path / "check.wav") == 0
    assert "\n  SIP       off, by TEMPHONE_SIP_LISTEN\n" in capsys.readouterr().out


def test_a_fixed_port_of_sip_is_tried(tmp_path, capsys, installed):
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        listening = SipSettings(host="127.0.0.1", port=phone.getsockname()[1])
        check(replace(installed(), sip=listening), tmp_path / "check.wav")
    assert f"  SIP port  127.0.0.1:{listening.port}: Address already in use" in capsys.readouterr().out
    check(replace(installed(), sip=listening), tmp_path / "check.wav")
    assert f"  SIP port  127.0.0.1:{listening.port}, free" in capsys.readouterr().out
    check(replace(installed(), sip=replace(listening, host="")), tmp_path / "check.wav")
    assert f"  SIP port  every interface:{listening.port}, free" in capsys.readouterr().out


def test_a_key_is_counted_and_never_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(packages, "folder_of", lambda module: None)
    openai = config(tmp_path, TEMPHONE_TTS="openai", TEMPHONE_OPENAI_KEY="sk-secret")
    check(openai, tmp_path / "check.wav")
    said = capsys.readouterr().out
    assert "Key       openai: 9 characters" in said
    assert "sk-secret" not in said


@pytest.mark.processes
def test_a_wrong_setting_is_said_in_one_line(tmp_path):
    done = run(tmp_path, TEMPHONE_TTS="parrot")
    assert done.returncode == 1
    assert done.stderr.startswith("gateway: TEMPHONE_TTS must be one of piper,")
    assert done.stdout == ""


@pytest.mark.voice
@pytest.mark.processes
def test_a_whole_installation_is_well(tmp_path, whisper_model):
    out = tmp_path / "spoken.wav"
    done = run(tmp_path, "--out", str(out), TEMPHONE_WHISPER_MODEL=str(whisper_model))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny.en, 76 MB, its checksum as published" in done.stdout
    assert "appointment is tomorrow morning" in done.stdout
    assert out.stat().st_size > 30_000


def test_what_twilio_and_a_language_model_need_is_said(installed, tmp_path, capsys):
    assert check(installed(), tmp_path / "check.wav") == 0
    said = capsys.readouterr().out
    assert "TEMPHONE_PUBLIC_URL is not set" in said
    assert "TEMPHONE_LLM_URL is not set" in said
    public = PublicSettings(url="https://calls.example.org", port=0)
    llm = ModelSettings(url="https://llm.example.org/v1", key="k3y", model="small", timeout_s=4.0)
    assert check(replace(installed(), public=public, llm=llm), tmp_path / "check.wav") == 0
    said = capsys.readouterr().out
    assert "reaches https://calls.example.org" in said
    assert "Doors     127.0.0.1, any free one" in said
    assert "small at https://llm.example.org/v1" in said
    assert "k3y" not in said


def test_without_the_package_twilio_calls_need_it(installed, tmp_path, capsys, monkeypatch):
    def version(package):
        if package == "twilio":
            raise PackageNotFoundError
        return "1"

    config_ = installed()
    monkeypatch.setattr(checking, "version", version)
    assert check(config_, tmp_path / "check.wav") == 1
    assert "missing: twilio" in capsys.readouterr().out
