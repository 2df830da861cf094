"""Every answer carries the headers that keep a browser in bounds, whatever went wrong."""

import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from calls.views import browsing
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from tests.builders import a_key

pytestmark = pytest.mark.django_db
BOUNDS = {
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
}
ANSWERS = {
    "/login/": 200,
    "/calls/": 302,
    "/calls/ of staff": 200,
    "/calls/ of htmx": 204,
    "/contacts/new/ of staff": 403,
    "/nowhere": 404,
    "/account/password/ of staff": 405,
    "/login/ without a token": 403,
    "/v1/calls": 401,
    "/v1/calls with a key": 200,
    "/v1/nowhere": 404,
    "/v1/calls of another host": 400,
    "/login/ of another host": 400,
    "/v1/schema/": 200,
    "/v1/docs/": 200,
    "/admin/": 302,
    "/admin/login/": 200,
    "/admin/calls/call/ of staff": 200,
    "/carriers/gateway/events": 405,
    "/healthz": 200,
    "/readyz": 503,
    "/static/app.js": 200,
    "/static/nothing.js": 404,
    "/calls/ that breaks": 500,
    "/v1/calls that breaks": 500,
}


@pytest.fixture
def ask(monkeypatch):
    """The answer to one of ANSWERS."""

    def fails(*_args, **_kwargs):
        raise RuntimeError("broken")

    def ask(question):
        path, _, how = question.partition(" ")
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        headers = {"Authorization": f"Bearer {a_key()[1]}"} if how in {"with a key", "that breaks"} else {}
        headers |= {"HX-Request": "true"} if how == "of htmx" else {}
        headers |= {"Host": "evil.example.com"} if how == "of another host" else {}
        if how in {"of staff", "that breaks"}:
            client.force_login(User.objects.create(username="ada", role=Role.VIEWER, is_staff=True))
        if how == "that breaks":
            monkeypatch.setattr(browsing, "read_page", fails)
            monkeypatch.setattr("temphone.api.base.ApiView.query", property(fails))
        if how == "without a token":
            return client.post(path, {"username": "ada"})
        answer = client.get(path, headers=headers)
        answer.close()
        return answer

    return ask


@pytest.mark.parametrize(("question", "status"), ANSWERS.items())
def test_every_answer_keeps_the_browser_in_bounds(ask, question, status):
    answer = ask(question)
    assert answer.status_code == status
    policy = set(answer["Content-Security-Policy"].split("; "))
    assert policy >= BOUNDS
    unsafe = [directive for directive in policy if "unsafe" in directive or "*" in directive]
    assert unsafe == (["style-src 'self' 'unsafe-inline'"] if question == "/v1/docs/" else [])
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert not {"Server", "X-Powered-By"} & set(answer.headers)
    for cookie in answer.cookies.values():
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    if not question.startswith("/static/app"):
        assert "no-store" in answer["Cache-Control"]
        assert "public" not in answer["Cache-Control"]


BEHIND_TLS = """
import json
import django
django.setup()
from django.conf import settings
from django.test import Client
asked = dict(secure=True, headers={"Host": "localhost"})
login = Client().get("/login/", **asked)
plain = Client().get("/login/", headers={"Host": "localhost"})
print(json.dumps({
    "hsts": login["Strict-Transport-Security"],
    "cookies": {name: [cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]]
                for name, cookie in login.cookies.items()},
    "session": [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE],
    "plain": [plain.status_code, plain["Location"]],
    "inside": Client().get("/healthz", headers={"Host": "localhost"}).status_code,
}))
"""


def test_behind_tls_everything_stays_on_it(tmp_path):
    environment = {
        **os.environ,
        "HTTPS": "1",
        "TEMPHONE_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "temphone.settings",
        "DATABASE_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", BEHIND_TLS], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "hsts": "max-age=31536000; includeSubDomains; preload",
        "cookies": {"__Host-csrftoken": [True, True, "/", ""]},
        "session": ["__Host-sessionid", True],
        "plain": [301, "https://localhost/login/"],
        "inside": 200,
    }
