"""The pages of the team: added by a link, given a role, deactivated; an admin is always left."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from temphone.accounts.actions import change_person, make_link, switch_person
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.forms.team import values_of
from temphone.accounts.models import AuditEntry, LoginSession, User, UserQuerySet
from temphone.lib.errors import Conflict, Forbidden
from tests.pages.conftest import htmx, text_of

TEAM, NEW = "/setup/team/", "/setup/team/new/"
PASSWORD = "correct-horse-9"  # of a test
ADA = {"username": "ada", "first_name": "Ada", "last_name": "King", "role": "operator"}
CHOSEN = {"new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


def somebody(username: str = "bob", **columns: object) -> User:
    return User.objects.create_user(username, password=PASSWORD, **columns)


def link_in(page: str) -> str:
    return re.search(r'<code id="link"[^>]*>http://testserver(/welcome/[^<]+)</code>', page)[1]


def form_of(person: User, **changes: object) -> dict[str, object]:
    """The form on the person's page as it is now, and what is changed there."""
    person.refresh_from_db()
    shown = {**values_of(person), **changes}
    return {name: value for name, value in shown.items() if value is not False}  # no tick is not sent


def changes_of(person: User, **changes: object) -> dict[str, object]:
    """What a change of the person says, all but what is named as it is."""
    person.refresh_from_db()
    names = ("username", "first_name", "last_name", "role", "is_staff")
    return {"user_id": str(person.pk), **{name: getattr(person, name) for name in names}, **changes}


def logs_in(username: str, password: str = PASSWORD) -> bool:
    sent = {"username": username, "password": password}
    return Client().post("/login/", sent).status_code == 302


def test_somebody_new_chooses_a_password_by_the_link_and_logs_in(admin):
    link = link_in(admin.post(NEW, ADA).content.decode())
    ada = User.objects.get(username="ada")
    assert (ada.role, ada.state, ada.timezone) == (Role.OPERATOR, "invited", "Europe/Madrid")
    assert "Invited" in text_of(admin, TEAM)

    guest = Client()
    assert "Welcome, Ada King" in text_of(guest, link)
    page = guest.post(link, CHOSEN, follow=True).content.decode()

    assert "Your password is set." in page
    assert logs_in("ada")
    assert [entry.action for entry in AuditEntry.objects.all()] == [
        "account.login",
        "account.password_by_link",
        "user.link",
        "user.add",
    ]


def test_a_link_opens_once(admin):
    link = link_in(admin.post(NEW, ADA).content.decode())
    Client().post(link, CHOSEN)

    answer = Client().post(link, {"new_password1": "another-horse-7", "new_password2": "another-horse-7"})

    assert answer.status_code == 410
    assert "This link opens nothing any more" in answer.content.decode()
    assert logs_in("ada")


def test_a_link_is_for_one_person_and_three_days(admin, monkeypatch):
    link = link_in(admin.post(NEW, ADA).content.decode())
    bob, ada = somebody(), User.objects.get(username="ada")
    assert Client().get(link.replace(f"/{ada.pk}/", f"/{bob.pk}/")).status_code == 410
    assert Client().get(link[:-2] + "x/").status_code == 410

    now = PasswordResetTokenGenerator()._now()
    later = now + timedelta(days=3, seconds=5)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: later)
    assert Client().get(link).status_code == 410


def test_a_new_invitation_ends_the_one_before(admin):
    first = link_in(admin.post(NEW, ADA).content.decode())
    ada = User.objects.get(username="ada")
    second = link_in(admin.post(f"{TEAM}{ada.pk}/link/").content.decode())

    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_a_new_link_ends_the_one_before_for_whoever_has_a_password_too(admin):
    bob = somebody()
    first, second = (link_in(admin.post(f"{TEAM}{bob.pk}/link/").content.decode()) for _ in range(2))

    assert Client().post(first, CHOSEN).status_code == 410
    assert Client().get(second).status_code == 200


