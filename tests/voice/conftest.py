"""A whole TemPhone with engines of speech, on whose trunks programs answer that nobody here wrote."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from temphone.accounts.actions import create_key
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from temphone.gateway.speech.engines import build
from temphone.gateway.speech.settings import SpeechSettings
from temphone.lib.background import event_loop
from temphone.lib.clock import now as utc_now
from tests.gateway.sip.certificates import make_certificates
from tests.proofs.stage.installation import Installation
from tests.voice.callees import Office


@pytest.fixture(scope="package")
def loop():
    """An event loop beside the tests."""
    with event_loop() as loop:
        yield loop


@pytest.fixture(scope="package")
def speech(loop, whisper_model, tmp_path_factory):
    """Engines of the test's own, to make what callees say, and to hear what they heard."""
    settings = replace(
        SpeechSettings(), whisper_model=whisper_model, prompts=tmp_path_factory.mktemp("prompts")
    )
    speech = build(settings)
    asyncio.run_coroutine_threadsafe(speech.start(), loop).result(60)
    yield speech
    asyncio.run_coroutine_threadsafe(speech.close(), loop).result(60)


@pytest.fixture(scope="package")
def certificates(tmp_path_factory):
    """What phones over TLS show, and the authority that the gateway trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    (folder / "phone.pem").write_text((folder / "here.key").read_text() + (folder / "here.pem").read_text())
    return folder


@pytest.fixture
def office(transactional_db, tmp_path, loop, speech, whisper_model, certificates):
    """TemPhone, ready, with a live key."""
    _, key = create_key(actor=SYSTEM, name="live", mode=Mode.LIVE, requests_per_minute=10_000, now=utc_now())
    installation = Installation(
        tmp_path,
        TEMPHONE_CONSENT_LIVE="off",
        TEMPHONE_HOURS_LIVE="warn",
        TEMPHONE_SIP_LISTEN="127.0.0.1:0",
        TEMPHONE_SIP_CA=str(certificates / "ca.pem"),
        TEMPHONE_WHISPER_MODEL=str(whisper_model),
    )
    office = Office(installation, key, tmp_path, loop, speech, certificates, AsyncExitStack())
    installation.start()
    try:
        installation.wait_until_ready()
        yield office
    finally:
        installation.stop()
        office.close()
