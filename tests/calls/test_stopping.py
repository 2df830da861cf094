"""Stopping all calls, and hanging up what is live."""

import pytest

from calls.actions.stop import hang_up_live, set_stop_switch
from calls.models import Call, StopSwitch
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry, User
from temphone.lib.errors import Forbidden
from tests.builders import NOON, a_call
from tests.pages.conftest import a_finished_call, a_live_call

pytestmark = pytest.mark.django_db


def test_what_is_live_is_hung_up_and_nothing_else():
    live, _ = a_live_call()
    waiting, done = a_call(), a_finished_call()
    set_stop_switch(actor=SYSTEM, on=True, now=NOON)

    assert hang_up_live(actor=SYSTEM, now=NOON) == 1

    assert [call.pk for call in Call.objects.exclude(hang_up_requested_at=None)] == [live.pk]
    assert {Call.objects.get(pk=call.pk).status for call in (waiting, done)} == {"scheduled", "completed"}
    assert live.events.last().reason == "all calls were stopped by TemPhone"
    assert AuditEntry.objects.get(action="stop.hang_up").details == {"calls": 1}


def test_what_is_asked_for_once_is_not_asked_for_again():
    a_live_call()

    assert hang_up_live(actor=SYSTEM, now=NOON) == 1
    assert hang_up_live(actor=SYSTEM, now=NOON) == 0


def test_it_needs_a_manager():
    operator = Actor(kind="user", id="7", label="Ana", role=Role.OPERATOR)

    with pytest.raises(Forbidden):
        hang_up_live(actor=operator, now=NOON)


def test_the_page_hangs_up_only_when_that_is_ticked(db, client):
    client.force_login(User.objects.create(username="maria", role=Role.MANAGER))
    live, _ = a_live_call()

    client.post("/stop/", {"on": "1", "reason": "A storm"})
    assert StopSwitch.read().on
    assert Call.objects.get(pk=live.pk).hang_up_requested_at is None

    page = client.post("/stop/", {"on": "1", "hang_up": "on"}, follow=True).content.decode()
    assert "the hang-up of 1 call is asked for." in page
    assert Call.objects.get(pk=live.pk).hang_up_requested_at