def test_a_password_set_by_a_link_ends_the_sessions_before(admin):
    bob = somebody()
    client = Client()
    client.force_login(bob)

    Client().post(link_in(admin.post(f"{TEAM}{bob.pk}/link/").content.decode()), CHOSEN)

    assert not LoginSession.objects.filter(user=bob).exists()
    assert client.get("/calls/").status_code == 302


def test_a_link_for_a_forgotten_password_changes_nothing_until_it_is_used(admin):
    bob = somebody()
    link = link_in(admin.post(f"{TEAM}{bob.pk}/link/").content.decode())
    assert logs_in("bob")
    assert Client().get(link).status_code == 410  # they remembered

    link = link_in(admin.post(f"{TEAM}{bob.pk}/link/").content.decode())
    new = {"new_password1": "another-horse-7", "new_password2": "another-horse-7"}
    assert Client().post(link, new).status_code == 302
    assert logs_in("bob", "another-horse-7")


def test_whoever_is_deactivated_has_no_use_of_a_link(admin):
    bob = somebody()
    _, token = make_link(actor=SYSTEM, user_id=str(bob.pk))
    switch_person(actor=SYSTEM, user_id=str(bob.pk), on=False)

    assert Client().get(f"/welcome/{bob.pk}/{token}/").status_code == 410
    page = admin.post(f"{TEAM}{bob.pk}/link/", follow=True).content.decode()
    assert "Reactivate this person first." in page


