"""A trunk's password or token: sealed in the database, told to gateways alone, and nowhere else."""

import logging
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection
from django.test import Client

from calls.actions.dialing import claim_due
from calls.actions.trunks import change_trunk, create_trunk
from calls.models import Decision, Trunk, TrunkKind
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import AuditEntry, Mode, User
from temphone.telephony.logs import PlainFormatter
from temphone.telephony.messages import Heartbeat, SipTrunk, TwilioTrunk, Welcome, decode, encode
from temphone.telephony.signing import sign
from tests.api.client import Program
from tests.builders import NOON, a_call, a_gateway, a_key, a_number, ready

pytestmark = pytest.mark.django_db
PASSWORD, TOKEN = "canary-of-the-sip-trunk", "canary0123456789abcdef0123456789"
HEARTBEAT = "/carriers/gateway/heartbeat"


@pytest.fixture
def trunks(settings) -> list[Trunk]:
    settings.POLICIES = settings.POLICIES | {"live": {"consent": "off", "hours": "warn"}}
    sip = {"name": "Provider", "host": "sip.example.com", "user": "7001", "registers": True}
    twilio = {"name": "Twilio", "account_sid": "AC" + 32 * "0"}
    made = [
        create_trunk(actor=SYSTEM, kind=TrunkKind.SIP, values=sip, secret=PASSWORD, now=NOON),
        create_trunk(actor=SYSTEM, kind=TrunkKind.TWILIO, values=twilio, secret=TOKEN, now=NOON),
    ]
    change_trunk(actor=SYSTEM, trunk_id=made[0].pk, values={"lines": 5}, secret=PASSWORD, now=NOON)
    return made


def is_clean(text: str) -> bool:
    return PASSWORD not in text and TOKEN not in text


def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="ada", role=Role.ADMIN, is_staff=True))
    return client


def beat(**fields) -> Heartbeat:
    return Heartbeat(
        ledger="gw_new",
        url="http://127.0.0.1:7000",
        version="1",
        lines=10,
        live=0,
        outbox=0,
        legs=["simulated"],
        at=datetime.now(UTC),
        **fields,
    )


def send(client, settings, message: Heartbeat, *, secret: str = ""):
    body = encode(message)
    headers = sign(body, secret=secret or settings.GATEWAY_SECRET)
    return client.post(HEARTBEAT, body, content_type="application/json", headers=headers)


def test_no_page_of_admins_and_no_row_of_the_back_office_holds_it(trunks):
    client = admin()
    number = a_number(trunk=trunks[0])
    paths = ["/setup/trunks/", f"/setup/numbers/{number.pk}/", "/admin/calls/trunk/", "/admin/"]
    for trunk in trunks:
        paths += [f"/setup/trunks/{trunk.pk}/{page}" for page in ("", "switch/", "delete/")]
        paths.append(f"/admin/calls/trunk/{trunk.pk.replace('_', '_5F')}/change/")
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert is_clean(page), path
        assert all(trunk.sealed not in page for trunk in Trunk.objects.all()), path


def test_a_form_that_is_refused_does_not_repeat_it(trunks):
    client = admin()
    sent = {"kind": "sip", "name": "Provider", "host": "no host", "user": "1", "secret": PASSWORD}
    for path in ("/setup/trunks/new/", f"/setup/trunks/{trunks[0].pk}/"):
        answer = client.post(path, sent)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert is_clean(answer.content.decode())


def test_the_choice_of_the_kind_carries_no_secret_into_an_address(trunks):
    page = admin().get("/setup/trunks/new/").content.decode()
    assert page.count("hx-include") == page.count('hx-params="name,lines,priority"') == 2


def test_the_audit_log_and_the_api_do_not_hold_it(trunks):
    a_number(trunk=trunks[0])
    a_gateway(trunks=ready(*trunks), legs=["sip"])
    call = a_call(mode=Mode.LIVE)
    claim_due(mode="live", now=NOON)
    program = Program(a_key(mode=Mode.LIVE)[1])
    for path in (f"/calls/{call.pk}", "/calls"):
        assert is_clean(program.get(path).content.decode())
    told = str(list(AuditEntry.objects.values()))
    assert trunks[0].pk in told
    assert is_clean(told + str(list(Decision.objects.values())))


def test_neither_a_dump_nor_the_tables_themselves_hold_it(trunks):
    rows = (row for model in apps.get_models() for row in model.objects.all())
    assert is_clean(serializers.serialize("json", rows))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM calls_trunk")
        kept = str(cursor.fetchall())
    assert "sip.example.com" in kept
    assert is_clean(kept)


def test_nothing_that_a_log_or_a_traceback_would_print_holds_it(trunks, client, settings, caplog):
    caplog.set_level(logging.DEBUG)
    answer = send(client, settings, beat())
    welcome = decode(answer.content, Welcome)
    for shown in (*trunks, *welcome.trunks, welcome, [trunk.message for trunk in trunks]):
        assert is_clean(repr(shown) + str(shown))
    settings.SECRET_KEY = "another"
    send(client, settings, beat())
    logged = "\n".join(map(PlainFormatter().format, caplog.records))
    assert "sealed with another SECRET_KEY" in logged
    assert is_clean(logged)


def test_a_heartbeat_is_told_the_trunks_that_are_switched_on(trunks, client, settings):
    Trunk.objects.filter(pk=trunks[0].pk).update(port=5061, transport="tls")
    welcome = decode(send(client, settings, beat()).content, Welcome)
    assert sorted(welcome.trunks, key=lambda trunk: trunk.lines) == [
        SipTrunk(
            id=trunks[0].pk,
            lines=5,
            host="sip.example.com",
            port=5061,
            transport="tls",
            user="7001",
            password=PASSWORD,
            registers=True,
        ),
        TwilioTrunk(id=trunks[1].pk, lines=10, account_sid="AC" + 32 * "0", auth_token=TOKEN),
    ]
    assert abs((welcome.at - datetime.now(UTC)).total_seconds()) < 5
    Trunk.objects.update(enabled=False)
    assert decode(send(client, settings, beat()).content, Welcome).trunks == []


def test_without_the_gateways_signature_nobody_is_told(trunks, client, settings):
    stranger = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    for answer in (
        send(client, settings, beat(), secret=stranger),
        client.post(HEARTBEAT, encode(beat()), content_type="application/json"),
    ):
        assert answer.status_code == 401
        assert answer.content == b""


def test_a_trunk_that_cannot_be_read_keeps_no_gateway_from_the_others(trunks, client, settings):
    settings.SECRET_KEY = "another"
    readable = create_trunk(actor=SYSTEM, kind=TrunkKind.SIP, values={"name": "New", "host": "b"}, now=NOON)
    answer = send(client, settings, beat())
    assert [trunk.id for trunk in decode(answer.content, Welcome).trunks] == [readable.pk]
    page = admin().get("/setup/trunks/").content.decode()
    assert page.count("SECRET_KEY has changed since it was typed. Type it again.") == 2
