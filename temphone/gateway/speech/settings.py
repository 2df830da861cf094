"""Which engines speak and listen, and what they need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from temphone.gateway.reader import Reader, wrong

SPEAKERS = ("piper", "cartesia", "deepgram", "elevenlabs", "openai")
LISTENERS = ("whisper", "cartesia", "deepgram", "elevenlabs", "openai")
VENDORS = ("cartesia", "deepgram", "elevenlabs", "openai")
VOICELESS = ("cartesia", "elevenlabs")  # without a voice of their own
TURNS = ("smart", "silence")
MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """The settings of speech, checked; the default is what needs no vendor."""

    tts: str = "piper"
    stt: str = "whisper"
    turns: str = "smart"
    piper_voice: Path | None = None  # None: joe
    whisper_model: Path | None = None
    whisper_workers: int = 1
    tts_voice: str = ""  # of whoever speaks when a call names none; empty: the engine's own
    tts_model: str = ""
    stt_model: str = ""
    tts_url: str = ""
    stt_url: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    prompts: Path = Path("var/speech")
    prompts_mb: int = 200


def speech_settings(read: Reader, data_dir: Path) -> SpeechSettings:
    """What these variables say.

    Raises:
        BadSetting: one is wrong.
    """
    settings = SpeechSettings(
        tts=read.choice("TTS", "piper", SPEAKERS),
        stt=read.choice("STT", "whisper", LISTENERS),
        turns=read.choice("TURNS", "smart", TURNS),
        piper_voice=_piper_voice(read),
        whisper_model=_whisper_model(read),
        whisper_workers=int(read.number("WHISPER_WORKERS", 1, whole=True)),
        tts_voice=read.text("TTS_VOICE", ""),
        tts_model=read.text("TTS_MODEL", ""),
        stt_model=read.text("STT_MODEL", ""),
        tts_url=read.url("TTS_URL", ""),
        stt_url=read.url("STT_URL", ""),
        keys={
            "cartesia": read.text_or_file("CARTESIA_KEY"),
            "deepgram": read.text_or_file("DEEPGRAM_KEY"),
            "elevenlabs": read.text_or_file("ELEVENLABS_KEY"),
            "openai": read.text_or_file("OPENAI_KEY"),
        },
        prompts=data_dir / "speech",
        prompts_mb=int(read.number("PROMPTS_MB", 200, whole=True)),
    )
    if settings.tts in VOICELESS and not settings.tts_voice:
        raise wrong("TTS_VOICE", f"the id of a voice at {settings.tts}")
    for name, chosen in (("TTS", settings.tts), ("STT", settings.stt)):
        _need_key(settings, name, chosen)
    return settings


def _need_key(settings: SpeechSettings, name: str, chosen: str) -> None:
    if chosen not in VENDORS:
        return
    key = settings.keys[chosen]
    if not key:
        raise wrong(f"{chosen.upper()}_KEY", f"set, or TEMPHONE_{name} be another than {chosen}")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise wrong(f"{chosen.upper()}_KEY", "a key: visible ASCII without spaces")


def _piper_voice(read: Reader) -> Path | None:
    voice = read.file("PIPER_VOICE")
    if voice and (voice.suffix != ".onnx" or not Path(f"{voice}.json").is_file()):
        raise wrong("PIPER_VOICE", "the .onnx file of a voice, with its .onnx.json beside it")
    return voice


def _whisper_model(read: Reader) -> Path | None:
    folder = read.folder("WHISPER_MODEL")
    if folder and not all((folder / name).is_file() for name in MODEL_FILES):
        raise wrong("WHISPER_MODEL", f"a folder that holds a CTranslate2 model: {', '.join(MODEL_FILES)}")
    return folder
