"""``python -m temphone.gateway check``: what real calls need, what of it is here, and the mend.

It speaks a sentence to a file and listens to it.
"""

import asyncio
import difflib
import re
import socket
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from temphone.gateway.config import Config, PublicSettings, SipSettings
from temphone.gateway.legs import sip
from temphone.gateway.speech import models, packages
from temphone.gateway.speech.engines import Absent, Speech, build
from temphone.gateway.speech.ports import RATE_HZ, SpeechFailed, Voice
from temphone.gateway.speech.settings import VENDORS, SpeechSettings
from temphone.gateway.speech.wav import wav_of

WIDTH = 80
SENTENCE = "Hello, this is a test. Your appointment is tomorrow morning."
PAUSE = bytes(RATE_HZ)  # half a second
ALIKE = 0.6  # a small model does not hear a telephone's sound letter for letter


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table; without a mend all is well."""

    subject: str
    text: str
    mend: str = ""


def check(config: Config, out: Path) -> int:
    """Print what there is and what is missing; the exit code, 1 when something is."""
    sys.stdout.write("What real calls need, and what of it is here\n\n")
    bad = []
    for finding in _findings(config, out):
        _show(finding)
        bad += [finding.subject] if finding.mend else []
    sys.stdout.write(f"\n{textwrap.fill(_verdict(bad), WIDTH)}\n")
    return 1 if bad else 0


def _verdict(bad: Sequence[str]) -> str:
    if not bad:
        return "All is well."
    return f"To mend: {', '.join(bad)}. Simulated calls need nothing of it."


def _show(finding: Finding) -> None:
    """At once: what follows may take seconds."""
    mark = "!" if finding.mend else " "
    lines = _wrapped(f"{mark} {finding.subject:<10}", finding.text)
    if finding.mend:
        lines += _wrapped(" " * 12 + "-> ", finding.mend)
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _wrapped(begin: str, text: str) -> list[str]:
    indent = " " * len(begin)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _findings(config: Config, out: Path) -> Iterator[Finding]:
    settings = config.speech
    yield _packages(settings)
    yield from _sip(config.sip)
    yield from _twilio(config.public)
    yield _language_model(config)
    if settings.tts == "piper":
        yield _voice(settings)
    if settings.stt == "whisper":
        yield _model(settings)
    yield from _keys(settings)
    yield _port(config.host, config.port)
    with tempfile.TemporaryDirectory() as folder:  # nothing is answered from what was kept
        yield from asyncio.run(_try(replace(settings, prompts=Path(folder)), out))


def _packages(settings: SpeechSettings) -> Finding:
    engines = dict.fromkeys((settings.tts, settings.stt))
    if missing := packages.missing(*engines):
        return Finding("Packages", f"missing: {', '.join(missing)}", packages.INSTALL)
    return Finding("Packages", f"{' and '.join(engines)}: installed")


def _sip(settings: SipSettings | None) -> Iterator[Finding]:
    if settings is None:
        yield Finding("SIP", "off, by TEMPHONE_SIP_LISTEN")
        return
    try:
        library = f"baresip-python {version('baresip-python')}"
    except PackageNotFoundError:
        yield Finding("SIP", "missing: baresip-python", packages.INSTALL)
        return
    if trouble := sip.trouble():
        yield Finding("SIP", f"{library} cannot be loaded: {trouble}", packages.INSTALL)
        return
    yield Finding("SIP", library)
    if settings.port:
        port = _port(settings.host, settings.port, socket.SOCK_DGRAM)
        yield replace(port, subject="SIP port")


def _twilio(public: PublicSettings) -> Iterator[Finding]:
    """Not every installation wants it: without an address it is only said that there is none."""
    try:
        library = f"twilio {version('twilio')}"
    except PackageNotFoundError:
        yield Finding("Twilio", "missing: twilio", packages.INSTALL)
        return
    if not public.url:
        yield Finding("Twilio", f"{library}; not reachable for it, TEMPHONE_PUBLIC_URL is not set")
        return
    yield Finding("Twilio", f"{library}, reaches {public.url}")
    yield replace(_port(public.host, public.port), subject="Doors")


def _language_model(config: Config) -> Finding:
    """Its package and name are asked for when the settings are read."""
    if config.llm is None:
        return Finding("LLM", "none, TEMPHONE_LLM_URL is not set: playbooks converse alone")
    return Finding("LLM", f"{config.llm.model} at {config.llm.url}")


def _voice(settings: SpeechSettings) -> Finding:
    voice = settings.piper_voice or packages.own_voice()
    if voice is None or not voice.is_file():
        return Finding("Voice", "there is none", f"{packages.INSTALL}, or TEMPHONE_PIPER_VOICE=voice.onnx")
    return Finding("Voice", f"{voice.stem}, {_megabytes(voice)}")


def _model(settings: SpeechSettings) -> Finding:
    folder = settings.whisper_model
    if folder is None:
        return Finding("Model", "there is none", "TEMPHONE_WHISPER_MODEL=folder, of a CTranslate2 model")
    size = _megabytes(folder / "model.bin")
    checksum = models.checksum(folder)
    if name := models.PUBLISHED.get(checksum):
        return Finding("Model", f"{name}, {size}, its checksum as published")
    return Finding("Model", f"{folder.name}, {size}, of no known checksum ({checksum[:12]}...)")


def _keys(settings: SpeechSettings) -> Iterator[Finding]:
    """Of those that are used: where one is missing, the settings are wrong."""
    for vendor in VENDORS:
        if vendor in {settings.tts, settings.stt}:
            yield Finding("Key", f"{vendor}: {len(settings.keys[vendor])} characters")


def _port(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Finding:
    where = host or "every interface"
    if port == 0:
        return Finding("Port", f"{where}, any free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:  # of datagrams two programs could have it then
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding("Port", f"{where}:{port}: {error.strerror}; if that is the gateway, it runs")
    return Finding("Port", f"{where}:{port}, free")


async def _try(settings: SpeechSettings, out: Path) -> list[Finding]:
    """Speak and listen, once."""
    try:
        speech = build(settings)
    except Absent:
        return [Finding("Speech", "not tried: something above is missing")]
    began = time.monotonic()
    try:
        await speech.start()
        if problem := speech.problem():
            return [Finding("Speech", problem, "what the setting names, or its replacement")]
        ready = Finding("Speech", f"ready after {_since(began)}")
        return [ready, *await _speak_and_listen(speech, out)]
    except SpeechFailed as error:
        return [Finding("Speech", str(error), "see above; a vendor may be out of reach, or refuse the key")]
    finally:
        await speech.close()


async def _speak_and_listen(speech: Speech, out: Path) -> list[Finding]:
    began, first, sound = time.monotonic(), "", b""
    async for piece in speech.tts.speak(SENTENCE, Voice()):
        first = first or _since(began)
        sound += piece
    spoken = Finding(
        "Speaking", f"first sound after {first}, {len(sound) / RATE_HZ / 2:.1f} s in {_since(began)}"
    )
    return [spoken, _write(sound, out), await _listen(speech, sound)]


async def _listen(speech: Speech, sound: bytes) -> Finding:
    transcriber = await speech.stt.listen("en")
    transcriber.feed(PAUSE + sound + PAUSE)
    began = time.monotonic()
    words = await transcriber.finish()
    await transcriber.close()
    text = f"“{words}” after {_since(began)}"
    return Finding(
        "Listening", text, "" if _alike(words, SENTENCE) else "a better model: it was not understood"
    )


def _alike(heard: str, said: str) -> bool:
    one, other = (re.findall(r"\w+", text.lower()) for text in (heard, said))
    return difflib.SequenceMatcher(None, one, other).ratio() >= ALIKE


def _write(sound: bytes, out: Path) -> Finding:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(wav_of(sound))
    except OSError as error:
        return Finding("File", f"{out}: {error.strerror}", "--out FILE, where it can be written")
    return Finding("File", str(out))


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


def _since(began: float) -> str:
    seconds = time.monotonic() - began
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
