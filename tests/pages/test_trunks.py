from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Attempt, Gateway, Number, Tariff, Trunk, tariff_of
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry
from tests.builders import a_gateway, a_number, a_trunk, a_twilio_trunk, ready
from tests.pages.conftest import EARLIER, a_live_call, htmx, text_of

LIST, NEW = "/setup/trunks/", "/setup/trunks/new/"
SIP = {
    "kind": "sip",
    "name": "Provider",
    "host": "sip.example.com",
    "port": "",
    "transport": "tls",
    "user": "7001",
    "secret": "geheim",
    "lines": "30",
    "priority": "10",
    "per_minute": "",
    "billed_by_s": "60",
}
TWILIO = {
    "kind": "twilio",
    "name": "Twilio",
    "account_sid": "AC" + 32 * "0",
    "secret": "token",
    "api_url": "https://api.twilio.com/",
    "lines": "5",
    "priority": "20",
    "per_minute": "",
    "billed_by_s": "60",
}


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


def told(trunk, problem="") -> dict[str, object]:
    return {trunk.pk: {"ready": False, "problem": problem}}


def states(*, trunks) -> None:
    Gateway.objects.update(trunks=trunks)


def test_without_trunks_the_page_says_what_they_are_and_what_to_do(admin):
    page = text_of(admin, LIST)

    assert "Live calls are refused until there is a trunk" in page
    assert "No trunk yet" in page
    assert f"{NEW}?kind=twilio" in page


def test_a_sip_trunk_is_added(admin):
    response = admin.post(NEW, SIP)

    trunk = Trunk.objects.get()
    assert response.url == f"/setup/trunks/{trunk.pk}/"
    assert (trunk.kind, trunk.host, trunk.port, trunk.transport) == ("sip", "sip.example.com", 5061, "tls")
    assert (trunk.user, trunk.secret, trunk.registers, trunk.lines) == ("7001", "geheim", False, 30)
    assert "The trunk Provider is saved." in text_of(admin, response.url)


def test_a_twilio_account_is_added(admin):
    admin.post(NEW, TWILIO)

    trunk = Trunk.objects.get()
    assert (trunk.kind, trunk.account_sid, trunk.secret) == ("twilio", "AC" + 32 * "0", "token")
    assert trunk.api_url == "https://api.twilio.com"


def test_only_the_fields_of_the_kind_are_shown_without_javascript_too(admin):
    sip, twilio = text_of(admin, NEW), text_of(admin, f"{NEW}?kind=twilio&name=Mine")

    assert 'name="host"' in sip
    assert 'name="account_sid"' not in sip
    assert 'name="account_sid"' in twilio
    assert 'name="host"' not in twilio
    assert 'value="Mine"' in twilio
    assert '<input type="hidden" name="kind" value="twilio">' in twilio
    fragment = htmx(admin, NEW, kind="twilio")
    assert 'name="account_sid"' in fragment
    assert "<h1>" not in fragment


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"host": "sip:sip.example.com"}, "host", "Write the server alone"),
        ({"host": "a b"}, "host", "Write the server alone"),
        ({"port": "70000"}, "port", "less than or equal to 65535"),
        ({"transport": "carrier pigeon"}, "transport", "Select a valid choice."),
        ({"user": "a;transport=udp>"}, "user", "A user has no spaces"),
        ({"user": "7001\r\nX: y"}, "user", "A user has no spaces"),
        ({"secret": "a\tb"}, "secret", "Copy it again."),
        ({"secret": ""}, "secret", "This must be given for a user."),
        ({"user": "", "registers": "on"}, "user", "This must be given for a trunk that registers."),
        ({"lines": "0"}, "lines", "greater than or equal to 1"),
        ({"name": "Main trunk"}, "name", "a trunk has it already."),
    ],
)
def test_an_error_of_a_sip_trunk_stands_at_its_field(admin, changed, field, message):
    a_trunk()

    response = admin.post(NEW, {**SIP, **changed})

    assert message in response.context["form"].errors[field][0]
    assert Trunk.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"secret": ""}, "secret"),
        ({"account_sid": "SK123"}, "account_sid"),
        ({"api_url": "ftp://api.twilio.com"}, "api_url"),
        ({"api_url": "https://user:pass@api.twilio.com"}, "api_url"),
        ({"api_url": "https://api.twilio.com?a=b"}, "api_url"),
        ({"api_url": "https://"}, "api_url"),
        ({"api_url": "https://[::1"}, "api_url"),
    ],
)
def test_an_error_of_a_twilio_account_stands_at_its_field(admin, changed, field):
    response = admin.post(NEW, {**TWILIO, **changed})

    assert response.context["form"].errors[field]
    assert not Trunk.objects.exists()


