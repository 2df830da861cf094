import time
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from temphone.accounts.actions import create_key, revoke_key
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.authentication import Grants
from temphone.accounts.models import (
    ApiKey,
    ApiKeyQuerySet,
    AuditEntry,
    KeyMinute,
    KnownKeys,
    Mode,
    digest,
)
from temphone.lib import clock
from temphone.lib.errors import Conflict, Forbidden, NotFound
from tests.api.client import Program, code, message
from tests.builders import NOON, a_call, a_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def refused(answer) -> bool:
    assert message(answer) == "Unauthorized."
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="TemPhone"'
    return answer.status_code == 401


def test_the_specifications_own_key_works():
    key = "sk_test_51_fakeapikey123456"
    ApiKey.objects.create(public_id="51", hash=digest(key), name="The specification", mode=Mode.TEST)
    assert Program(key).get("/calls").status_code == 200


def test_a_key_is_shown_once_and_only_its_hash_is_kept():
    key, whole = a_key()
    assert whole.startswith(f"sk_test_{key.public_id}_")
    assert whole not in str(ApiKey.objects.values().get())
    assert Program(whole).get("/calls").status_code == 200
    assert a_key(mode=Mode.LIVE)[1].startswith("sk_live_")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer {key}x",
        "Bearer x{key}",
        "Bearer {key} {key}",
        "Bearer {key}\u00fc",
        "Basic {key}",
        "Token {key}",
        "{key}",
        "Bearer sk_test_nobody_secret",
        "Bearer sk_test_{public}_secret",
        "Bearer sk_test_{public}_",
        "Bearer sk_test_{public}",
        "Bearer sk_live_{public}_{secret}",
        "Bearer " + "x" * 8_000,
    ],
)
def test_anything_but_a_key_is_unauthorized(header):
    key, whole = a_key()
    given = header.format(key=whole, public=key.public_id, secret=whole.rsplit("_", 1)[1])
    assert refused(Program("").get("/calls", Authorization=given))


def test_no_header_is_unauthorized():
    assert refused(Program("").get("/calls"))


def test_the_scheme_is_read_in_any_case():
    _, whole = a_key()
    assert Program("").get("/calls", Authorization=f"bearer  {whole}").status_code == 200


def test_a_revoked_key_is_useless_at_once():
    key, whole = a_key()
    assert Program(whole).get("/calls").status_code == 200
    revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
    assert refused(Program(whole).get("/calls"))


def test_a_key_whose_row_says_another_mode_is_useless():
    _, whole = a_key()
    ApiKey.objects.update(mode=Mode.LIVE)
    assert refused(Program(whole).get("/calls"))


def test_a_key_is_revoked_once():
    key, _ = a_key()
    revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
    with pytest.raises(Conflict):
        revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
    with pytest.raises(NotFound):
        revoke_key(actor=SYSTEM, public_id="nobody", now=NOON)


def test_only_an_admin_makes_and_revokes_keys():
    key, _ = a_key()
    with pytest.raises(Forbidden):
        create_key(actor=key.actor(), name="Another", mode=Mode.TEST, now=NOON)
    with pytest.raises(Forbidden):
        revoke_key(actor=key.actor(), public_id=key.public_id, now=NOON)


def test_keys_leave_their_trace_in_the_audit_log():
    key, whole = a_key(role=Role.VIEWER)
    revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
    entries = AuditEntry.objects.filter(target=key.public_id).order_by("id")
    assert [entry.action for entry in entries] == ["key.create", "key.revoke"]
    assert whole.rsplit("_", 1)[1] not in str(list(entries.values()))


def test_a_key_sees_only_its_own_mode(program, live_program):
    call = a_call()
    assert program.get(f"/calls/{call.pk}").status_code == 200
    for answer in (
        live_program.get(f"/calls/{call.pk}"),
        live_program.patch(f"/calls/{call.pk}", {"metadata": {}}),
        live_program.post(f"/calls/{call.pk}/cancel"),
    ):
        assert (answer.status_code, message(answer)) == (404, f"Call not found: {call.pk}.")


def test_the_use_is_marked_once_a_minute(monkeypatch):
    key, whole = a_key()
    for second, marked in ((0, 0), (30, 0), (61, 61), (100, 61)):
        monkeypatch.setattr(clock, "now", lambda at=NOON + timedelta(seconds=second): at)
        Program(whole).get("/calls")
        key.refresh_from_db()
        assert key.last_used_at == NOON + timedelta(seconds=marked)


