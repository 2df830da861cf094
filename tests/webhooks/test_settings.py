import pytest

from temphone.lib import environment as env

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


def test_hosts_with_ports_are_read_in_lower_case(monkeypatch):
    monkeypatch.setenv("ALLOW", " Hooks.Internal:8443, 127.0.0.1:9000,[FD00::5]:80,")
    assert env.hosts_with_ports("ALLOW") == ["hooks.internal:8443", "127.0.0.1:9000", "[fd00::5]:80"]


@pytest.mark.parametrize("value", ["hooks.internal", "fd00::5:80", "http://hooks:80", "a b:80", "hooks:port"])
def test_a_host_without_its_port_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("ALLOW", value)
    with pytest.raises(env.BadSetting, match="ALLOW must be hosts with ports"):
        env.hosts_with_ports("ALLOW")


def test_a_secret_is_taken_from_the_environment_or_the_default(monkeypatch):
    assert env.signing_secret("WEBHOOK", SECRET) == SECRET
    assert env.signing_secret("WEBHOOK", "") == ""
    monkeypatch.setenv("WEBHOOK", SECRET)
    assert env.signing_secret("WEBHOOK", "") == SECRET


@pytest.mark.parametrize("value", ["hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", SECRET[6:]])
def test_a_secret_that_is_none_stops_the_start_and_is_not_shown(monkeypatch, value):
    monkeypatch.setenv("WEBHOOK", value)
    with pytest.raises(env.BadSetting) as raised:
        env.signing_secret("WEBHOOK", "")
    assert str(raised.value) == "WEBHOOK must be whsec_ and the base64 of at least 24 random bytes."