@pytest.mark.parametrize("host", ["sip.example.com", "192.0.2.1", "[2001:db8::1]", "localhost"])
def test_a_server_is_a_name_or_an_address(admin, host):
    admin.post(NEW, {**SIP, "host": host})

    assert Trunk.objects.get().host == host


def test_what_its_minutes_cost_is_kept_and_shown_again(admin):
    admin.post(NEW, {**SIP, "per_minute": "0.0125", "billed_by_s": "6"})
    trunk = Trunk.objects.get()
    page = text_of(admin, f"/setup/trunks/{trunk.pk}/")
    assert tariff_of(trunk) == Tariff(per_minute=Decimal("0.0125"), billed_by_s=6)
    assert 'value="0.0125"' in page
    assert '<option value="6" selected>every 6 seconds begun</option>' in page
    assert "In USD, of calls that are answered." in page

    changed = {**SIP, "secret": "", "per_minute": "-1"}
    response = admin.post(f"/setup/trunks/{trunk.pk}/", changed)
    assert "greater than or equal to 0" in response.context["form"].errors["per_minute"][0]
    admin.post(f"/setup/trunks/{trunk.pk}/", {**SIP, "secret": ""})
    assert tariff_of(trunk) == Tariff()


def test_a_trunk_is_changed_and_stays_of_its_kind(admin):
    trunk = a_twilio_trunk(secret="token")
    url = f"{LIST}{trunk.pk}/"
    page = text_of(admin, url)
    assert 'name="account_sid"' in page
    assert 'name="host"' not in page
    assert "Kept, and never shown." in page

    admin.post(url, {**TWILIO, "kind": "sip", "host": "x", "name": "Renamed", "secret": ""})

    trunk.refresh_from_db()
    assert (trunk.kind, trunk.name, trunk.secret, trunk.host) == ("twilio", "Renamed", "token", "")


def test_a_kept_secret_is_asked_for_when_it_would_go_elsewhere(admin):
    trunk = a_trunk(secret="geheim", user="7001", host="sip.example.com")

    response = admin.post(f"{LIST}{trunk.pk}/", {**SIP, "host": "sip.example.org", "secret": ""})

    assert "must be given again" in response.context["form"].errors["secret"][0]


@pytest.mark.parametrize(
    ("trunks", "words"),
    [
        (ready, "Ready on 1 gateway"),
        (lambda trunk: {}, "Not tried yet"),
        (lambda trunk: told(trunk, "wrong password (403)"), "Wrong password (403)"),
        (lambda trunk: told(trunk, "the provider does not answer on port 5060 at all"), "Not ready"),
    ],
)
def test_the_state_is_said_in_words(admin, trunks, words):
    trunk = a_trunk()
    states(trunks=trunks(trunk))

    for url in (LIST, f"{LIST}{trunk.pk}/"):
        page = text_of(admin, url)
        assert words in page
        assert words in htmx(admin, url)
    if words == "Not ready":
        assert "The provider does not answer on port 5060 at all" in page


def test_a_trunk_that_is_ready_somewhere_says_where_it_is_not(admin):
    trunk = a_trunk()
    states(trunks=ready(trunk))
    a_gateway(ledger="gw_b", now=EARLIER, trunks=told(trunk, "403 wrong password"))

    page = text_of(admin, LIST)

    assert "Ready on 1 of 2 gateways" in page
    assert "403 wrong password" in page


