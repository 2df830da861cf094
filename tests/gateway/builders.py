"""Scripts, dials and settings as the tests need them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from temphone.gateway.config import Config
from temphone.telephony.messages import DialRequest, Script, Step

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
HUMAN = "+14155550100"
VOICEMAIL = "+14155550101"
NO_ANSWER = "+14155550103"
OPT_OUT = "+14155550105"
HANGS_UP = "+14155550107"
SILENT = "+14155550113"
TALKS_ON = "+14155550115"


def script(*, mode="converse", steps: tuple[Step, ...] = (), **texts) -> Script:
    defaults = {
        "preface": "Hello, this is an automated assistant calling for Acme. Press 9 or say stop calling.",
        "message": "Your appointment is tomorrow at nine.",
        "voicemail_message": "This is Acme. Please call us back about your appointment.",
        "screening_message": "This is Acme, about your appointment.",
        "goodbye": "Thank you, goodbye.",
        "opt_out_confirmation": "You will not be called again.",
        "silence_reminder": "Are you still there?",
    }
    return Script(mode=mode, steps=steps, **(defaults | texts))


def dial(attempt_id: str, to: str = HUMAN, *, seconds: float = 10, **fields) -> DialRequest:
    defaults = {
        "gateway": None,
        "caller_id": "+14155550199",
        "ring_timeout_s": 30,
        "max_duration_s": 600,
        "not_after": datetime.now(UTC) + timedelta(seconds=seconds),
        "record": False,
        "script": script(),
    }
    return DialRequest(attempt_id=attempt_id, to=to, **(defaults | fields))


def config(folder: Path, callback_url: str, **fields) -> Config:
    defaults = {
        "secret": SECRET,
        "host": "127.0.0.1",
        "port": 0,
        "url": "",
        "callback_url": callback_url,
        "lines": 1000,
        "ledger": folder / "ledger.sqlite3",
        "phone_log": folder / "phone.log",
        "recordings": folder / "recordings",
        "speed": 1000.0,
        "log_level": 30,
    }
    return Config(**(defaults | fields))
