"""Which engines speak and listen: the defaults need nothing, and what is wrong is said."""

import pytest

from temphone.gateway.config import from_environment
from temphone.gateway.reader import BadSetting


def settings(folder, **environment):
    return from_environment({"TEMPHONE_DATA_DIR": str(folder)} | environment).speech


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).touch()
    return folder


def test_it_needs_no_setting(tmp_path):
    speech = settings(tmp_path)
    assert (speech.tts, speech.stt, speech.turns) == ("piper", "whisper", "smart")
    assert speech.piper_voice is None
    assert speech.whisper_model is None
    assert speech.whisper_workers == 1
    assert speech.prompts == tmp_path / "speech"


def test_it_reads_what_is_set(tmp_path, model):
    voice = tmp_path / "anna.onnx"
    voice.touch()
    (tmp_path / "anna.onnx.json").touch()
    speech = settings(
        tmp_path,
        TEMPHONE_PIPER_VOICE=str(voice),
        TEMPHONE_WHISPER_MODEL=str(model),
        TEMPHONE_WHISPER_WORKERS="3",
        TEMPHONE_TURNS="silence",
        TEMPHONE_PROMPTS_MB="7",
    )
    assert (speech.piper_voice, speech.whisper_model, speech.whisper_workers) == (voice, model, 3)
    assert (speech.turns, speech.prompts_mb) == ("silence", 7)


def test_a_key_may_come_in_a_file_and_is_not_shown(tmp_path):
    (tmp_path / "key").write_text("sk-abc\n")
    speech = settings(tmp_path, TEMPHONE_TTS="openai", TEMPHONE_OPENAI_KEY_FILE=str(tmp_path / "key"))
    assert speech.keys["openai"] == "sk-abc"
    assert "sk-abc" not in repr(speech)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TTS": "parrot"}, "TTS must be one of piper, cartesia"),
        ({"STT": "parrot"}, "STT must be one of whisper,"),
        ({"TURNS": "mind-reading"}, "TURNS must be one of smart, silence"),
        ({"STT": "openai"}, "OPENAI_KEY must be set, or TEMPHONE_STT be another than openai"),
        ({"TTS": "deepgram"}, "DEEPGRAM_KEY must be set, or TEMPHONE_TTS be another than deepgram"),
        ({"STT": "openai", "OPENAI_KEY": "two words"}, "OPENAI_KEY must be a key"),
        ({"STT": "openai", "OPENAI_KEY": "schlüssel"}, "OPENAI_KEY must be a key"),
        ({"OPENAI_KEY_FILE": "/nowhere"}, "OPENAI_KEY_FILE must be a file that can be read"),
        ({"TTS": "cartesia", "CARTESIA_KEY": "k"}, "TTS_VOICE must be the id of a voice at cartesia"),
        ({"PIPER_VOICE": "/nowhere"}, "PIPER_VOICE must be a file that is there"),
        ({"PIPER_VOICE": __file__}, r"PIPER_VOICE must be the \.onnx file of a voice"),
        ({"WHISPER_MODEL": "/nowhere"}, "WHISPER_MODEL must be a folder that is there"),
        ({"WHISPER_MODEL": "/"}, "WHISPER_MODEL must be a folder that holds a CTranslate2 model"),
        ({"WHISPER_WORKERS": "0"}, "WHISPER_WORKERS must be a whole number above 0"),
        ({"PROMPTS_MB": "much"}, "PROMPTS_MB must be a whole number above 0"),
        ({"TTS_URL": "nowhere"}, "TTS_URL must be an address"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, variables, named):
    with pytest.raises(BadSetting, match=f"^TEMPHONE_{named}"):
        settings(tmp_path, **{f"TEMPHONE_{name}": value for name, value in variables.items()})