def test_a_silent_gateway_does_not_count(admin):
    a_trunk()
    Gateway.objects.all().delete()

    assert "No gateway is running" in text_of(admin, LIST)


def test_lines_in_use_are_counted(admin):
    trunk = a_trunk()
    _, attempt = a_live_call()
    Attempt.objects.filter(pk=attempt.pk).update(trunk=trunk)

    assert "1 of 10 lines in use" in text_of(admin, LIST)


def test_a_trunk_is_switched_off_and_on(admin):
    trunk = a_trunk()
    url = f"{LIST}{trunk.pk}/switch/"
    assert "Switch Main trunk off?" in htmx(admin, url)

    admin.post(url, {"on": "0"})

    assert not Trunk.objects.get().enabled
    assert "Switched off" in text_of(admin, LIST)
    assert "Switch Main trunk on?" in htmx(admin, url)

    admin.post(url, {"on": "1"})

    assert Trunk.objects.get().enabled
    actions = AuditEntry.objects.order_by("id").values_list("action", "actor_kind")
    assert list(actions) == [("trunk.off", "user"), ("trunk.on", "user")]


def test_a_trunk_is_deleted_only_while_it_is_unused(admin):
    used, unused = a_trunk(), a_trunk(name="Unused")
    _, attempt = a_live_call()
    Attempt.objects.filter(pk=attempt.pk).update(trunk=used)
    assert "/delete/" not in text_of(admin, f"{LIST}{used.pk}/")
    assert "/delete/" in text_of(admin, f"{LIST}{unused.pk}/")

    for trunk in (used, unused):
        admin.post(f"{LIST}{trunk.pk}/delete/")

    assert list(Trunk.objects.all()) == [used]
    assert "Switch it off instead." in text_of(admin, LIST)


def test_a_number_is_added_changed_made_the_default_and_removed(admin):
    trunk = a_trunk()
    admin.post("/setup/numbers/new/", {"number": "+1 (415) 555-0190", "name": "Sales", "trunk": trunk.pk})
    admin.post("/setup/numbers/new/", {"number": "+34 911 23 45 67", "name": "", "trunk": ""})
    first, second = Number.objects.order_by("created_at")
    assert (first.e164, first.name, first.trunk, first.is_default) == ("+14155550190", "Sales", trunk, True)
    page = text_of(admin, LIST)
    assert "by Main trunk" in page
    assert "by any trunk" in page
    assert "Live calls can be scheduled" in page

    admin.post(f"/setup/numbers/{second.pk}/default/")
    admin.post(f"/setup/numbers/{second.pk}/", {"name": "Madrid", "trunk": trunk.pk})
    second.refresh_from_db()
    assert (second.is_default, second.name, second.trunk) == (True, "Madrid", trunk)

    admin.post(f"/setup/numbers/{second.pk}/remove/")
    assert "Make another the default first." in text_of(admin, LIST)
    admin.post(f"/setup/numbers/{first.pk}/remove/")
    assert list(Number.objects.all()) == [second]


@pytest.mark.parametrize("number", ["555 0190", "nonsense", "", "+1 415 555 0190"])
def test_a_number_that_does_not_do_says_so(admin, number):
    a_number()

    response = admin.post("/setup/numbers/new/", {"number": number})

    assert response.context["form"].errors["number"]
    assert Number.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_the_trunks(admin):
    counts = []
    for part in range(2):
        for number in range(3):
            trunk = a_trunk(name=f"Trunk {part}{number}")
            a_number(f"+3491123450{part}{number}", trunk=trunk)
        with CaptureQueriesContext(connection) as queries:
            text_of(admin, LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16


def test_setup_is_in_the_menu_of_admins_alone(browse):
    assert LIST in text_of(browse(Role.ADMIN), "/calls/")
    assert LIST not in text_of(browse(Role.MANAGER), "/calls/")


def test_a_calls_page_names_the_trunk_that_carried_it(admin):
    trunk = a_trunk()
    call, attempt = a_live_call()
    Attempt.objects.filter(pk=attempt.pk).update(trunk=trunk)

    assert "Main trunk" in text_of(admin, f"/calls/{call.pk}/")
