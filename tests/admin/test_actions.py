import re

import pytest
from django.contrib.admin.utils import quote  # an id after "_" may read as an escape
from django.contrib.messages import get_messages
from django.urls import reverse

from calls.models import Call, Pacing
from campaigns.models import Campaign
from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, AuditEntry, User
from temphone.webhooks.models import Delivery, DeliveryState
from tests.admin.conftest import a_whole_call, fill_all, logged_in, staff
from tests.builders import a_campaign, a_contact, a_delivery, an_endpoint

DELIVERIES = "/admin/webhooks/delivery/"
KEYS = "/admin/accounts/apikey/"
CAMPAIGNS = "/admin/campaigns/campaign/"
STAFF = "/admin/accounts/user/"


def told(answer) -> list[str]:
    return [message.message for message in get_messages(answer.wsgi_request)]


# Deliveries


def test_a_message_that_was_given_up_is_sent_again(office):
    delivery = a_delivery()
    Delivery.objects.update(state=DeliveryState.EXHAUSTED, tries=10)
    answer = office.post(DELIVERIES, {"action": "send_again", "_selected_action": str(delivery.pk)})
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (DeliveryState.PENDING, 0)
    assert told(answer) == ["Messages to be sent again: 1."]
    assert AuditEntry.objects.get().target == delivery.event_id


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_who_is_no_admin_sends_nothing_again(db, role):
    delivery = a_delivery()
    Delivery.objects.update(state=DeliveryState.EXHAUSTED)
    client = logged_in(role)
    assert "send_again" not in client.get(DELIVERIES).content.decode()
    client.post(DELIVERIES, {"action": "send_again", "_selected_action": str(delivery.pk)})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.EXHAUSTED


def test_an_endpoints_address_is_not_shown_to_whom_its_page_is_not(db):
    endpoint = an_endpoint(url="https://crm.example.com/hooks?token=sesame")
    delivery = a_delivery(endpoint_id=endpoint.pk, url=endpoint.url, sequence=0)
    own = a_delivery(url="https://own.example.com/calls")
    client = logged_in(Role.VIEWER)
    for path in (DELIVERIES, reverse("admin:webhooks_delivery_change", args=[delivery.pk])):
        shown = client.get(path).content.decode()
        assert "crm.example.com:443" in shown
        assert "sesame" not in shown
    page = client.get(reverse("admin:webhooks_delivery_change", args=[own.pk])).content.decode()
    assert "https://own.example.com/calls" in page


def test_a_message_shows_its_payload_and_its_log(office):
    fill_all()
    delivery = Delivery.objects.first()
    page = office.get(reverse("admin:webhooks_delivery_change", args=[delivery.pk])).content.decode()
    assert "&quot;call_id&quot;: &quot;call_1j2kd9&quot;" in page
    assert ">503<" in page
    assert ">busy<" in page
    assert ">503<" in office.get(DELIVERIES).content.decode()


@pytest.mark.parametrize("column", ["subject", "event_id", "receiver"])
def test_a_message_is_found_by_its_call_id_or_receiver(office, column):
    wanted = a_delivery(subject="call_wanted", url="https://wanted.example.com/")
    a_delivery()
    found = office.get(DELIVERIES, {"q": getattr(wanted, column)}).context["cl"].result_list
    assert list(found) == [wanted]


# Keys


def test_a_key_is_made_on_the_page_that_keeps_it_nowhere(office):
    key = ApiKey.objects.create(public_id="abc", hash="hashed", name="CRM", mode="test")
    form = {"name": "CRM", "mode": "test", "role": "manager", "requests_per_minute": ""}
    assert office.post(f"{KEYS}add/", form).status_code == 403
    assert ApiKey.objects.get() == key
    page = office.get(f"{KEYS}{key.pk}/change/").content.decode()
    assert 'href="/setup/keys/abc/"' in page
    assert key.hash not in page + office.get(KEYS).content.decode()


def test_a_key_is_never_changed(office):
    key = ApiKey.objects.create(public_id="abc", hash="h", name="CRM", mode="test")
    assert office.post(f"{KEYS}{key.pk}/change/", {"name": "Other", "mode": "live"}).status_code == 403
    key.refresh_from_db()
    assert (key.name, key.mode) == ("CRM", "test")


def test_a_key_is_revoked_after_asking(office):
    key = ApiKey.objects.create(public_id="abc", hash="h", name="CRM", mode="test")
    chosen = {"action": "revoke", "_selected_action": str(key.pk)}
    assert "refused at once" in office.post(KEYS, chosen).content.decode()
    assert ApiKey.objects.usable().exists()
    office.post(KEYS, {**chosen, "confirmed": "yes"})
    assert not ApiKey.objects.usable().exists()
    answer = office.post(KEYS, {**chosen, "confirmed": "yes"})
    assert told(answer)[-1] == "API key abc was revoked already. (1)"


# Campaigns


