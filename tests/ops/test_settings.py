"""Settings of recordings, as the environment gives them."""

import pytest

from temphone.lib import environment as env


def test_options_are_a_json_object_or_the_default(monkeypatch):
    default = {"location": "/var/lib/temphone"}
    assert env.options("OPTIONS", default) == default
    monkeypatch.setenv("OPTIONS", ' {"bucket_name": "recordings", "secure": true}')
    assert env.options("OPTIONS", default) == {"bucket_name": "recordings", "secure": True}


@pytest.mark.parametrize("value", ["hunter2", "[]", '"hunter2"', "{", "null", '{"secret_key": "hunter2"'])
def test_what_is_no_object_stops_the_start_and_is_not_shown(monkeypatch, value):
    monkeypatch.setenv("OPTIONS", value)
    with pytest.raises(env.BadSetting) as raised:
        env.options("OPTIONS", {})
    assert str(raised.value) == 'OPTIONS must be a JSON object such as {"bucket_name": "recordings"}.'
