"""The gateway's settings, read from the environment.

TEMPHONE_DATA_DIR: where everything that is written goes, recordings beside the ledger; ``var``.
TEMPHONE_GATEWAY_SECRET, or TEMPHONE_GATEWAY_SECRET_FILE: shared with Django; made in ``secrets/gateway``.
TEMPHONE_GATEWAY_LISTEN: host:port to listen on, port 0 is any free one; ``127.0.0.1:0``.
TEMPHONE_GATEWAY_URL: where Django reaches the gateway; where it listens.
TEMPHONE_CALLBACK_URL: where the gateway reaches Django; ``http://127.0.0.1:8000``.
TEMPHONE_GATEWAY_LINES: how many calls may be up at once; 1000.
TEMPHONE_GATEWAY_LEDGER: the ledger's file, on a local disk; ``gateway/ledger.sqlite3``.
TEMPHONE_PHONE_LOG: the simulated network's log; ``gateway/phone.log``.
TEMPHONE_SIMULATION_SPEED: divides all waiting of the simulated network; 1.0.
TEMPHONE_SIP_LISTEN: host:port from which SIP trunks are spoken to, or ``off``; ``0.0.0.0:0``.
TEMPHONE_SIP_RTP_PORTS: from-to, the UDP ports that their sound comes to; ``20000-29999``.
TEMPHONE_SIP_CA: a file of certificates that trunks over TLS are checked with; the system's.
TEMPHONE_TTS, TEMPHONE_STT and what they need: which engines speak and listen; see ``speech.settings``.
TEMPHONE_PUBLIC_URL: where Twilio reaches this gateway, https; empty, and Twilio's trunks are not ready.
TEMPHONE_PUBLIC_LISTEN: host:port where that arrives, apart from everything else; ``127.0.0.1:8090``.
TEMPHONE_LLM_URL: an OpenAI-compatible endpoint, such as https://llm.example.org/v1; empty, no language model.
TEMPHONE_LLM_KEY, or TEMPHONE_LLM_KEY_FILE: its key; empty.
TEMPHONE_LLM_MODEL: the name of the model; needed with a URL.
TEMPHONE_LLM_TIMEOUT_S: how long the next sentence may take before the playbook takes over; 4.
TEMPHONE_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; WARNING.

After the semicolon the default; relative files are in TEMPHONE_DATA_DIR.
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from temphone.gateway.conversation.llm import ModelSettings
from temphone.gateway.reader import BadSetting, Reader, wrong
from temphone.gateway.speech.settings import SpeechSettings, speech_settings

EVERYWHERE = re.compile(r"0\.0\.0\.0|::")


@dataclass(frozen=True, slots=True, kw_only=True)
class SipSettings:
    """How this gateway speaks SIP."""

    host: str = ""  # empty: every interface
    port: int = 0  # any free one; TLS has the next
    rtp_ports: tuple[int, int] = (20_000, 29_999)  # both included
    ca: Path | None = None  # None: the system's


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSettings:
    """Where the gateway is reached from outside, and where that arrives."""

    url: str = ""  # empty: nowhere
    host: str = "127.0.0.1"
    port: int = 8090


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, checked."""

    secret: str
    host: str
    port: int
    url: str  # empty: where it listens
    callback_url: str
    lines: int
    ledger: Path
    phone_log: Path
    recordings: Path  # what waits there for its upload
    speed: float
    log_level: int
    sip: SipSettings | None = None  # None: no SIP
    data_dir: Path = Path("var")
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    public: PublicSettings = PublicSettings()
    llm: ModelSettings | None = None  # None: playbooks converse alone


def from_environment(environment: Mapping[str, str]) -> Config:
    """The settings in these variables.

    Raises:
        BadSetting: one is wrong.
    """
    read = Reader(environment)
    data_dir = Path(read.text("DATA_DIR", "var")).absolute()
    host, port = read.listen("GATEWAY_LISTEN", "127.0.0.1:0")
    url = read.url("GATEWAY_URL", "")
    if EVERYWHERE.fullmatch(host) and not url:
        raise BadSetting(
            "TEMPHONE_GATEWAY_URL must say where Django reaches a gateway that listens everywhere."
        )
    ledger = Path(read.text("GATEWAY_LEDGER", str(data_dir / "gateway" / "ledger.sqlite3")))
    return Config(
        secret=read.secret(data_dir),
        host=host,
        port=port,
        url=url,
        callback_url=read.url("CALLBACK_URL", "http://127.0.0.1:8000"),
        lines=int(read.number("GATEWAY_LINES", 1000, whole=True)),
        ledger=ledger,
        phone_log=Path(read.text("PHONE_LOG", str(data_dir / "gateway" / "phone.log"))),
        recordings=ledger.with_suffix(".recordings"),
        speed=read.number("SIMULATION_SPEED", 1.0),
        log_level=read.log_level("LOG_LEVEL", "WARNING"),
        data_dir=data_dir,
        speech=speech_settings(read, data_dir),
        sip=_sip(read),
        public=_public(read),
        llm=_llm(read),
    )


def _llm(read: Reader) -> ModelSettings | None:
    url = read.url("LLM_URL", "")
    if not url:
        return None
    if importlib.util.find_spec("openai") is None:
        raise BadSetting("TEMPHONE_LLM_URL needs the package openai: make voice installs it.")
    model = read.text("LLM_MODEL", "")
    if not model:
        raise BadSetting("TEMPHONE_LLM_MODEL must name the model that TEMPHONE_LLM_URL is to use.")
    return ModelSettings(
        url=url,
        key=read.text_or_file("LLM_KEY"),
        model=model,
        timeout_s=read.number("LLM_TIMEOUT_S", 4.0),
    )


def _public(read: Reader) -> PublicSettings:
    url = read.url("PUBLIC_URL", "")
    if url and not url.startswith("https://"):
        raise wrong("PUBLIC_URL", "an address such as https://calls.example.org; Twilio speaks TLS alone")
    host, port = read.listen("PUBLIC_LISTEN", "127.0.0.1:8090")
    return PublicSettings(url=url, host=host, port=port)


def _sip(read: Reader) -> SipSettings | None:
    if read.text("SIP_LISTEN", "").lower() == "off":
        return None
    host, port = read.listen("SIP_LISTEN", "0.0.0.0:0")
    return SipSettings(
        host="" if EVERYWHERE.fullmatch(host) else host,
        port=port,
        rtp_ports=read.ports("SIP_RTP_PORTS", "20000-29999"),
        ca=read.file("SIP_CA"),
    )