def test_a_campaign_is_made_and_changed_but_for_its_mode(office):
    office.post(f"{CAMPAIGNS}add/", {"name": "Renewals", "mode": "test", "purpose": "marketing"})
    campaign = Campaign.objects.get()
    assert (campaign.name, campaign.purpose, campaign.status) == ("Renewals", "marketing", "running")
    page = reverse("admin:campaigns_campaign_change", args=[quote(campaign.pk)])
    office.post(page, {"name": "Renewals 2", "mode": "live", "purpose": "informational"})
    campaign.refresh_from_db()
    assert (campaign.name, campaign.purpose, campaign.mode) == ("Renewals 2", "informational", "test")
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["campaign.create", "campaign.change"]


def test_a_campaign_is_paused_resumed_and_canceled(office):
    campaign = a_campaign()

    def act(action: str, **more: str) -> str:
        office.post(CAMPAIGNS, {"action": action, "_selected_action": campaign.pk, **more})
        campaign.refresh_from_db()
        return campaign.status

    assert act("pause") == "paused"
    assert act("resume") == "running"
    assert act("cancel") == "running"
    assert act("cancel", confirmed="yes") == "canceled"


def test_what_a_rule_refuses_is_said(office):
    campaign = a_campaign(status="canceled")
    answer = office.post(CAMPAIGNS, {"action": "pause", "_selected_action": campaign.pk})
    assert told(answer) == [f"Campaign {campaign.pk} is canceled. (1)"]


# Calls


def test_a_call_shows_its_whole_history_and_leads_to_its_page(office):
    call = a_whole_call(a_contact(first_name="Zoë"), campaign=a_campaign(), name="a")
    page = office.get(reverse("admin:calls_call_change", args=[quote(call.pk)])).content.decode()
    for text in (
        "Agent: Good morning.",
        "No answer",
        "ringing",
        "hours: warn. It is early there.",
        "Renewals",
    ):
        assert text in page, text
    assert reverse("call", args=[call.pk]) in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("words", ["Zoë", "+34 911"])
def test_a_call_is_found_by_whom_is_called(office, words):
    campaign = a_campaign()
    wanted = a_whole_call(a_contact(first_name="Zoë", phone="+34911234567"), campaign=campaign, name="a")
    a_whole_call(a_contact(), campaign=campaign, name="b")
    for search in (words, wanted.pk, wanted.contact_id):
        found = office.get("/admin/calls/call/", {"q": search}).context["cl"].result_list
        assert list(found) == [wanted]


def test_calls_are_narrowed_to_a_campaign(office):
    campaign = a_campaign()
    wanted = a_whole_call(a_contact(), campaign=campaign, name="a")
    a_whole_call(a_contact(), campaign=a_campaign(name="Other"), name="b")
    link = re.search(r'href="(/admin/calls/call/\?campaign=[^"]+)"', office.get(CAMPAIGNS).content.decode())
    assert link
    found = office.get("/admin/calls/call/", {"campaign": campaign.pk}).context["cl"].result_list
    assert list(found) == [wanted]


def test_a_call_is_neither_made_nor_changed_here(office):
    call = a_whole_call(a_contact(), campaign=a_campaign(), name="a")
    page = reverse("admin:calls_call_change", args=[quote(call.pk)])
    assert office.get("/admin/calls/call/add/").status_code == 403
    assert office.post(page, {"status": "completed", "initial_message": "Boo."}).status_code == 403
    assert Call.objects.get().status == "scheduled"


# Pace


def test_the_pace_of_a_carrier_is_set(office):
    office.post("/admin/calls/pacing/add/", {"carrier": "simulated", "lines": "5", "calls_per_second": ""})
    office.post(
        "/admin/calls/pacing/simulated/change/", {"carrier": "sip", "lines": "7", "calls_per_second": "3"}
    )
    pacing = Pacing.objects.get()
    assert (pacing.carrier, pacing.lines, pacing.calls_per_second) == ("simulated", 7, 3)
    assert AuditEntry.objects.filter(action="pacing.change", target="simulated").count() == 2


# Staff


def change_form(user: User, **fields: str) -> dict[str, str]:
    kept = {"username": user.username, "role": user.role, "timezone": user.timezone, "is_active": "on"}
    return {**kept, **fields}


def test_people_are_changed_by_the_teams_rules_alone(office):
    bob = staff(Role.VIEWER, password="secret")
    page, before = f"{STAFF}{bob.pk}/change/", User.objects.filter(pk=bob.pk).values().get()

    assert office.get(f"{STAFF}add/").status_code == 403
    for change in ({"role": "admin"}, {"is_active": ""}, {"is_superuser": "on"}, {"password": "x"}):
        assert office.post(page, change_form(bob, **change)).status_code == 403
    office.post(f"{STAFF}{bob.pk}/password/", {"password1": "x-9-x-9-x", "password2": "x-9-x-9-x"})

    assert User.objects.filter(pk=bob.pk).values().get() == before
    for shown in (STAFF, page):
        assert f'href="/setup/team/{bob.pk}/"' in office.get(shown).content.decode()


def test_ones_own_password_is_changed_on_ones_account(office):
    answer = office.post("/admin/password_change/", {"new_password1": "x", "new_password2": "x"})
    assert (answer.status_code, answer.url) == (302, "/account/")
    assert 'href="/admin/password_change/"' in office.get("/admin/").content.decode()