def test_a_weak_password_is_refused(admin):
    link = link_in(admin.post(NEW, ADA).content.decode())

    page = Client().post(link, {"new_password1": "12345", "new_password2": "12345"}).content.decode()

    assert "This password is too short." in page
    assert User.objects.get(username="ada").state == "invited"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"username": ""}, "This field is required."),
        ({"username": "a b"}, "Enter a valid username."),
        ({"username": "BOB"}, "This user name is taken."),
        ({"username": "\uff42ob"}, "This user name is taken."),  # as the login reads it
        ({"role": "owner"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(admin, change, said):
    somebody()
    assert said in admin.post(NEW, {**ADA, **change}).content.decode()
    assert not User.objects.filter(username="ada").exists()


def test_a_role_is_changed_and_audited(admin):
    bob = somebody()
    page = admin.post(f"{TEAM}{bob.pk}/", form_of(bob, first_name="Bob", role="manager"), follow=True)

    assert "Bob is saved." in page.content.decode()
    assert User.objects.get(username="bob").role == Role.MANAGER
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("user.change", f"user:{bob.pk}")
    assert entry.details == {"fields": ["first_name", "role"], "role": "manager"}


def test_whoever_is_deactivated_is_out_at_once_and_may_come_back(admin):
    bob = somebody()
    client = Client()
    client.force_login(bob)
    assert client.get("/calls/").status_code == 200
    assert "Deactivate bob?" in htmx(admin, f"{TEAM}{bob.pk}/switch/")

    admin.post(f"{TEAM}{bob.pk}/switch/")

    assert client.get("/calls/").status_code == 302
    assert not logs_in("bob")
    assert "bob" in text_of(admin, f"{TEAM}?view=off")

    admin.post(f"{TEAM}{bob.pk}/switch/", {"on": "1"})

    assert logs_in("bob")
    assert [entry.action for entry in AuditEntry.objects.all()] == [
        "account.login",
        "user.on",
        "user.password_wrong",
        "user.off",
    ]


def test_the_last_admin_stays_one(admin):
    me = User.objects.get()
    page = admin.post(f"{TEAM}{me.pk}/", form_of(me, role="viewer")).content.decode()
    assert "There must be another active admin first." in page

    # Neither somebody invited nor somebody deactivated could let us in again.
    User.objects.create_user("invited", role=Role.ADMIN)
    somebody("gone", role=Role.ADMIN, is_active=False)
    for act in (
        lambda: change_person(actor=SYSTEM, **changes_of(me, role=Role.MANAGER)),
        lambda: switch_person(actor=SYSTEM, user_id=str(me.pk), on=False),
    ):
        with pytest.raises(Conflict):
            act()
    me.refresh_from_db()
    assert (me.role, me.is_active) == (Role.ADMIN, True)
    assert not AuditEntry.objects.exists()


def test_one_admin_may_follow_another(admin):
    me, bob = User.objects.get(), somebody(role=Role.ADMIN)
    admin.post(f"{TEAM}{me.pk}/", form_of(me, role="viewer"))

    me.refresh_from_db()
    assert me.role == Role.VIEWER
    assert admin.get(TEAM).status_code == 403
    assert User.objects.admins().get() == bob


def test_nobody_deactivates_themselves(admin):
    somebody(role=Role.ADMIN)
    me = User.objects.exclude(username="bob").get()
    page = admin.post(f"{TEAM}{me.pk}/switch/", follow=True).content.decode()

    assert "This is your own account" in page


def test_a_superuser_is_changed_by_superusers_alone(admin):
    root = somebody("root", is_superuser=True)
    for path, sent in (("", form_of(root, role="viewer")), ("switch/", {}), ("link/", {})):
        page = admin.post(f"{TEAM}{root.pk}/{path}", sent, follow=True).content.decode()
        assert "Only a superuser changes the account of a superuser." in page
    root.refresh_from_db()
    assert (root.is_superuser, root.is_active, root.has_usable_password()) == (True, True, True)


@pytest.fixture
def root(admin) -> Client:
    """The browser of a superuser; the admin becomes one."""
    User.objects.update(is_superuser=True)
    return admin


def test_a_superuser_makes_another_and_then_may_be_none_any_more(root):
    me, bob = User.objects.get(), somebody(role=Role.ADMIN)
    assert "Only superusers change this account." in text_of(root, f"{TEAM}{bob.pk}/")
    assert "There must be another active superuser first." in (
        root.post(f"{TEAM}{me.pk}/", form_of(me, is_superuser=False)).content.decode()
    )

    root.post(f"{TEAM}{bob.pk}/", form_of(bob, is_superuser=True))
    root.post(f"{TEAM}{me.pk}/", form_of(me, is_superuser=False))

    assert User.objects.get(is_superuser=True) == bob
    entries = AuditEntry.objects.order_by("id")
    assert [entry.details for entry in entries] == [
        {"fields": ["is_superuser"], "is_superuser": True},
        {"fields": ["is_superuser"], "is_superuser": False},
    ]


def test_a_superuser_is_never_lost_with_the_role(root):
    bob = somebody(role=Role.ADMIN, is_superuser=True)
    page = root.post(f"{TEAM}{bob.pk}/", form_of(bob, role="manager")).content.decode()
    assert "A superuser is an admin. Take the superuser tick away first." in page
    bob.refresh_from_db()
    assert (bob.role, bob.is_superuser) == (Role.ADMIN, True)

    root.post(f"{TEAM}{bob.pk}/", form_of(bob, role="manager", is_superuser=False))
    bob.refresh_from_db()
    assert (bob.role, bob.is_superuser) == (Role.MANAGER, False)
    with pytest.raises(Conflict, match="A superuser is an admin"):
        change_person(actor=SYSTEM, **changes_of(bob, is_superuser=True))


def test_an_admin_makes_no_superuser(admin):
    bob = somebody(role=Role.ADMIN)
    assert "Only superusers change this account." not in text_of(admin, f"{TEAM}{bob.pk}/")
    admin.post(f"{TEAM}{bob.pk}/", form_of(bob, is_superuser=True))
    me = User.objects.exclude(pk=bob.pk).get()
    with pytest.raises(Forbidden):
        change_person(actor=me.actor(), **changes_of(bob, is_superuser=True))
    assert not User.objects.filter(is_superuser=True).exists()


def test_the_last_superuser_is_not_deactivated(root):
    me = User.objects.get()
    somebody(role=Role.ADMIN)
    somebody("gone", is_superuser=True, is_active=False)
    with pytest.raises(Conflict, match="another active superuser"):
        switch_person(actor=SYSTEM, user_id=str(me.pk), on=False)


def test_a_user_name_is_changed_and_the_old_one_opens_nothing(admin):
    bob = somebody()
    admin.post(f"{TEAM}{bob.pk}/", form_of(bob, username="bob@example.com"))
    assert not logs_in("bob")
    assert logs_in("bob@example.com")
    entry = AuditEntry.objects.get(action="user.change")
    assert entry.details == {"fields": ["username"], "username": "bob@example.com"}

    admin.post(f"{TEAM}{bob.pk}/", form_of(bob, username="BOB@example.com"))  # no other's: their own
    assert logs_in("BOB@example.com")


def test_whose_name_differs_from_anothers_by_its_case_alone_is_changed_in_all_else(admin):
    somebody("Bob")  # as createsuperuser lets one be made
    bob = somebody("bob")
    admin.post(f"{TEAM}{bob.pk}/", form_of(bob, first_name="Robert"))
    bob.refresh_from_db()
    assert bob.first_name == "Robert"


@pytest.mark.parametrize(
    ("username", "said"),
    [
        ("EVE", "This user name is taken."),
        ("a b", "Enter a valid username."),
        ("", "This field is required."),
    ],
)
def test_a_user_name_that_cannot_be_is_refused_when_it_is_changed_too(admin, username, said):
    bob = somebody()
    somebody("eve")
    page = admin.post(f"{TEAM}{bob.pk}/", form_of(bob, username=username)).content.decode()
    assert said in page
    assert logs_in("bob")


def test_of_two_who_take_a_name_at_one_instant_one_is_told(admin, monkeypatch):
    somebody("eve")
    bob = somebody()
    monkeypatch.setattr(UserQuerySet, "exists", lambda self: False)  # the other comes after the look
    assert "This user name is taken." in admin.post(NEW, {**ADA, "username": "eve"}).content.decode()
    page = admin.post(f"{TEAM}{bob.pk}/", form_of(bob, username="eve")).content.decode()
    assert "This user name is taken." in page


def test_a_name_that_the_login_reads_otherwise_is_kept_as_it_does(admin):
    link = link_in(admin.post(NEW, {**ADA, "username": "\uff41da"}).content.decode())
    Client().post(link, CHOSEN)
    assert logs_in("ada")
    assert logs_in("\uff41da")


def test_what_was_changed_meanwhile_is_not_changed_back(admin):
    bob = somebody(role=Role.ADMIN)
    before = form_of(bob, last_name="King")
    change_person(actor=SYSTEM, **changes_of(bob, role=Role.VIEWER))

    page = admin.post(f"{TEAM}{bob.pk}/", before, follow=True).content.decode()

    assert "Somebody else changed this account meanwhile." in page
    bob.refresh_from_db()
    assert (bob.role, bob.last_name) == (Role.VIEWER, "")
    del before["seen"]
    admin.post(f"{TEAM}{bob.pk}/", before)
    bob.refresh_from_db()
    assert bob.role == Role.VIEWER


def test_a_link_is_for_the_rights_that_they_had(admin):
    page = admin.post(NEW, ADA)
    first, ada = link_in(page.content.decode()), User.objects.get(username="ada")
    page = admin.post(f"{TEAM}{ada.pk}/", form_of(ada, role="admin"), follow=True).content.decode()
    assert "Their invitation was for the role before: make a new one." in page
    assert Client().get(first).status_code == 410

    bob = somebody()
    _, token = make_link(actor=SYSTEM, user_id=str(bob.pk))
    for on in (False, True):
        switch_person(actor=SYSTEM, user_id=str(bob.pk), on=on)
    assert Client().get(f"/welcome/{bob.pk}/{token}/").status_code == 410


def test_nobody_makes_a_link_for_themselves(admin):
    me = User.objects.get()
    assert "New password" not in text_of(admin, f"{TEAM}{me.pk}/")
    page = admin.post(f"{TEAM}{me.pk}/link/", follow=True).content.decode()
    assert "This is your own account: change your password on its page." in page
    assert not AuditEntry.objects.exists()


def test_the_list_costs_as_many_queries_with_many_people(admin):
    with CaptureQueriesContext(connection) as few:
        text_of(admin, TEAM)
    for number in range(30):
        User.objects.create(username=f"user-{number}")
    with CaptureQueriesContext(connection) as many:
        page = text_of(admin, TEAM)
    assert len(many) == len(few)
    assert 'rel="next"' in page
