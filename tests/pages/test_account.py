import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from temphone.accounts.actions import switch_person
from temphone.accounts.actors import SYSTEM
from temphone.accounts.devices import in_words
from temphone.accounts.models import AuditEntry, LoginSession, User
from tests.pages.conftest import EARLIER, text_of

PASSWORD = "correct-horse-9"  # of a test


def logs_in(client: Client, password: str = PASSWORD) -> bool:
    """Whether the password opens the door."""
    sent = {"username": "ada", "password": password}
    return client.post("/login/", sent).status_code == 302


def a_user() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def test_login_leads_to_the_page_that_was_asked_for(db):
    a_user()
    client = Client()

    response = client.post(
        "/login/?next=/contacts/", {"username": "ada", "password": PASSWORD, "next": "/contacts/"}
    )

    assert response.url == "/contacts/"


def test_login_leads_nowhere_else(db):
    a_user()
    sent = {"username": "ada", "password": PASSWORD, "next": "https://elsewhere.example/"}

    assert Client().post("/login/", sent).url == "/overview/"


def test_a_wrong_password_is_said_kindly(db):
    response = Client().post("/login/", {"username": "ada", "password": "no"})

    assert "Please enter a correct username and password." in response.content.decode()


def test_logout_ends_the_session(browse):
    client = browse()

    assert client.post("/logout/").url == "/login/"
    assert client.get("/calls/").status_code == 302


def test_the_zone_of_the_account_is_that_of_all_times(browse):
    client = browse()

    client.post("/account/", {"first_name": "Ada", "last_name": "", "timezone": "Asia/Tokyo"})

    user = User.objects.get()
    assert (user.first_name, user.timezone) == ("Ada", "Asia/Tokyo")
    assert "Tokyo" in text_of(client, "/calls/")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.details) == ("account.change", {"fields": ["first_name", "timezone"]})
    assert entry.actor_label == user.username  # as they were called until then

    client.post("/account/", {"first_name": "Ada", "last_name": "", "timezone": "Asia/Tokyo"})
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("kept", ["Cuba", "Singapore", "UTC", "Etc/GMT-5"])
def test_a_zone_that_names_no_place_is_kept_when_something_else_is_saved(browse, kept):
    client = browse(timezone=kept)
    shown = re.search(r'<option value="([^"]+)" selected>', text_of(client, "/account/"))[1]

    page = client.post("/account/", {"first_name": "Ada", "timezone": shown}, follow=True).content.decode()

    assert "Your account is saved." in page
    assert User.objects.values_list("first_name", "timezone").get() == ("Ada", kept)


def test_a_zone_that_is_none_is_refused(browse):
    response = browse().post("/account/", {"timezone": "Mars/Olympus"})

    assert "Select a valid choice." in response.content.decode()


def test_a_new_password_keeps_this_session_and_ends_the_others(db):
    a_user()
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        assert logs_in(client)
    new = "battery-staple-7"

    page = here.post(
        "/account/password/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
        follow=True,
    ).content.decode()

    assert "Your password is changed." in page
    assert sessions_in(page) == []
    assert LoginSession.objects.get().session_key == here.session.session_key
    assert elsewhere.get("/calls/").status_code == 302
    assert logs_in(Client(), new)
    assert AuditEntry.objects.filter(action="account.password").count() == 1


def test_a_weak_password_is_refused(db):
    a_user()
    client = Client()
    logs_in(client)

    page = client.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"}
    ).content.decode()

    assert "This password is too short." in page
    assert logs_in(Client())


@pytest.mark.parametrize("right", [True, False])
def test_the_old_password_is_guessed_no_more_often_than_at_the_login(db, right):
    a_user()
    client = Client()
    logs_in(client)
    new = {"new_password1": "battery-staple-7", "new_password2": "battery-staple-7"}
    answers = [
        client.post("/account/password/", {"old_password": f"guess-{number}", **new}).status_code
        for number in range(12)
    ]
    assert answers == [200] * 9 + [429] * 3
    old = PASSWORD if right else "no"
    assert client.post("/account/password/", {"old_password": old, **new}).status_code == 429
    kept = str(AccessAttempt.objects.values().get())
    assert not [word for word in ("guess", "battery", PASSWORD) if word in kept]
    assert User.objects.get().check_password(PASSWORD)


def test_a_login_ends_after_twelve_hours_whatever_was_changed_in_it(db, monkeypatch):
    a_user()
    client = Client()
    logs_in(client)
    ends = LoginSession.objects.get().expire_date
    begun = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: begun + timedelta(hours=11))
    new = "battery-staple-7"
    client.post("/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    session = client.session
    session["changed"] = 1
    session.save()

    assert client.get("/calls/").status_code == 200
    assert LoginSession.objects.get().expire_date == ends
    monkeypatch.setattr("django.utils.timezone.now", lambda: begun + timedelta(hours=12))
    assert client.get("/calls/").status_code == 302


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Mobile/15E148 Safari/604.1"
)


