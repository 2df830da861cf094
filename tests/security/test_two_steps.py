"""Two-step login: nothing opens before the code, no code opens twice, nobody guesses one."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pyotp
import pytest
from axes.models import AccessAttempt
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from temphone.accounts.actions import (
    Tried,
    change_password,
    reset_two_steps,
    take_code,
    turn_off,
    turn_on,
)
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.backends import Passwords
from temphone.accounts.models import AuditEntry, LoginSession, RecoveryCode, TwoSteps, User
from temphone.lib import clock, totp
from temphone.lib.errors import Conflict, Forbidden
from tests.builders import NOON, a_key
from tests.security.test_routes import PAGES

PASSWORD = "correct-horse-9"  # of a test
CODE = "/login/code/"
ON, CODES, OFF = "/account/two-steps/", "/account/two-steps/codes/", "/account/two-steps/off/"
ALLOWED = 10


@pytest.fixture
def at(monkeypatch):
    """Set the clock that codes are of."""

    def set_clock(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(NOON)
    return set_clock


@pytest.fixture
def ada(db, at) -> User:
    return User.objects.create_user("ada", password=PASSWORD, role=Role.ADMIN, is_staff=True)


def code_of(user: User, *, later: int = 0) -> str:
    """The code that the app shows, so many half-minutes later."""
    secret = TwoSteps.unseal(TwoSteps.objects.get(pk=user.pk).sealed)
    return pyotp.TOTP(secret).at(clock.now(), counter_offset=later)


def wrong(user: User) -> str:
    """A code that the app shows at no instant near."""
    right = {code_of(user, later=later) for later in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def give_password(client: Client, *, door: str = "/login/", password: str = PASSWORD, user="ada", **sent):
    return client.post(door, {"username": user, "password": password, **sent})


def logged_in(user: User) -> Client:
    """A browser of somebody without two steps."""
    client = Client()
    assert give_password(client, user=user.username).status_code == 302
    return client


def proof(secret: str, **sent: str) -> dict[str, str]:
    """What turns it on."""
    return {"password": PASSWORD, "code": pyotp.TOTP(secret).at(clock.now()), **sent}


def secret_on(page: str) -> str:
    return re.search(r'<code id="secret"[^>]*>([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>(\d{5}-\d{5})</code></li>", page)


def turned_on(client: Client) -> list[str]:
    """Turn it on as a person does; the recovery codes."""
    secret = secret_on(client.get(ON).content.decode())
    codes = codes_on(client.post(ON, proof(secret)).content.decode())
    assert len(codes) == 10
    return codes


@pytest.fixture
def guarded(ada, at) -> User:
    """Ada with two steps, a minute later: what she turned it on with is used up, and out of date."""
    turned_on(logged_in(ada))
    at(NOON + timedelta(minutes=1))
    return ada


def is_in(client: Client) -> bool:
    return client.get("/calls/").status_code == 200


def test_the_code_after_the_password_opens_and_leads_where_one_wanted(guarded):
    client = Client()
    answer = give_password(client, next="/contacts/?q=a")
    assert answer.url == CODE
    assert 'autocomplete="one-time-code"' in client.get(CODE).content.decode()

    answer = client.post(CODE, {"code": code_of(guarded)})

    assert answer.url == "/contacts/?q=a"
    assert is_in(client)
    assert LoginSession.objects.filter(user=guarded).count() == 2


@pytest.mark.parametrize("door", ["/login/", "/admin/login/"])
def test_the_password_alone_opens_no_page(guarded, door):
    client = Client()
    assert give_password(client, door=door).url == CODE

    for route in PAGES:
        answer = client.get(re.sub(r"<\w+>", "1", f"/{route}"))
        assert (answer.status_code, answer.url.startswith("/login/?next=/")) == (302, True), route
    assert client.get("/admin/").url == "/admin/login/?next=/admin/"
    assert client.get("/admin/accounts/user/").status_code == 302
    assert LoginSession.objects.filter(user=guarded).count() == 1  # hers, in which she turned it on


def test_the_back_office_is_opened_by_the_code_as_well(guarded):
    client = Client()
    give_password(client, door="/admin/login/", next="/admin/accounts/user/")

    assert client.post(CODE, {"code": code_of(guarded)}).url == "/admin/accounts/user/"
    assert client.get("/admin/accounts/user/").status_code == 200


def test_the_back_office_still_lets_in_its_staff_alone(ada):
    User.objects.create_user("eve", password=PASSWORD, role=Role.ADMIN)
    client = Client()
    assert "for a staff account" in give_password(client, door="/admin/login/", user="eve").content.decode()
    give_password(client, user="eve")
    page = client.get("/admin/login/?next=/admin/").content.decode()
    assert "You are logged in as eve, who may not open Administration." in page
    assert give_password(client, door="/admin/login/").url == "/admin/"
    assert client.get("/admin/login/").url == "/admin/"


def test_no_other_door_logs_in_by_half(guarded):
    last = User.objects.get().last_login
    with pytest.raises(PermissionDenied):
        Client().force_login(guarded)
    assert User.objects.get().last_login == last
    assert LoginSession.objects.filter(user=guarded).count() == 1


@pytest.mark.parametrize("then", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(guarded, then):
    client = Client()
    give_password(client, next=then)
    assert client.post(CODE, {"code": code_of(guarded), "next": then}).url == "/overview/"


def test_the_session_has_another_key_at_each_step(guarded):
    client = Client()
    client.get("/login/")
    session = client.session
    session["planted"] = 1
    session.save()
    keys = [session.session_key]
    client.cookies["sessionid"] = keys[0]
    give_password(client)
    keys.append(client.cookies["sessionid"].value)
    client.post(CODE, {"code": code_of(guarded)})
    keys.append(client.cookies["sessionid"].value)
    assert len(set(keys)) == 3
    assert not LoginSession.objects.filter(pk__in=keys[:2]).exists()
    assert "half_way" not in client.session


@pytest.mark.parametrize("later", [-1, 0, 1])
def test_a_code_opens_once(guarded, later):
    code = code_of(guarded, later=later)
    first, second = Client(), Client()
    for client in (first, second):
        give_password(client)
    assert first.post(CODE, {"code": f" {code[:3]} {code[3:]}"}).status_code == 302

    assert "was used already" in second.post(CODE, {"code": code}).content.decode()
    assert not is_in(second)


def test_nor_does_a_code_before_the_one_that_was_used(guarded):
    first, second = Client(), Client()
    for client in (first, second):
        give_password(client)
    first.post(CODE, {"code": code_of(guarded)})
    assert second.post(CODE, {"code": code_of(guarded, later=-1)}).status_code == 200
    assert second.post(CODE, {"code": code_of(guarded, later=1)}).status_code == 302


@pytest.mark.parametrize("later", [-2, 2])
def test_a_code_of_more_than_half_a_minute_away_opens_nothing(guarded, later):
    client = Client()
    give_password(client)
    assert client.post(CODE, {"code": code_of(guarded, later=later)}).status_code == 200


def test_the_code_that_it_was_turned_on_with_opens_nothing_more(ada):
    client = logged_in(ada)
    turned_on(client)
    other = Client()
    give_password(other)
    assert other.post(CODE, {"code": code_of(ada)}).status_code == 200
    assert other.post(CODE, {"code": code_of(ada, later=1)}).status_code == 302


def test_five_minutes_after_the_password_the_code_is_too_late(guarded, at):
    client = Client()
    give_password(client)
    begun = clock.now()
    at(begun + timedelta(minutes=5))
    assert client.get(CODE).status_code == 200
    at(begun + timedelta(minutes=5, seconds=1))
    page = client.post(CODE, {"code": code_of(guarded)}, follow=True)
    assert page.redirect_chain == [("/login/", 302)]
    assert "Type your password first" in page.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize("change", ["password", "inactive", "off"])
def test_what_changes_meanwhile_ends_it(guarded, change):
    client = Client()
    give_password(client)
    code = code_of(guarded)
    if change == "password":
        change_password(user=guarded, password="another-horse-7")
    elif change == "inactive":
        User.objects.update(is_active=False)
    else:
        reset_two_steps(actor=SYSTEM, user_id=str(guarded.pk), keep_password=True)
    assert client.post(CODE, {"code": code}).url == "/login/"
    assert not is_in(client)


def test_a_recovery_code_opens_once(ada, at):
    codes = turned_on(logged_in(ada))
    first, second = Client(), Client()
    for client in (first, second):
        give_password(client)
    assert first.post(CODE, {"code": codes[3].replace("-", "")}).status_code == 302
    assert second.post(CODE, {"code": codes[3]}).status_code == 200
    assert second.post(CODE, {"code": codes[4]}).status_code == 302
    assert "8 left" in first.get("/account/").content.decode()
    entries = AuditEntry.objects.filter(action="account.recovery_code").order_by("id")
    assert [entry.details for entry in entries] == [{"left": 9}, {"left": 8}]


def test_a_recovery_code_is_of_one_person(ada, at):
    codes = turned_on(logged_in(ada))
    eve = User.objects.create_user("eve", password=PASSWORD)
    turned_on(logged_in(eve))
    client = Client()
    give_password(client, user="eve")
    assert client.post(CODE, {"code": codes[0]}).status_code == 200


def test_ten_wrong_codes_and_then_even_the_right_one_is_not_looked_at_from_anywhere(guarded, at):
    def tries(code: str, address: str):
        client = Client(REMOTE_ADDR=address)
        assert give_password(client).status_code == 302
        return client.post(CODE, {"code": code})

    answers = [tries(wrong(guarded), f"9.9.9.{number}").status_code for number in range(12)]
    assert answers == [200] * (ALLOWED - 1) + [429] * 3
    page = tries(code_of(guarded), "9.9.9.99")
    assert (page.status_code, page["Retry-After"]) == (429, "900")
    assert "Too many tries" in page.content.decode()
    locked = AuditEntry.objects.get(action="user.codes_locked", target=f"user:{guarded.pk}")
    assert locked.details == {"wrong_codes": ALLOWED}

    # After a quarter of an hour one more is looked at, and a right one makes up for all.
    at(clock.now() + timedelta(minutes=15))
    assert tries(wrong(guarded), "9.9.9.98").status_code == 429
    assert tries(code_of(guarded), "9.9.9.97").status_code == 429
    at(clock.now() + timedelta(minutes=15))
    assert tries(code_of(guarded), "9.9.9.97").status_code == 302
    assert TwoSteps.objects.get().failures == 0


def lock(user: User, *, wrong_codes: int = ALLOWED) -> None:
    """As many wrong codes, each a quarter of an hour after the one before once few are looked at."""
    for number in range(wrong_codes):
        now = clock.now() + timedelta(minutes=15 * number)
        take_code(user=user, code=wrong(user), now=now)


def test_as_long_as_codes_are_guessed_the_log_says_so(guarded):
    lock(guarded, wrong_codes=25)
    entries = AuditEntry.objects.filter(action="user.codes_locked").order_by("id")
    assert [entry.details for entry in entries] == [{"wrong_codes": 10}, {"wrong_codes": 20}]


def test_how_many_logins_may_fail_says_nothing_of_codes(guarded, settings):
    settings.AXES_FAILURE_LIMIT = 2
    tried = [take_code(user=guarded, code=wrong(guarded), now=clock.now()) for _code in range(12)]
    assert tried == [Tried.WRONG] * 9 + [Tried.LAST] + [Tried.LOCKED] * 2


def test_codes_that_are_not_looked_at_keep_no_office_out(guarded):
    lock(guarded)
    give_password(client := Client())
    answers = [client.post(CODE, {"code": code_of(guarded)}).status_code for _code in range(ALLOWED + 1)]
    assert answers == [429] * (ALLOWED + 1)
    assert not AccessAttempt.objects.exists()
    User.objects.create_user("eve", password=PASSWORD)
    assert give_password(Client(), user="eve").status_code == 302


def test_whoever_logs_in_after_wrong_codes_is_told_and_whoever_is_logged_in_too(guarded, at):
    here = Client()
    give_password(here)
    here.post(CODE, {"code": code_of(guarded)})
    said = "If it was not you, somebody has your password: change it."
    assert said not in here.get("/account/").content.decode()

    lock(guarded)
    assert said in here.get("/account/").content.decode()

    at(clock.now() + timedelta(hours=4))
    give_password(there := Client())
    assert said in there.post(CODE, {"code": code_of(guarded)}, follow=True).content.decode()
    assert said not in there.get("/account/").content.decode()


def test_wrong_codes_are_failures_of_the_address_as_wrong_passwords_are(guarded):
    eve = User.objects.create_user("eve", password=PASSWORD)
    turned_on(logged_in(eve))
    for user in (guarded, eve):
        client = Client()
        give_password(client, user=user.username)
        answers = [client.post(CODE, {"code": wrong(user)}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == ALLOWED
    # The password is not looked at any more, nor is a code of whoever gave it before.
    assert give_password(Client()).status_code == 429
    assert client.post(CODE, {"code": code_of(eve, later=1)}).status_code == 429
    assert TwoSteps.objects.get(pk=eve.pk).failures == 5
    assert "code=*" in AccessAttempt.objects.get().post_data  # it may be all but one digit of a right one


@pytest.mark.django_db(transaction=True)
def test_codes_tried_at_one_instant_are_each_counted_and_a_right_one_opens_once(at):
    user = User.objects.create_user("ada", password=PASSWORD)
    turned_on(logged_in(user))
    at(NOON + timedelta(minutes=1))
    right = code_of(user)
    seen = [right] * 4 + [wrong(user)] * 20

    def one(code):
        try:
            return take_code(user=user, code=code, now=clock.now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        tried = list(threads.map(one, seen))
    assert tried.count(Tried.RIGHT) == 1
    assert ALLOWED - 1 <= tried.count(Tried.WRONG) <= ALLOWED + 3
    assert set(tried[-8:]) == {Tried.LOCKED}


def test_what_is_kept_tells_nobody_a_code(ada):
    client = logged_in(ada)
    secret = secret_on(client.get(ON).content.decode())
    assert secret not in str([session.get_decoded() for session in LoginSession.objects.all()])
    codes = codes_on(client.post(ON, proof(secret)).content.decode())
    kept = [list(model.objects.values()) for model in (TwoSteps, RecoveryCode, LoginSession, AuditEntry)]
    kept.append([session.get_decoded() for session in LoginSession.objects.all()])
    for text in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert text not in str(kept)
    assert TwoSteps.unseal(TwoSteps.objects.get().sealed) == secret


def test_under_another_secret_key_it_says_what_to_do(guarded, settings):
    client = Client()
    code = code_of(guarded)
    settings.SECRET_KEY = "another"
    give_password(client)
    page = client.post(CODE, {"code": code}).content.decode()
    assert "cannot check codes any more. Ask an admin to reset it." in page


def test_the_picture_has_the_link_that_the_app_reads(ada):
    page = logged_in(ada).get(ON).content.decode()
    picture = unescape(re.search(r'<img src="(data:image/svg[^"]+)"', page)[1])
    assert unquote(picture).startswith("data:image/svg+xml;charset=utf-8,<svg")
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    link = totp.link_of(secret, name="ada", issuer="Example Ltd")
    assert link == f"otpauth://totp/Example%20Ltd:ada?secret={secret}&issuer=Example%20Ltd"


# Source: RFC 6238, appendix B, the last six digits.
@pytest.mark.parametrize(
    ("second", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_the_codes_are_those_of_the_standard(second, code):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = NOON.fromtimestamp(second, NOON.tzinfo)
    assert totp.step_of(secret, code, moment) == second // 30
    assert totp.step_of(secret, code, moment + timedelta(seconds=90)) is None


def test_turning_it_on_needs_a_code_and_ends_the_other_logins(ada):
    here, there = logged_in(ada), logged_in(ada)
    page = here.get(ON).content.decode()
    secret = secret_on(page)
    refused = here.post(ON, proof(secret, code="12")).content.decode()
    assert "This code is not right." in refused
    assert secret_on(refused) == secret
    assert not TwoSteps.objects.exists()

    turned_on(here)

    assert is_in(here)
    assert not is_in(there)
    assert AuditEntry.objects.filter(action="account.two_steps_on").count() == 1
    assert here.get(ON).url == here.post(ON, proof(secret)).url == "/account/"


@pytest.mark.parametrize("must", ["", "everyone"])
def test_an_open_screen_turns_nothing_on(ada, settings, must):
    settings.REQUIRE_TWO_STEPS = must
    client = logged_in(ada)
    for password, said in (("", "This field is required."), ("no", "This is not your password.")):
        secret = secret_on(client.get(ON).content.decode())
        assert said in client.post(ON, proof(secret, password=password)).content.decode()
    assert not TwoSteps.objects.exists()
    assert AccessAttempt.objects.get().failures_since_start == 1


def test_each_look_shows_another_secret_and_the_last_alone_counts(ada):
    client = logged_in(ada)
    seen, last = (secret_on(client.get(ON).content.decode()) for _look in range(2))
    assert seen != last
    refused = client.post(ON, proof(seen)).content.decode()
    assert "This code is not right." in refused
    assert secret_on(refused) == last  # of whom only the finger slipped the app knows it already
    assert len(codes_on(client.post(ON, proof(last)).content.decode())) == 10


def test_a_login_of_two_steps_is_in_the_audit_log_when_it_is_done_and_so_is_a_wrong_code(ada, at):
    with_two_steps(ada)
    client = Client()
    give_password(client)
    client.post(CODE, {"code": wrong(ada)})
    assert not AuditEntry.objects.filter(action="account.login").exists()
    client.post(CODE, {"code": code_of(ada, later=1)})

    told = [(entry.actor_label, entry.action, entry.target) for entry in AuditEntry.objects.order_by("id")]
    me = f"user:{ada.pk}"
    assert told == [("TemPhone", "user.code_wrong", me), ("ada", "account.login", me)]
    assert AuditEntry.objects.get(action="account.login").details["two_steps"] is True


def with_two_steps(user: User) -> None:
    """As it is turned on in another session, whose end a login under way has missed."""
    TwoSteps.objects.create(user=user, sealed=TwoSteps.seal(totp.new_secret()), last_step=0)


def test_a_login_that_began_before_it_was_turned_on_is_over(ada):
    client, fragment = logged_in(ada), logged_in(ada)
    with_two_steps(ada)
    assert client.get("/calls/?status=failed").url == "/login/?next=/calls/%3Fstatus%3Dfailed"
    answer = fragment.get("/calls/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    assert not LoginSession.objects.filter(user=ada).exists()


def test_who_is_logged_in_and_whether_by_half_is_one_query(ada, django_assert_num_queries):
    with_two_steps(ada)
    with django_assert_num_queries(1):
        assert Passwords().get_user(ada.pk).has_two_steps
    User.objects.update(is_active=False)
    assert Passwords().get_user(ada.pk) is None


def test_recovery_codes_are_shown_once_and_made_anew_with_password_and_code(ada, at):
    client = logged_in(ada)
    before = turned_on(client)
    at(NOON + timedelta(minutes=1))
    assert not codes_on(client.get(CODES).content.decode() + client.get("/account/").content.decode())
    for sent, said in (
        ({"password": "no", "code": code_of(ada)}, "This is not your password."),
        ({"password": PASSWORD, "code": wrong(ada)}, "was used already"),
        ({"password": PASSWORD}, "This field is required."),
    ):
        assert said in client.post(CODES, sent).content.decode()
    assert TwoSteps.objects.get().failures == 1

    page = client.post(CODES, {"password": PASSWORD, "code": code_of(ada)}).content.decode()

    after = codes_on(page)
    assert len(after) == 10
    assert not set(after) & set(before)
    file = unquote(unescape(re.search(r'href="(data:text/plain[^"]+)" download', page)[1]))
    assert all(code in file for code in after)
    other = Client()
    give_password(other)
    assert other.post(CODE, {"code": before[0]}).status_code == 200
    assert other.post(CODE, {"code": after[0]}).status_code == 302
    assert AuditEntry.objects.filter(action="account.recovery_codes").count() == 1


def test_it_is_turned_off_with_password_and_code_alone(ada, at):
    client = logged_in(ada)
    codes = turned_on(client)
    for sent in (
        {"password": PASSWORD, "code": "1"},
        {"password": "no", "code": codes[0]},
        {"code": codes[0]},
    ):
        assert client.post(OFF, sent).status_code == 200
    assert TwoSteps.objects.exists()

    page = client.post(OFF, {"password": PASSWORD, "code": codes[0]}, follow=True).content.decode()

    assert "Two-step login is off" in page
    assert not TwoSteps.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert give_password(Client()).url == "/overview/"
    assert AuditEntry.objects.filter(action="account.two_steps_off").count() == 1
    assert client.get(OFF).url == client.post(CODES).url == "/account/"


def test_whoever_is_logged_in_cannot_guess_there_either(ada, at):
    client = logged_in(ada)
    turned_on(client)
    at(NOON + timedelta(minutes=1))
    answers = [
        client.post(
            OFF, {"password": PASSWORD, "code": wrong(ada)}, REMOTE_ADDR=f"9.9.9.{number}"
        ).status_code
        for number in range(11)
    ]
    assert answers == [200] * 9 + [429] * 2
    right = {"password": PASSWORD, "code": code_of(ada)}
    assert client.post(OFF, right, REMOTE_ADDR="9.9.9.99").status_code == 429
    passwords = [
        client.post(CODES, {"password": "no", "code": "1"}, REMOTE_ADDR="8.8.8.8") for _ in range(10)
    ]
    assert passwords[-1].status_code == 429


def test_a_new_password_keeps_the_second_step(guarded):
    client = Client()
    give_password(client)
    client.post(CODE, {"code": code_of(guarded)})
    new = "battery-staple-7"
    client.post("/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert is_in(client)
    assert give_password(Client(), password=new).url == CODE


def test_an_admin_resets_who_lost_their_phone(guarded, at):
    root = User.objects.create_user("root", password=PASSWORD, role=Role.ADMIN)
    admin, hers = logged_in(root), Client()
    give_password(hers)
    hers.post(CODE, {"code": code_of(guarded)})
    assert is_in(hers)
    path = f"/setup/team/{guarded.pk}/two-steps/"
    assert "Reset two-step login" in admin.get(f"/setup/team/{guarded.pk}/").content.decode()
    assert "Reset the two-step login of ada?" in admin.get(path).content.decode()

    page = admin.post(path).content.decode()

    assert "Two-step login is off for ada" in page
    assert not is_in(hers)
    assert not RecoveryCode.objects.exists()
    entry = AuditEntry.objects.get(action="user.two_steps_off")
    assert (entry.actor_label, entry.target) == ("root", f"user:{guarded.pk}")
    assert "Two-step login is off." in admin.post(path, follow=True).content.decode()
    # Whoever has the old password was kept out by the code, and is kept out still.
    assert give_password(Client()).status_code == 200
    new = "battery-staple-7"
    assert Client().post(link_in(page), {"new_password1": new, "new_password2": new}).url == "/login/"
    assert give_password(Client(), password=new).url == "/overview/"


def link_in(text: str) -> str:
    return re.search(r"/welcome/\d+/[\w-]+/", text)[0]


def test_an_admin_is_told_of_wrong_codes_before_they_reset_it(guarded):
    root = User.objects.create_user("root", password=PASSWORD, role=Role.ADMIN)
    admin = logged_in(root)
    paths = (f"/setup/team/{guarded.pk}/", f"/setup/team/{guarded.pk}/two-steps/")
    for wrong_codes in (ALLOWED - 1, 1):
        told = ["Wrong codes were typed after" in admin.get(path).content.decode() for path in paths]
        assert told == [False, False]
        lock(guarded, wrong_codes=wrong_codes)
    assert all("Wrong codes were typed after" in admin.get(path).content.decode() for path in paths)


def test_two_admins_who_reset_each_other_do_not_lock_out_both(guarded):
    eve = User.objects.create_user("eve", password=PASSWORD, role=Role.ADMIN)
    with_two_steps(eve)
    reset_two_steps(actor=eve.actor(), user_id=str(guarded.pk))
    with pytest.raises(Conflict, match="another active admin"):
        reset_two_steps(actor=guarded.actor(), user_id=str(eve.pk))
    assert give_password(Client(), user="eve").url == CODE


def test_nobody_resets_their_own_or_somebody_above(ada):
    client = logged_in(ada)
    turned_on(client)
    page = client.post(f"/setup/team/{ada.pk}/two-steps/", follow=True).content.decode()
    assert "turn it off there, with a code" in page
    root = User.objects.create_user("root", password=PASSWORD, is_superuser=True)
    turned_on(logged_in(root))
    page = client.post(f"/setup/team/{root.pk}/two-steps/", follow=True).content.decode()
    assert "Only a superuser changes the account of a superuser." in page
    manager = User.objects.create_user("manager", role=Role.MANAGER)
    with pytest.raises(Forbidden):
        reset_two_steps(actor=manager.actor(), user_id=str(ada.pk))
    assert TwoSteps.objects.count() == 2


def test_an_operator_turns_it_off_from_the_shell(guarded, capsys):
    with pytest.raises(CommandError, match=r"another active admin first\. Or keep the password"):
        call_command("reset_two_steps", "ada")
    assert TwoSteps.objects.exists()

    call_command("reset_two_steps", "ada", "--keep-password")

    assert "The password alone opens now." in capsys.readouterr().out
    assert not TwoSteps.objects.exists()
    assert give_password(Client()).url == "/overview/"
    assert AuditEntry.objects.get(action="user.two_steps_off").actor_kind == "system"
    eve = User.objects.create_user("eve", password=PASSWORD)
    with_two_steps(eve)
    call_command("reset_two_steps", "eve")
    assert give_password(Client(), user="eve").status_code == 200
    assert Client().get(link_in(capsys.readouterr().out)).status_code == 200
    for username in ("ada", "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_two_steps", username)


def test_the_team_sees_who_has_it(guarded):
    User.objects.create_user("root", password=PASSWORD, role=Role.ADMIN)
    client = Client()
    give_password(client, user="root")
    page = client.get("/setup/team/").content.decode()
    rows = re.findall(r"<tr class=\"row\".*?</tr>", page, re.DOTALL)
    assert ["shield-check" in row or "tag is-good" in row for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("required", "role", "must"),
    [
        ("", Role.ADMIN, False),
        ("admins", Role.MANAGER, False),
        ("admins", Role.ADMIN, True),
        ("everyone", Role.VIEWER, True),
    ],
)
def test_whoever_must_and_has_not_opens_nothing_else(db, at, settings, required, role, must):
    settings.REQUIRE_TWO_STEPS = required
    user = User.objects.create_user("eve", password=PASSWORD, role=role, is_staff=True)
    client = logged_in(user)
    for path in ("/calls/", "/account/", "/admin/", CODES, "/v1/docs/"):
        answer = client.get(path)
        led = answer.status_code == 302 and answer.url == f"{ON}?next={path}"
        assert led == must, path
    if must:
        fragment = client.get("/calls/", headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment["HX-Refresh"]) == (204, "true")
        assert client.post("/account/look/", {"theme": "dark"}).url == f"{ON}?next=/overview/"
        assert client.post("/logout/").url == "/login/"


def test_then_one_sets_it_up_and_goes_on(ada, settings):
    settings.REQUIRE_TWO_STEPS = "everyone"
    client = Client()
    assert give_password(client, next="/contacts/").url == "/contacts/"
    page = client.get("/contacts/", follow=True)
    text = page.content.decode()
    assert page.redirect_chain == [(f"{ON}?next=/contacts/", 302)]
    assert "Your organisation asks for a code" in text
    assert 'class="sidebar' not in text
    made = client.post(ON, proof(secret_on(text), next="/contacts/")).content.decode()
    assert len(codes_on(made)) == 10
    assert '<a class="button primary" href="/contacts/">' in made
    assert client.get("/contacts/").status_code == 200

    client.post(OFF, {"password": PASSWORD, "code": codes_on(made)[0]})

    assert client.get("/contacts/").url == f"{ON}?next=/contacts/"


def test_whoever_must_have_it_and_turns_it_off_elsewhere_sets_it_up_again_everywhere(guarded, settings):
    settings.REQUIRE_TWO_STEPS = "everyone"
    client = Client()
    give_password(client)
    client.post(CODE, {"code": code_of(guarded)})
    assert is_in(client)
    turn_off(user=guarded)
    assert client.get("/calls/").url == f"{ON}?next=/calls/"


def test_a_foreign_address_is_no_place_to_go_on_to(ada, settings):
    settings.REQUIRE_TWO_STEPS = "admins"
    client = logged_in(ada)
    secret = secret_on(client.get(f"{ON}?next=https://e.example/").content.decode())
    page = client.post(ON, proof(secret, next="https://e.example/")).content.decode()
    assert "e.example" not in page
    assert '<a class="button primary" href="/overview/">' in page


def test_keys_of_programs_are_not_touched(guarded, settings):
    settings.REQUIRE_TWO_STEPS = "everyone"
    _, key = a_key()
    answer = Client().get("/v1/calls", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200


def test_it_is_on_once(ada):
    client = logged_in(ada)
    turned_on(client)
    secret = totp.new_secret()
    with pytest.raises(Conflict):
        turn_on(user=ada, secret=secret, code=pyotp.TOTP(secret).at(NOON), session_key="", now=clock.now())
