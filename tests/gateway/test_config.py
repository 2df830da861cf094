"""Settings: every default works, and what is wrong is said."""

from pathlib import Path

import pytest

from temphone.gateway.config import BadSetting, from_environment
from temphone.telephony.signing import secret_in
from tests.gateway.builders import SECRET


def settings(folder, **environment):
    return from_environment({"TEMPHONE_DATA_DIR": str(folder)} | environment)


def test_it_needs_no_setting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = from_environment({})
    assert (config.host, config.port, config.lines, config.speed) == ("127.0.0.1", 0, 1000, 1.0)
    assert config.callback_url == "http://127.0.0.1:8000"
    assert config.ledger == tmp_path / "var" / "gateway" / "ledger.sqlite3"
    assert config.phone_log == tmp_path / "var" / "gateway" / "phone.log"


def test_it_shares_the_secret_that_django_made(tmp_path):
    made = secret_in(tmp_path / "secrets" / "gateway")
    assert settings(tmp_path).secret == made


def test_a_secret_may_come_in_a_file(tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    assert settings(tmp_path, TEMPHONE_GATEWAY_SECRET_FILE=str(tmp_path / "secret")).secret == SECRET


def test_a_secret_may_come_as_it_is(tmp_path):
    assert settings(tmp_path, TEMPHONE_GATEWAY_SECRET=SECRET).secret == SECRET
    assert not (tmp_path / "secrets").exists()


def test_it_reads_what_is_set(tmp_path):
    config = settings(
        tmp_path,
        TEMPHONE_GATEWAY_LISTEN="[::1]:9000",
        TEMPHONE_GATEWAY_URL="https://gw.example/carrier/",
        TEMPHONE_CALLBACK_URL="https://temphone.example/",
        TEMPHONE_GATEWAY_LINES="5",
        TEMPHONE_SIMULATION_SPEED="2.5",
        TEMPHONE_GATEWAY_LEDGER="/srv/ledger",
        TEMPHONE_PHONE_LOG="/srv/phone",
        TEMPHONE_LOG_LEVEL="info",
    )
    assert (config.host, config.port) == ("::1", 9000)
    assert config.url == "https://gw.example/carrier"
    assert config.callback_url == "https://temphone.example"
    assert (config.lines, config.speed, config.log_level) == (5, 2.5, 20)
    assert (config.ledger, config.phone_log) == (Path("/srv/ledger"), Path("/srv/phone"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_LINES", "0"),
        ("GATEWAY_LINES", "-1"),
        ("GATEWAY_LINES", "1.5"),
        ("GATEWAY_LINES", "many"),
        ("SIMULATION_SPEED", "0"),
        ("SIMULATION_SPEED", "nan"),
        ("SIMULATION_SPEED", "inf"),
        ("SIMULATION_SPEED", "fast"),
        ("GATEWAY_LISTEN", "9000"),
        ("GATEWAY_LISTEN", "127.0.0.1"),
        ("GATEWAY_LISTEN", "127.0.0.1:99999"),
        ("GATEWAY_LISTEN", "127.0.0.1:http"),
        ("GATEWAY_LISTEN", "http://127.0.0.1:9000"),
        ("GATEWAY_LISTEN", "[::1:9000"),
        ("GATEWAY_LISTEN", "0.0.0.0:9000"),
        ("GATEWAY_LISTEN", "[::]:9000"),
        ("CALLBACK_URL", "127.0.0.1:8000"),
        ("CALLBACK_URL", "ftp://127.0.0.1"),
        ("CALLBACK_URL", "http://"),
        ("CALLBACK_URL", "http://host/?query"),
        ("CALLBACK_URL", "http://host:port"),
        ("CALLBACK_URL", "http://[::1"),
        ("GATEWAY_URL", "nonsense"),
        ("GATEWAY_SECRET", "whsec_"),
        ("GATEWAY_SECRET", "whsec_!"),
        ("GATEWAY_SECRET_FILE", "/nowhere/secret"),
        ("LOG_LEVEL", "LOUD"),
        ("PUBLIC_URL", "http://calls.example.org"),
        ("PUBLIC_URL", "calls.example.org"),
        ("PUBLIC_LISTEN", "8090"),
        ("SIP_LISTEN", "sip.example.org"),
        ("SIP_RTP_PORTS", "20000"),
        ("SIP_RTP_PORTS", "30000-20000"),
        ("SIP_RTP_PORTS", "80-90"),
        ("SIP_RTP_PORTS", "20000-70000"),
        ("SIP_CA", "/nowhere/ca.pem"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, name, value):
    with pytest.raises(BadSetting, match="TEMPHONE_") as error:
        settings(tmp_path, **{f"TEMPHONE_{name}": value})
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


def test_twilio_reaches_it_where_it_is_told_to_and_nowhere_by_default(tmp_path):
    assert settings(tmp_path).public.url == ""
    public = settings(
        tmp_path,
        TEMPHONE_PUBLIC_URL="https://calls.example.org/",
        TEMPHONE_PUBLIC_LISTEN="[::1]:9090",
    ).public
    assert (public.url, public.host, public.port) == ("https://calls.example.org", "::1", 9090)


def test_how_it_speaks_sip(tmp_path):
    (tmp_path / "ca.pem").touch()
    default = settings(tmp_path).sip
    assert (default.host, default.port, default.rtp_ports, default.ca) == ("", 0, (20_000, 29_999), None)
    told = settings(
        tmp_path,
        TEMPHONE_SIP_LISTEN="127.0.0.1:5070",
        TEMPHONE_SIP_RTP_PORTS="10000-10099",
        TEMPHONE_SIP_CA=str(tmp_path / "ca.pem"),
    ).sip
    assert (told.host, told.port) == ("127.0.0.1", 5070)
    assert (told.rtp_ports, told.ca) == ((10_000, 10_099), tmp_path / "ca.pem")
    assert settings(tmp_path, TEMPHONE_SIP_LISTEN="off").sip is None


def test_a_gateway_that_listens_everywhere_must_say_where_it_is_reached(tmp_path):
    config = settings(
        tmp_path, TEMPHONE_GATEWAY_LISTEN="0.0.0.0:9000", TEMPHONE_GATEWAY_URL="http://gateway:9000"
    )
    assert config.url == "http://gateway:9000"
