"""Logs, and what django-q2 keeps, hold no number, no name, no speech and no secret, whatever goes wrong."""

import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.cookiejar import CookieJar

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import IntegrityError, connection
from django.test import Client
from django_q.models import Failure, OrmQ, Success

from calls import tasks
from calls.models import Attempt, Call, TranscriptTurn
from temphone.accounts.actions import create_key, make_link
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import Mode, User
from temphone.doorbell.tasks import TaskFailed
from temphone.lib.clock import iso
from temphone.lib.clock import now as utc_now
from temphone.telephony.logs import PlainFormatter
from tests.api.client import a_body
from tests.builders import a_call, a_contact, a_key
from tests.proofs.stage.installation import Installation
from tests.webhooks.receiver import Reply, a_receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SAID = "DETAIL: Failing row contains (+14155550142, canary-name, canary-speech)."


def logged(record_of) -> str:
    """What our formatter makes of the records."""
    return "\n".join(map(PlainFormatter().format, record_of.records))


@pytest.fixture
def failing():
    def fail(*_args, **_kwargs):
        try:
            int("canary-cause")
        except ValueError as cause:
            raise IntegrityError(SAID) from cause

    return fail


def is_clean(text: str) -> bool:
    return not any(canary in text for canary in ("canary", "5550142", "DETAIL"))


@pytest.mark.django_db
def test_a_link_to_choose_a_password_stands_in_no_log(caplog):
    person = User.objects.create_user("ada")
    _, token = make_link(actor=SYSTEM, user_id=str(person.pk))
    path = f"/welcome/{person.pk}/{token}/"
    Client(enforce_csrf_checks=True).post(path, {})
    Client().put(path)
    assert token in caplog.text
    assert token not in logged(caplog)
    assert logged(caplog).count("/welcome/.../") == 2


@pytest.mark.django_db
def test_a_request_that_breaks_is_logged_by_its_place_alone(failing, monkeypatch, caplog):
    monkeypatch.setattr("calls.api.schedule_call", failing)
    monkeypatch.setattr("calls.views.browsing.read_page", failing)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create(username="ada"))
    body = a_body(a_contact().pk)
    for answer in (
        client.get("/calls/"),
        client.post(
            "/v1/calls/scheduled",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {a_key()[1]}"},
        ),
    ):
        assert answer.status_code == 500
    text = logged(caplog)
    assert text.count("django.db.utils.IntegrityError") == 2
    assert text.count("which led to:") == 2
    assert "in fail" in text
    assert is_clean(text)


def test_a_task_that_breaks_tells_django_q2_its_kind_alone(failing, monkeypatch, caplog, db):
    a_call()
    monkeypatch.setattr("calls.actions.dialing.claim_due", failing)
    with pytest.raises(TaskFailed) as raised:
        tasks.dial_due()
    assert (str(raised.value), raised.value.__cause__) == ("IntegrityError", None)
    assert raised.value.__suppress_context__
    assert "The task dial_due failed." in logged(caplog)
    assert is_clean(logged(caplog))


def test_an_error_that_another_handler_wrote_out_is_not_taken_over(caplog):
    try:
        int(SAID)
    except ValueError:
        logging.getLogger("somebody").exception("It broke.")
    (record,) = caplog.records
    logging.Formatter().format(record)
    assert SAID in record.exc_text
    assert PlainFormatter().format(record).endswith("builtins.ValueError")
    assert is_clean(PlainFormatter().format(record))


@pytest.mark.django_db
def test_failed_tasks_are_kept_for_a_week():
    for name, age in (("new", 6), ("old", 8)):
        at = utc_now() - timedelta(days=age)
        Failure.objects.create(id=name, name=name, func="f", started=at, stopped=at, success=False)
    tasks.prune()
    assert [row.name for row in Failure.objects.all()] == ["new"]


class Canaries:
    """Values that appear nowhere else, in everything that a log must not hold."""

    phone = "+14155550142"
    first_name = "Canarina"
    last_name = "Canarowitz"
    company = "Canary Wharf Wireless"
    email = "canary.mail@example.com"
    message = "canary-message about the canary-invoice"
    metadata = "canary-metadata"
    answer = "canary-answer of the receiver"
    password = "canary-password"  # of a test
    typed = "canary-typed"

    @classmethod
    def all(cls) -> list[str]:
        return [value for name, value in vars(cls).items() if isinstance(value, str) and name[0] != "_"]


@contextmanager
def refusing(*tables):
    """The database refuses whatever is written there; PostgreSQL quotes it in full."""
    if connection.vendor == "postgresql":
        there = "ALTER TABLE {0} ADD CONSTRAINT {0}_refuses CHECK (false) NOT VALID"
        back = "ALTER TABLE {0} DROP CONSTRAINT {0}_refuses"
    else:
        abort = "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        there = f"CREATE TRIGGER {{0}}_refuses BEFORE INSERT ON {{0}} {abort}"
        back = "DROP TRIGGER {0}_refuses"
    _execute(there, tables)
    try:
        yield
    finally:
        _execute(back, tables)