def logged_in(agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    assert logs_in(client)
    return client


def sessions_in(page: str) -> list[str]:
    """Each session that can be ended, by its mark."""
    return re.findall(r"/account/sessions/(\w{24})/end/", page)


def test_the_theme_and_the_keys_are_kept_in_the_account(browse):
    client = browse()
    assert 'data-theme="auto" data-keys="on"' in text_of(client, "/calls/")

    client.post("/account/look/", {"theme": "dark", "keys": ["off"]})

    assert 'data-theme="dark" data-keys="off"' in text_of(client, "/calls/")
    assert 'value="dark" data-theme-choice checked' in text_of(client, "/account/")

    client.post("/account/look/", {"theme": "pink", "keys": ["off", "on"]})
    assert 'data-theme="dark" data-keys="on"' in text_of(client, "/calls/")


def test_the_look_is_changed_from_any_page_and_leads_back_to_it_and_nowhere_else(browse):
    client = browse()
    assert client.post("/account/look/", {"theme": "dark", "next": "/contacts/?q=a"}).url == "/contacts/?q=a"
    assert client.post("/account/look/", {"theme": "dark", "next": "https://e.example/"}).url == "/account/"
    answer = client.post("/account/look/", {"theme": "light"}, headers={"HX-Request": "true"})
    assert (answer.status_code, User.objects.get().theme) == (204, "light")


def test_sessions_are_listed_by_device_this_one_marked(db):
    a_user()
    here = logged_in()
    logged_in(IPHONE)

    page = text_of(here, "/account/")

    assert page.index("Firefox on Windows") < page.index("This one") < page.index("Safari on iPhone")
    assert len(sessions_in(page)) == 1
    assert not any(session.session_key in page for session in LoginSession.objects.all())


def test_the_browsers_zone_is_offered_until_one_is_chosen(browse):
    client = browse(timezone="UTC")
    page = text_of(client, "/overview/")
    assert '<form hidden class="notice zone-offer"' in page  # shown by the script alone
    assert 'data-offer-zone="UTC"' in page

    answer = client.post("/account/zone/", {"timezone": "Asia/Tokyo", "next": "/calls/"}, follow=True)

    assert answer.redirect_chain == [("/calls/", 302)]
    assert "Times are shown in Asia/Tokyo." in answer.content.decode()
    assert "zone-offer" not in answer.content.decode()
    assert User.objects.get().timezone == "Asia/Tokyo"
    assert AuditEntry.objects.get().details == {"fields": ["timezone"]}


def test_whoever_keeps_their_zone_or_saves_the_account_is_not_asked_again(browse):
    for path, sent in (("/account/zone/", {}), ("/account/", {"first_name": "", "language": ""})):
        client = browse(timezone="UTC")
        client.post(path, {**sent, "timezone": "UTC"})
        assert "zone-offer" not in text_of(client, "/overview/")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd"])
def test_a_zone_that_nobody_knows_changes_nothing(browse, zone):
    client = browse(timezone="UTC")
    answer = client.post("/account/zone/", {"timezone": zone, "next": "https://elsewhere.example"})

    assert answer.url == "/account/"
    assert "does not know this time zone" in text_of(client, "/account/")
    assert User.objects.get().timezone == "UTC"
    assert "zone-offer" in text_of(client, "/overview/")


def test_one_session_is_ended(db):
    a_user()
    here, there, elsewhere = logged_in(), logged_in(IPHONE), logged_in(IPHONE)
    before = sessions_in(text_of(here, "/account/"))

    here.post(f"/account/sessions/{before[0]}/end/")

    assert sessions_in(text_of(here, "/account/")) == before[1:]
    assert sorted([there.get("/calls/").status_code, elsewhere.get("/calls/").status_code]) == [200, 302]
    assert AuditEntry.objects.filter(action="account.end_session").count() == 1


def test_all_other_sessions_are_ended(db):
    a_user()
    here, there, elsewhere = logged_in(), logged_in(IPHONE), logged_in()

    page = here.post("/account/sessions/end/", follow=True).content.decode()

    assert "2 other sessions are ended." in page
    assert {client.get("/calls/").status_code for client in (there, elsewhere)} == {302}


def test_nobody_ends_the_session_of_somebody_else(browse):
    User.objects.create_user("ada", password=PASSWORD)
    hers = logged_in()
    theirs = LoginSession.objects.get()

    assert browse().post(f"/account/sessions/{theirs.fingerprint}/end/").status_code == 404
    assert hers.get("/calls/").status_code == 200


def test_a_session_that_is_used_does_not_last_longer_and_says_when(browse, at):
    client = browse()
    session = LoginSession.objects.get()
    at(EARLIER + timedelta(minutes=6))
    client.get("/calls/")

    after = LoginSession.objects.get()
    assert (session.seen_at, after.seen_at) == (EARLIER, EARLIER + timedelta(minutes=6))
    assert after.expire_date == session.expire_date


def test_whoever_is_reactivated_must_log_in_again(db):
    ada, client = a_user(), logged_in()
    for on in (False, True):
        switch_person(actor=SYSTEM, user_id=str(ada.pk), on=on)

    assert client.get("/calls/").status_code == 302


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36", "Chrome on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Mac",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_device_is_named_in_plain_words(agent, words):
    assert in_words(agent) == words