def test_too_many_requests_wait_for_the_next_minute(monkeypatch):
    _, whole = a_key(requests_per_minute=3)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=20))
    assert [Program(whole).get("/calls").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = Program(whole).get("/calls")
    assert (code(answer), answer.headers["Retry-After"]) == ("too_many_requests", "40")
    assert message(answer) == "Too many requests. Retry after 40 seconds."
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=61))
    assert Program(whole).get("/calls").status_code == 200
    assert KeyMinute.objects.count() == 1


def test_each_key_has_its_own_count_and_120_by_default(settings, monkeypatch):
    assert settings.REQUESTS_PER_MINUTE == 120
    settings.REQUESTS_PER_MINUTE = 2
    monkeypatch.setattr(clock, "now", lambda: NOON)
    first, second = (a_key(requests_per_minute=None)[1] for _ in range(2))
    assert [Program(first).get("/calls").status_code for _ in range(3)] == [200, 200, 429]
    assert Program(second).get("/calls").status_code == 200


def test_the_rate_is_looked_at_before_the_body(monkeypatch):
    _, whole = a_key(requests_per_minute=1)
    monkeypatch.setattr(clock, "now", lambda: NOON)
    Program(whole).get("/calls")
    assert Program(whole).post("/calls/scheduled", b"{", **{"Content-Type": "text/plain"}).status_code == 429


def test_another_limit_is_asked_for_in_parts_of_a_hundredth_and_never_exceeded(monkeypatch):
    """Two processes, each of which takes some and uses it up or not."""
    key, _ = a_key(requests_per_minute=300)
    one, other = Grants(), Grants()
    assert one.take_one(key, NOON)
    assert KeyMinute.objects.get().requests == 3
    assert [other.take_one(key, NOON) for _ in range(300)] == [True] * 297 + [False] * 3
    assert [one.take_one(key, NOON) for _ in range(3)] == [True, True, False]
    assert KeyMinute.objects.get().requests == 306
    assert one.take_one(key, NOON + timedelta(minutes=1))


def test_who_is_over_the_limit_costs_the_database_nothing(django_assert_num_queries):
    key, _ = a_key(requests_per_minute=1)
    grants = Grants()
    assert [grants.take_one(key, NOON) for _ in range(2)] == [True, False]
    with django_assert_num_queries(0):
        assert not grants.take_one(key, NOON)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_get_more_than_the_limit():
    key, _ = a_key(requests_per_minute=250)
    processes = [Grants() for _ in range(4)]

    def all_they_can(grants):
        return sum(grants.take_one(key, NOON) for _ in range(100))

    made = sum(at_once(*(partial(all_they_can, grants) for grants in processes)))
    # Each may be left with one of its part of two.
    assert 250 - 4 <= made <= 250


def test_a_key_is_looked_up_once_in_five_seconds(django_assert_num_queries, monkeypatch):
    _, whole = a_key(requests_per_minute=1_000_000)
    Program(whole).get("/calls")
    with django_assert_num_queries(1):  # the calls
        Program(whole).get("/calls")
    later(monkeypatch, KnownKeys.KEPT_S)
    with django_assert_num_queries(2):
        Program(whole).get("/calls")


def test_a_key_that_another_process_revokes_is_useless_within_five_seconds(monkeypatch):
    key, whole = a_key()
    assert Program(whole).get("/calls").status_code == 200
    ApiKey._base_manager.filter(pk=key.pk).update(revoked_at=NOON)
    assert Program(whole).get("/calls").status_code == 200
    later(monkeypatch, KnownKeys.KEPT_S)
    assert refused(Program(whole).get("/calls"))


def test_what_was_read_before_a_revocation_is_not_kept_after(monkeypatch):
    """The one that reads is overtaken by the one that revokes."""
    key, whole = a_key()
    first = ApiKeyQuerySet.first

    def overtaken(keys):
        found = first(keys)
        monkeypatch.setattr(ApiKeyQuerySet, "first", first)
        revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
        return found

    monkeypatch.setattr(ApiKeyQuerySet, "first", overtaken)
    assert Program(whole).get("/calls").status_code == 200
    assert refused(Program(whole).get("/calls"))


def later(monkeypatch, seconds: float) -> None:
    """Turn the clock that nobody sets forward."""
    at = time.monotonic() + seconds
    monkeypatch.setattr("temphone.accounts.models.time", SimpleNamespace(monotonic=lambda: at))