def _execute(statement, tables):
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(statement.format(table))


def log_in_and_look(installation, username, password):
    """A browser that fails to log in, then does, and looks for people."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    for tried in (Canaries.typed, password):
        page = opener.open(f"{installation.url}/login/").read().decode()
        token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
        sent = {"username": username, "password": tried, "csrfmiddlewaretoken": token}
        opener.open(f"{installation.url}/login/", urllib.parse.urlencode(sent).encode())
    for path in ("/contacts/", "/calls/", "/contacts/nowhere/"):
        query = urllib.parse.urlencode({"q": Canaries.phone})
        with suppress(urllib.error.HTTPError):  # there is nowhere
            assert "/login/" not in opener.open(f"{installation.url}{path}?{query}").url


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_whole_flows_leave_no_canary_in_any_log_or_row_of_the_queue(tmp_path):
    key, whole = create_key(
        actor=SYSTEM, name="test", mode=Mode.TEST, requests_per_minute=10_000, now=utc_now()
    )
    # As the programs hash it, which the tests' own quick way is not.
    hashed = PBKDF2PasswordHasher().encode(Canaries.password, "salt")
    User.objects.create(username="ada", password=hashed, role=Role.ADMIN)
    with a_receiver() as receiver:
        installation = Installation(
            tmp_path,
            speed=20,
            LOG_LEVEL="DEBUG",
            TEMPHONE_LOG_LEVEL="DEBUG",
            TEMPHONE_WEBHOOK_ALLOW=receiver.host,
            TEMPHONE_WEBHOOK_SECRET=SECRET,
            PYTHONASYNCIODEBUG="1",
        )
        receiver.replies.extend([Reply(500, body=Canaries.answer.encode())] * 3)
        installation.start()
        try:
            installation.wait_until_ready()
            go_wrong(installation, receiver, whole)
            log_in_and_look(installation, "ada", Canaries.password)
        finally:
            installation.stop()
    logs = "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.log"))
    kept = [str(list(model.objects.values())) for model in (OrmQ, Success, Failure)]
    said = set(TranscriptTurn.objects.filter(speaker="callee").values_list("text", flat=True))
    assert said
    for canary in (*Canaries.all(), *said, whole, whole.rsplit("_", 1)[1], SECRET, SECRET[6:], key.hash):
        assert canary not in logs
        assert canary not in "".join(kept)
    assert "django.db.utils." in logs
    assert "dial_due failed" in logs
    assert Failure.objects.exists()


def go_wrong(installation, receiver, key):
    """A call that goes well but for its webhook, one that the database refuses, one without a gateway."""
    person = {
        name: getattr(Canaries, name) for name in ("phone", "first_name", "last_name", "company", "email")
    }
    status, made = installation.api("POST", "/contacts", key, {**person, "timezone": "Etc/UTC"})
    assert status == 201, made

    def schedule(seconds, **fields):
        body = {
            "contact_id": made["data"]["contact_id"],
            "scheduled_at": iso(utc_now() + timedelta(seconds=seconds)),
            "initial_message": f"Hi {{{{first_name}}}}, {Canaries.message}.",
            "metadata": {"order": Canaries.metadata},
            "webhook_url": receiver.url(f"/{Canaries.metadata}"),
            **fields,
        }
        return installation.api("POST", "/calls/scheduled", key, body)

    def schedule_soon(seconds):
        status, answer = schedule(600)
        assert status == 201, answer
        # However long the answer took, it is due then.
        due = utc_now() + timedelta(seconds=seconds)
        Call.objects.filter(pk=answer["data"]["call_id"]).update(due_at=due)

    schedule_soon(0)
    installation.wait_until(lambda: Call.objects.filter(status="completed").exists(), 60)
    assert Canaries.message in json.dumps(list(Call.objects.get().attempts.values("turns__text")))
    installation.wait_until(lambda: len(receiver.received) >= 1, 30)
    for wrong in ({"initial_message": f"{{{{ {Canaries.message} }}}}"}, {"caller_id": Canaries.message}):
        status, answer = schedule(60, **wrong)
        assert status == 400, answer
    schedule_soon(3)
    with refusing("calls_attempt", "calls_call"):
        assert schedule(60)[0] == 500
        installation.wait_until(Failure.objects.exists, 60)
    installation.kill("gateway")
    schedule_soon(0)
    installation.wait_until(Attempt.objects.filter(hangup_cause__contains="gateway").exists, 60)
