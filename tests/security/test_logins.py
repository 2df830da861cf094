"""Guessing passwords: who fails too often from one address waits, whatever else they change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.backends import ModelBackend
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone

from calls.tasks import prune
from temphone.accounts.logins import address_of
from temphone.accounts.models import AuditEntry, LoginSession, User
from temphone.lib import clock

PASSWORD = "correct-horse-9"  # of a test
ALLOWED = 10
BROWSER = Client()  # one, since each would read the middleware anew


@pytest.fixture
def checked(monkeypatch):
    """The passwords that were compared with a user's, or would have been."""
    tried: list[str] = []
    ask = ModelBackend.authenticate

    def authenticate(self, request, username=None, password=None, **kwargs):
        tried.append(password)
        return ask(self, request, username=username, password=password, **kwargs)

    monkeypatch.setattr(ModelBackend, "authenticate", authenticate)
    return tried


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def try_once(number=0, *, door="/login/", user="ada", password=None, address="9.9.9.9", **headers):
    sent = {"username": user, "password": password or f"guess-{number}"}
    BROWSER.cookies.clear()
    return BROWSER.post(door, sent, REMOTE_ADDR=address, headers=headers)


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_ten_guesses_are_compared_and_then_even_the_right_password_is_not(ada, checked, door):
    answers = [try_once(number, door=door).status_code for number in range(30)]
    right = try_once(door=door, password=PASSWORD)
    assert answers == [200] * (ALLOWED - 1) + [429] * 21
    assert (right.status_code, right["Retry-After"]) == (429, "900")
    assert "Wait 15 minutes" in right.content.decode()
    assert len(checked) == ALLOWED


def test_no_other_name_browser_or_door_gives_more_guesses(ada, checked):
    for number in range(60):
        try_once(
            number,
            user=f"user-{number}",
            door=("/login/", "/admin/login/")[number % 2],
            **{
                "User-Agent": f"browser {number}",
                "X-Forwarded-For": f"8.8.8.{number}",
                "Accept": str(number),
            },
        )
    assert len(checked) == ALLOWED


def test_a_login_of_ones_own_gives_no_more_guesses(ada, checked):
    User.objects.create_user("eve", password=PASSWORD)
    for number in range(40):
        if number % 5 == 4:
            try_once(user="eve", password=PASSWORD)
        else:
            try_once(number)
    assert len([tried for tried in checked if tried != PASSWORD]) == ALLOWED


def test_no_quarter_of_an_hour_has_more_than_ten(ada, checked, monkeypatch):
    begun = timezone.now()
    compared = []
    for minute in range(50):
        at = begun + timedelta(minutes=minute)
        for name in ("axes.handlers.proxy.now", "django.utils.timezone.now"):
            monkeypatch.setattr(name, lambda at=at: at)
        for number in range(3):
            before = len(checked)
            try_once(number, **{"User-Agent": f"browser {minute}"})
            compared += [minute] * (len(checked) - before)
    assert max(sum(start <= at < start + 15 for at in compared) for start in range(50)) == ALLOWED


def test_others_are_not_kept_out(ada):
    for number in range(20):
        try_once(number)
    assert try_once(address="9.9.9.8", password=PASSWORD).status_code == 302


def test_after_a_quarter_of_an_hour_one_may_try_again(ada):
    for number in range(20):
        try_once(number)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert try_once(password=PASSWORD).status_code == 302


def test_whether_the_user_exists_is_not_told(ada):
    User.objects.create_user("left", password=PASSWORD, is_active=False)
    for door in ("/login/", "/admin/login/"):
        for number in range(ALLOWED + 2):
            pages = [
                try_once(number, door=door, user=user, address=address, password=password)
                for user, address, password in (
                    ("ada", "9.9.9.1", "no"),
                    ("xyz", "9.9.9.2", "no"),
                    ("left", "9.9.9.3", PASSWORD),
                )
            ]
            said = {
                page.content.decode().replace(f'value="{user}"', "").split("csrfmiddlewaretoken")[-1][80:]
                for page, user in zip(pages, ("ada", "xyz", "left"), strict=True)
            }
            assert len({page.status_code for page in pages}) == len(said) == 1
        AccessAttempt.objects.all().delete()


def test_all_of_one_ipv6_network_is_one_address(ada, checked):
    network = ip_network("2001:4860:4860:7::/64")
    for number in range(30):
        try_once(number, address=str(network[number * 1_000_003]))
    assert len(checked) == ALLOWED
    assert try_once(address="2001:4860:4860:8::1", password=PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("remote", "forwarded", "taken"),
    [
        ("9.9.9.9", None, "9.9.9.9"),
        ("9.9.9.9", "1.2.3.4", "9.9.9.9"),  # nobody of ours: whoever it is writes what they like
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the browser wrote the first
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
        ("127.0.0.1", "1.2.3.4, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.7", "10.0.0.7"),
        ("::1", "2001:4860::5", "2001:4860::"),
        ("::ffff:127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("", "1.2.3.4", None),
    ],
)
def test_the_address_is_that_which_our_own_proxies_wrote(settings, remote, forwarded, taken):
    settings.TRUSTED_PROXIES = [ip_network(text) for text in ("127.0.0.1", "::1", "10.0.0.0/8")]
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert address_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)) == taken


