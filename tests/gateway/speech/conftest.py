"""The engines of the voice installation, started once for all tests that need them."""

import asyncio
from dataclasses import replace

import pytest

from temphone.gateway.speech.engines import build
from temphone.gateway.speech.settings import SpeechSettings


@pytest.fixture(scope="session")
def runner():
    """One event loop for the engines and everybody who asks them."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def settings(whisper_model, tmp_path_factory):
    return replace(SpeechSettings(), whisper_model=whisper_model, prompts=tmp_path_factory.mktemp("prompts"))


@pytest.fixture(scope="session")
def speech(runner, settings):
    speech = build(settings)
    runner.run(speech.start())
    yield speech
    runner.run(speech.close())
