from django.test import Client

from temphone.accounts.models import AuditEntry, User
from tests.pages.conftest import text_of

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
    assert AuditEntry.objects.get().action == "account.change"


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
    assert elsewhere.get("/calls/").status_code == 302
    assert logs_in(Client(), new)
    assert AuditEntry.objects.get().action == "account.password"


def test_a_weak_password_is_refused(db):
    a_user()
    client = Client()
    logs_in(client)

    page = client.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"}
    ).content.decode()

    assert "This password is too short." in page
    assert logs_in(Client())
