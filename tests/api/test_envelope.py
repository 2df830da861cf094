import json
import logging

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from calls.models import Call, CallEvent
from temphone.accounts.models import ApiKey, KeyMinute
from temphone.lib.clock import now
from tests.api.client import Program, a_body, code, data, message
from tests.builders import a_call, a_contact, a_key

pytestmark = pytest.mark.django_db
SCHEDULED = "/calls/scheduled"
RETRY = "Unable to schedule call at this time. Please retry."


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nowhere",
        "/calls/call_1/nothing",
        "/calls//",
        "/calls" + "/" * 3_000,
        "/calls/call%00",
        "/calls/" + "x" * 65,
        "/suppressions/x",
        "/suppressions/" + "9" * 40,
        "/calls/%ff",
        "/schema/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PROPFIND"])
def test_an_unknown_path_is_404_whatever_the_method_and_without_a_key(path, method):
    answer = Program("").send(method, path)
    assert (answer.status_code, code(answer)) == (404, "not_found")


def test_another_method_is_405_before_the_key_is_asked_for():
    for method in ("GET", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"):
        answer = Program("").send(method, SCHEDULED)
        assert (answer.status_code, code(answer)) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST, OPTIONS"


def test_options_tells_the_methods(program):
    answer = program.send("OPTIONS", "/calls/call_1")
    assert (answer.status_code, data(answer)["methods"]) == (200, ["GET", "PATCH", "HEAD", "OPTIONS"])


def test_head_is_get_without_the_body(program):
    answer = program.client.head("/v1/calls", headers={"Authorization": f"Bearer {program.key}"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1", "nonsense", "*/*", ""])
def test_it_is_json_whatever_is_accepted(program, accept):
    assert program.get("/calls", Accept=accept).status_code == 200
    assert program.get("/calls?format=api", Accept=accept).status_code == 200
    assert Program("").get("/calls", Accept=accept).status_code == 401


def test_a_slash_at_the_end_is_tolerated_and_the_body_kept(program):
    assert program.post(f"{SCHEDULED}/", a_body(a_contact().pk)).status_code == 201
    assert program.get("/calls/").status_code == 200
    assert Program("").get("/calls/").status_code == 401


def test_a_request_for_another_host_is_refused_in_the_envelope(program):
    answer = program.get("/calls", Host="evil.example.com")
    assert (answer.status_code, message(answer)) == (400, "Bad request.")


def test_too_many_parameters_are_refused(program):
    answer = program.get(
        "/calls?" + "&".join("a=1" for _ in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    )
    assert (answer.status_code, message(answer)) == (400, "Bad request.")


def test_elsewhere_an_unknown_path_is_a_page():
    answer = Client().get("/nowhere/at/all")
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


class Away:
    """A connection that is gone."""

    def __init__(self, error: type[Exception], after: int = 0):
        self.error, self.after = error, after

    def __call__(self, execute, sql, params, many, context):
        if self.after == 0:
            raise self.error("server closed the connection unexpectedly")
        self.after -= 1
        return execute(sql, params, many, context)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_with_the_database_away_it_says_so_in_the_specifications_words(program, error, caplog):
    body = a_body(a_contact().pk)
    with connection.execute_wrapper(Away(error)):
        answer = program.post(SCHEDULED, body)
        general = program.get("/calls")
    assert (answer.status_code, message(answer)) == (500, RETRY)
    assert list(json.loads(answer.content).items())[:3] == [
        ("status", "error"),
        ("message", RETRY),
        ("data", None),
    ]
    assert (general.status_code, message(general)) == (500, "Something went wrong on our side. Please retry.")
    lines = [(record.message, record.exc_info) for record in caplog.records if "api" in record.name]
    assert lines == [(f"The database does not answer: {error.__name__}", None)] * 2


@pytest.mark.django_db(transaction=True)
def test_wherever_the_database_goes_away_nothing_is_half_created():
    key, whole = a_key()
    now_used = {"last_used_at": now()}
    ApiKey.objects.update(**now_used)
    program, body = Program(whole), a_body(a_contact().pk, webhook_url="https://hooks.example.com/")
    for after in range(100):
        with connection.execute_wrapper(Away(OperationalError, after)):
            answer = program.post(SCHEDULED, body, **{"Idempotency-Key": "one"})
        if answer.status_code == 201:
            break
        assert (answer.status_code, message(answer)) == (500, RETRY)
        assert not Call.objects.exists()
        assert not CallEvent.objects.exists()
    assert after > 3
    assert (Call.objects.count(), CallEvent.objects.count()) == (1, 1)
    assert "Idempotent-Replayed" not in answer.headers
    assert KeyMinute.objects.filter(key=key).exists()


def test_it_passes_nothing_that_is_for_pages_and_is_neither_rendered_nor_framed(program, monkeypatch):
    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", _fail)
    for path in ("/calls", "/nowhere", "/calls/"):
        headers = program.get(path).headers
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(
            headers["Content-Security-Policy"].split("; ")
        )
        assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
        assert "Vary" not in headers
    with pytest.raises(RuntimeError):
        program.client.get("/v1/docs/")


def test_what_fails_before_the_view_is_in_the_envelope_too(program, monkeypatch):
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", _fail)
    program.client.raise_request_exception = False
    answer = program.post(SCHEDULED, a_body("ctc_12kd88"))
    assert (answer.status_code, message(answer)) == (500, RETRY)


def test_a_mistake_of_ours_is_500_in_the_envelope_and_logged(program, monkeypatch, caplog):
    monkeypatch.setattr("calls.api.page", _fail)
    with caplog.at_level(logging.ERROR):
        answer = program.get("/calls")
    assert (answer.status_code, code(answer)) == (500, "server_error")
    assert "RuntimeError: a mistake" in caplog.text
    assert "a mistake" not in answer.content.decode()


def _fail(*_args: object, **_kwargs: object) -> None:
    raise RuntimeError("a mistake")


def test_a_refusal_that_a_rule_makes_names_its_code(program):
    call = a_call()
    assert program.post(f"/calls/{call.pk}/cancel").status_code == 200
    answer = program.post(f"/calls/{call.pk}/cancel")
    assert (answer.status_code, code(answer)) == (409, "call_canceled")
