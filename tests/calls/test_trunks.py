"""Trunks and numbers change by verbs: for admins, with an audit row, and under the claim's lock."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from calls.actions.dialing import claim_due
from calls.actions.numbers import add_number, change_number, make_default, remove_number
from calls.actions.trunks import change_trunk, create_trunk, delete_trunk, get_trunk, switch_trunk
from calls.models import Number, Pacing, Trunk, TrunkKind
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry, Mode
from temphone.lib.errors import Conflict, Forbidden, Invalid, NotFound
from temphone.lib.sealing import Unreadable, seal, unseal
from tests.builders import NOON, a_call, a_gateway, a_number, a_trunk, a_twilio_trunk, ready
from tests.threads import at_once

pytestmark = pytest.mark.django_db
ADMIN = Actor(kind="user", id="1", label="Ada", role=Role.ADMIN)
SIP = {"name": "Provider", "host": "sip.example.com", "port": 5061, "transport": "tls", "user": "7001"}
TWILIO = {"name": "Twilio", "account_sid": "AC" + 32 * "0"}


def create(kind=TrunkKind.SIP, values=None, *, secret="geheim", actor=ADMIN):
    return create_trunk(actor=actor, kind=kind, values=values or SIP, secret=secret, now=NOON)


def audited():
    return [(entry.action, entry.target) for entry in AuditEntry.objects.order_by("id")]


def test_a_trunk_is_created_switched_on_and_its_secret_is_kept_sealed():
    trunk = Trunk.objects.get(pk=create().pk)
    assert trunk.pk.startswith("trk_")
    assert (trunk.host, trunk.port, trunk.enabled, trunk.secret) == ("sip.example.com", 5061, True, "geheim")
    assert "geheim" not in trunk.sealed
    assert audited() == [("trunk.create", trunk.pk)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_only_an_admin_changes_anything(role):
    actor = Actor(kind="user", id="3", label="Val", role=role)
    trunk, number = a_trunk(), a_number()
    for verb in (
        lambda: create(actor=actor),
        lambda: get_trunk(actor=actor, trunk_id=trunk.pk),
        lambda: change_trunk(actor=actor, trunk_id=trunk.pk, values={"lines": 2}, now=NOON),
        lambda: switch_trunk(actor=actor, trunk_id=trunk.pk, on=False, now=NOON),
        lambda: delete_trunk(actor=actor, trunk_id=trunk.pk),
        lambda: add_number(actor=actor, number="+34911234567", now=NOON),
        lambda: change_number(actor=actor, number_id=number.pk, name="x", trunk_id=None, now=NOON),
        lambda: make_default(actor=actor, number_id=number.pk, now=NOON),
        lambda: remove_number(actor=actor, number_id=number.pk),
    ):
        with pytest.raises(Forbidden):
            verb()
    assert audited() == []
    assert (Trunk.objects.get().enabled, Number.objects.count()) == (True, 1)


def test_a_change_keeps_the_secret_unless_another_is_given():
    trunk = create()
    change_trunk(actor=ADMIN, trunk_id=trunk.pk, values={**SIP, "lines": 30}, now=NOON)
    trunk.refresh_from_db()
    assert (trunk.lines, trunk.secret) == (30, "geheim")
    change_trunk(actor=ADMIN, trunk_id=trunk.pk, values=SIP, secret="neu", now=NOON)
    trunk.refresh_from_db()
    assert trunk.secret == "neu"
    assert [entry.details for entry in AuditEntry.objects.filter(action="trunk.change").order_by("id")] == [
        {"fields": ["lines"]},
        {"fields": ["secret"]},
    ]


@pytest.mark.parametrize(
    ("kind", "values", "moved"),
    [
        (TrunkKind.SIP, SIP, {"host": "evil.example.com"}),
        (TrunkKind.TWILIO, TWILIO, {"api_url": "https://evil.example.com"}),
    ],
)
def test_a_kept_secret_goes_to_no_new_address(kind, values, moved):
    trunk = create(kind, values)
    with pytest.raises(Invalid) as refusal:
        change_trunk(actor=ADMIN, trunk_id=trunk.pk, values={**values, **moved}, now=NOON)
    assert list(refusal.value.fields) == ["secret"]
    change_trunk(actor=ADMIN, trunk_id=trunk.pk, values={**values, **moved}, secret="neu", now=NOON)
    assert Trunk.objects.get().secret == "neu"


@pytest.mark.parametrize(
    ("kind", "values", "secret", "field"),
    [
        (TrunkKind.TWILIO, TWILIO, "", "secret"),
        (TrunkKind.SIP, SIP, "", "secret"),
        (TrunkKind.SIP, {**SIP, "user": "", "registers": True}, "", "user"),
        (TrunkKind.SIP, {**SIP, "name": "Main trunk"}, "x", "name"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(kind, values, secret, field):
    a_trunk()
    with pytest.raises(Invalid) as refusal:
        create(kind, values, secret=secret)
    assert list(refusal.value.fields) == [field]
    assert refusal.value.message.startswith(f"Field '{field}' must ")
    assert Trunk.objects.count() == 1


def test_a_trunk_stays_of_its_kind():
    trunk = create(TrunkKind.TWILIO, TWILIO)
    with pytest.raises(ValueError, match="host"):
        change_trunk(actor=ADMIN, trunk_id=trunk.pk, values={"host": "x"}, secret="x", now=NOON)


def test_without_a_user_no_password_is_kept():
    trunk = create()
    change_trunk(actor=ADMIN, trunk_id=trunk.pk, values={**SIP, "user": ""}, now=NOON)
    assert Trunk.objects.get().sealed == ""


def test_to_switch_a_trunk_twice_is_told_of_once():
    trunk = a_trunk()
    for _ in range(2):
        switch_trunk(actor=ADMIN, trunk_id=trunk.pk, on=False, now=NOON)
    switch_trunk(actor=ADMIN, trunk_id=trunk.pk, on=True, now=NOON)
    assert audited() == [("trunk.off", trunk.pk), ("trunk.on", trunk.pk)]


def test_a_trunk_that_was_never_used_is_deleted():
    trunk = a_trunk()
    delete_trunk(actor=ADMIN, trunk_id=trunk.pk)
    assert not Trunk.objects.exists()
    assert audited() == [("trunk.delete", trunk.pk)]
    with pytest.raises(NotFound):
        get_trunk(actor=ADMIN, trunk_id=trunk.pk)


def test_a_trunk_with_a_number_or_an_attempt_is_not_deleted(settings):
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}
    trunk = a_trunk()
    number = a_number(trunk=trunk)
    with pytest.raises(Conflict, match="Numbers go by the trunk"):
        delete_trunk(actor=ADMIN, trunk_id=trunk.pk)
    a_gateway(trunks=ready(trunk))
    a_call(mode=Mode.LIVE)
    claim_due(mode="live", now=NOON)
    number.delete()
    with pytest.raises(Conflict, match="Switch it off instead"):
        delete_trunk(actor=ADMIN, trunk_id=trunk.pk)
    assert Trunk.objects.exists()


def test_the_first_number_is_the_default_and_another_is_made_so():
    first = add_number(actor=ADMIN, number="+1 (415) 555-0190", now=NOON)
    second = add_number(actor=ADMIN, number="+34 911 23 45 67", name="Madrid", now=NOON)
    assert (first.e164, first.is_default, second.is_default) == ("+14155550190", True, False)
    make_default(actor=ADMIN, number_id=second.pk, now=NOON)
    assert [number.pk for number in Number.objects.filter(is_default=True)] == [second.pk]
    assert audited() == [
        ("number.add", first.pk),
        ("number.add", second.pk),
        ("number.default", second.pk),
    ]


def test_a_number_is_added_once_and_must_be_one():
    trunk = a_trunk()
    add_number(actor=ADMIN, number="+14155550190", trunk_id=trunk.pk, now=NOON)
    for number in ("+1-415-555-0190", "555 0190", "nonsense"):
        with pytest.raises(Invalid, match="Field 'number' must be"):
            add_number(actor=ADMIN, number=number, now=NOON)
    with pytest.raises(NotFound):
        add_number(actor=ADMIN, number="+34911234567", trunk_id="trk_nowhere", now=NOON)
    assert Number.objects.get().trunk == trunk


def test_the_default_is_removed_last():
    first, second = a_number(), a_number("+34911234567")
    with pytest.raises(Conflict, match="Make another the default first"):
        remove_number(actor=ADMIN, number_id=first.pk)
    remove_number(actor=ADMIN, number_id=second.pk)
    remove_number(actor=ADMIN, number_id=first.pk)
    assert not Number.objects.exists()


def test_a_number_goes_by_another_trunk():
    number, trunk = a_number(), a_twilio_trunk()
    change_number(actor=ADMIN, number_id=number.pk, name="Sales", trunk_id=trunk.pk, now=NOON)
    number.refresh_from_db()
    assert (number.name, number.trunk) == ("Sales", trunk)


def test_a_secret_is_read_under_its_own_key_alone():
    sealed = seal("geheim", secret="one")
    assert unseal(sealed, secret="one") == "geheim"
    assert seal("geheim", secret="one") != sealed
    for text, secret in ((sealed, "two"), (sealed[:-2] + "AA", "one"), ("", "one"), ("geheim", "one")):
        with pytest.raises(Unreadable):
            unseal(text, secret=secret)


def test_under_another_secret_key_a_trunk_is_not_readable(settings):
    trunk = a_twilio_trunk()
    assert trunk.is_readable
    settings.SECRET_KEY = "another"
    assert not trunk.is_readable
    assert a_trunk().is_readable  # it has none


@pytest.mark.django_db(transaction=True)
def test_two_first_numbers_at_once_make_one_default():
    numbers = ("+14155550190", "+34911234567")
    at_once(*(partial(add_number, actor=ADMIN, number=number, now=NOON) for number in numbers))
    assert Number.objects.filter(is_default=True).count() == 1
    assert Number.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_switch_waits_for_the_claim_under_way():
    trunk = a_trunk()
    switched = threading.Event()

    def switch():
        switch_trunk(actor=ADMIN, trunk_id=trunk.pk, on=False, now=NOON)
        switched.set()
        connection.close()

    with transaction.atomic():
        Pacing.lock("sip", "twilio")  # as a claim does
        thread = threading.Thread(target=switch)
        thread.start()
        assert not switched.wait(0.3)
    thread.join()
    assert switched.is_set()