def test_what_was_typed_is_not_kept(ada):
    try_once(user="hunter2-typed-in-the-wrong-field", password="hunter3")
    assert "hunter" not in str(AccessAttempt.objects.values().get())


def test_what_counts_no_more_and_sessions_that_are_over_are_forgotten(ada):
    try_once()
    try_once(password=PASSWORD)
    prune()
    assert (AccessAttempt.objects.count(), LoginSession.objects.count()) == (1, 1)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    LoginSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    prune()
    assert (AccessAttempt.objects.count(), LoginSession.objects.count()) == (0, 0)


def test_who_is_made_inactive_is_out_at_once(ada):
    client = Client()
    client.force_login(ada)
    assert client.get("/calls/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/calls/").status_code == 302


def test_a_login_has_a_session_of_its_own_that_ends_within_a_working_day(ada):
    client = Client()
    client.get("/login/")
    client.session["planted"] = 1
    before = client.session.session_key
    answer = client.post("/login/", {"username": "ada", "password": PASSWORD})
    assert client.session.session_key != before
    assert 12 * 60 * 60 - 60 < answer.cookies["sessionid"]["max-age"] <= 12 * 60 * 60


@pytest.mark.django_db(transaction=True)
def test_guesses_at_one_instant_give_no_more_than_threads_of_ours_more(ada, checked):
    def guess(number):
        try:
            return try_once(number).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(guess, range(60)))
    assert len(checked) <= ALLOWED + 3


def entries(**wanted) -> list[tuple[str, str, str]]:
    """What the audit log has, the oldest first: who, what, on whom."""
    found = AuditEntry.objects.filter(**wanted).order_by("id")
    return [(entry.actor_label, entry.action, entry.target) for entry in found]


def test_logging_in_and_out_is_in_the_audit_log_with_where_from(ada):
    try_once(password=PASSWORD)
    BROWSER.post("/logout/", REMOTE_ADDR="9.9.9.9")

    me = f"user:{ada.pk}"
    assert entries() == [("ada", "account.login", me), ("ada", "account.logout", me)]
    login = AuditEntry.objects.earliest("id")
    assert login.details == {"address": "9.9.9.9", "two_steps": False}
    BROWSER.post("/logout/")  # of nobody
    assert len(entries()) == 2


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_a_failure_is_told_of_whom_it_is_known_and_never_what_was_typed(ada, door):
    try_once(door=door, password="guess-of-secret")
    try_once(door=door, user="typed-in-the-wrong-field", password="guess-of-secret")

    assert entries() == [
        ("TemPhone", "user.password_wrong", f"user:{ada.pk}"),
        ("TemPhone", "user.unknown", ""),
    ]
    kept = repr(list(AuditEntry.objects.values()))
    assert "guess-of-secret" not in kept
    assert "typed-in" not in kept
    assert kept.count("9.9.9.9") == 2


def test_a_wrong_password_of_who_is_logged_in_is_theirs(ada):
    try_once(password=PASSWORD)
    sent = {"old_password": "no", "new_password1": "another-1-one", "new_password2": "another-1-one"}
    BROWSER.post("/account/password/", sent, REMOTE_ADDR="9.9.9.9")

    assert entries(action="user.password_wrong") == [("ada", "user.password_wrong", f"user:{ada.pk}")]


def test_an_address_that_waits_fills_no_log(ada):
    for number in range(ALLOWED + 20):
        try_once(number)

    told = [action for _who, action, _target in entries()]
    assert told == ["user.password_wrong"] * ALLOWED + ["user.failures_untold", "login.locked"]


@pytest.mark.parametrize("user", ["ada", "nobody-{}"])
def test_many_addresses_fill_no_log_either_until_a_while_later(ada, user, monkeypatch):
    for number in range(4 * ALLOWED):
        try_once(number, user=user.format(number), address=f"9.9.9.{number}")
    assert len(entries()) == ALLOWED + 1
    assert entries()[-1][1] == "user.failures_untold"

    later = clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    AuditEntry.objects.update(at=later - timedelta(minutes=16))
    try_once(user=user.format(0), address="9.9.8.1")
    assert len(entries()) == ALLOWED + 2


def test_locks_of_many_addresses_fill_no_log(ada, settings):
    settings.AXES_FAILURE_LIMIT = 1
    for number in range(3 * ALLOWED):
        try_once(number, address=f"9.9.9.{number}")

    assert len(entries(action="login.locked")) == ALLOWED
