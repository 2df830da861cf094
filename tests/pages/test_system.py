from datetime import timedelta

import pytest
from django_q.models import Failure, OrmQ

from calls.models import Beat, Call, Gateway
from calls.views import vitals
from calls.views.vitals import bells_unheard, lateness_ms
from temphone.accounts.actors import Role
from temphone.health import report
from tests.builders import NOON, a_call, a_delivery, a_trunk
from tests.pages.conftest import EARLIER, an_attempt, htmx, text_of

PAGE = "/setup/system/"


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


@pytest.fixture
def all_runs(admin) -> None:
    for name in ("clock", "worker"):
        Beat.mark(name, EARLIER)


def states(client) -> dict[str, str]:
    context = client.get(PAGE).context
    return {str(one.name): one.state for one in (*context["programs"], *context["measured"])}


def test_all_is_well_where_all_runs(admin, all_runs):
    assert set(states(admin).values()) == {"good"}
    assert "Everything runs as it should." in htmx(admin, PAGE)


def test_it_says_what_readyz_says_and_what_to_do(admin, all_runs):
    Beat.objects.filter(pk="clock").update(at=EARLIER - timedelta(seconds=60))

    shown = text_of(admin, PAGE)

    assert report(EARLIER)["clock"] == "not seen for 60 s"
    assert "Not seen for 60 s" in shown
    assert "Start the clock: python manage.py clock." in shown
    assert "Something does not work." in shown


def test_bells_that_nobody_hears_are_counted_and_those_in_hand_are_not(admin, all_runs, monkeypatch):
    monkeypatch.setattr(vitals, "MANY_BELLS", 2)
    for lock in (EARLIER, EARLIER - timedelta(seconds=1), EARLIER + timedelta(seconds=60)):
        OrmQ.objects.create(key="temphone", payload="", lock=lock)

    assert bells_unheard(EARLIER) == 2
    assert states(admin)["Tasks that wait for the worker"] == "doubtful"


def test_calls_that_are_due_for_long_are_named(admin, all_runs):
    call = a_call()
    Call.objects.filter(pk=call.pk).update(due_at=EARLIER - timedelta(seconds=59))
    assert states(admin)["Calls that are due"] == "good"
    Call.objects.filter(pk=call.pk).update(due_at=EARLIER - timedelta(seconds=61))
    assert states(admin)["Calls that are due"] == "doubtful"
    assert "1 for more than a minute" in text_of(admin, PAGE)


def test_lateness_is_that_of_the_dials_of_the_last_hour():
    ends = {"state": "ended", "outcome": "busy"}
    for late_ms in (300, 200, 7_000):
        call = a_call()
        Call.objects.filter(pk=call.pk).update(due_at=NOON)
        an_attempt(call, created_at=NOON + timedelta(milliseconds=late_ms), to=f"+1{late_ms}", **ends)
    again = a_call()
    Call.objects.filter(pk=again.pk).update(due_at=NOON + timedelta(minutes=30))
    an_attempt(again, created_at=NOON + timedelta(seconds=9), to="+19", **ends)
    old = a_call()
    Call.objects.filter(pk=old.pk).update(due_at=NOON - timedelta(hours=2))
    an_attempt(old, created_at=NOON - timedelta(hours=1), to="+18", **ends)

    assert lateness_ms(NOON + timedelta(minutes=1)) == [200, 300, 7_000]


def test_messages_and_tasks_that_failed_are_named(admin, all_runs):
    a_delivery(at=EARLIER - timedelta(minutes=16))
    Failure.objects.create(
        id="1", name="n", func="calls.tasks.dial_due", success=False, started=EARLIER, stopped=EARLIER
    )
    Failure.objects.create(
        id="2", name="o", func="old", success=False, started=EARLIER, stopped=EARLIER - timedelta(days=8)
    )

    found = states(admin)

    assert found["Webhook messages that wait"] == "doubtful"
    assert found["Tasks that failed, last 7 days"] == "doubtful"
    assert "the last: calls.tasks.dial_due" in text_of(admin, PAGE)


def test_a_full_disk_is_named(admin, all_runs, monkeypatch):
    usage = type("Usage", (), {"total": 100 * 2**30, "free": 2 * 2**30})
    monkeypatch.setattr(vitals.shutil, "disk_usage", lambda _folder: usage)
    assert states(admin)["Disk of the data folder"] == "bad"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Working"),
        ({"last_seen_at": EARLIER - timedelta(minutes=1)}, "Silent"),
        ({"clock_skew_ms": 2_500}, "Clock is off"),
        ({"unreachable_at": EARLIER}, "Cannot be reached"),
        ({"outbox": 5_000}, "Behind"),
    ],
)
def test_each_gateway_says_how_it_is(admin, all_runs, columns, words):
    trunk = a_trunk()
    Gateway.objects.update(**columns, trunks={trunk.pk: {"ready": False, "problem": "busy here"}})

    shown = text_of(admin, PAGE)

    assert f"{words}</span>" in shown
    assert "Main trunk: busy here" in shown


def test_the_page_costs_the_same_however_much_there_is(admin, all_runs, django_assert_max_num_queries):
    for number in range(20):
        a_delivery(subject=f"call_{number}", at=EARLIER)
    with django_assert_max_num_queries(26):
        text_of(admin, PAGE)
