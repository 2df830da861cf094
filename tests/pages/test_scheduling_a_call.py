from datetime import UTC, datetime, timedelta

import pytest
from django.utils.html import escape

from calls.models import Call
from contacts.models import Contact, Suppression
from temphone.accounts.models import IdempotencyRecord
from tests.builders import NOON, a_call, a_campaign, a_contact, a_number, a_trunk
from tests.pages.conftest import htmx, text_of

NEW, PREVIEW = "/calls/new/", "/calls/new/preview/"


@pytest.fixture
def contact(db) -> Contact:
    return a_contact(first_name="Jordan", phone="+14155552671")


def values(chosen: Contact | None = None, /, **changed: str) -> dict[str, str]:
    """The form as it is sent: at NOON on the contact's clock."""
    filled = {
        "token": "t1",
        "contact": chosen.pk if chosen else "",
        "message": "Hi {{ first_name }}.",
        "date": "2026-03-15",
        "time": "08:00",
        "whose": "contact",
        "mode": "test",
        "max_minutes": "15",
        "recording_enabled": "on",
    }
    return {**filled, **changed}


def errors(client, **sent: str) -> dict[str, list[str]]:
    response = client.post(NEW, sent)
    assert response.status_code == 200
    assert not Call.objects.exists()
    form = response.context["form"]
    for messages in form.errors.values():
        for message in messages:
            assert escape(message) in response.content.decode()
    return form.errors


def test_a_box_that_is_not_ticked_stays_so_while_a_contact_is_looked_for(browse, contact):
    typed = {name: value for name, value in values().items() if name != "recording_enabled"}
    page = browse().post(NEW, {**typed, "choose": contact.pk}).content.decode()
    assert "checked" not in page[page.index('name="recording_enabled"') :][:120]
    page = browse().post(NEW, {**values(), "choose": contact.pk}).content.decode()
    assert "checked" in page[page.index('name="recording_enabled"') :][:120]


def test_the_form_schedules_a_call_and_shows_its_page(browse, contact):
    campaign = a_campaign()
    more = {
        "campaign": campaign.pk,
        "caller_id": "+1-415-555-0199",
        "max_minutes": "10",
        "webhook_url": "https://hooks.example.com/calls",
        "metadata": "order: 8841\n\n plan : Gold: yes ",
    }
    response = browse().post(NEW, values(contact, **more))

    call = Call.objects.get()
    assert response.url == f"/calls/{call.pk}/"
    assert (call.contact, call.campaign, call.mode, call.scheduled_at) == (contact, campaign, "test", NOON)
    assert (call.timezone, call.max_duration_s, call.recording_enabled) == ("America/Los_Angeles", 600, True)
    assert (call.caller_id, call.webhook_url) == ("+1-415-555-0199", "https://hooks.example.com/calls")
    assert call.metadata == {"order": "8841", "plan": "Gold: yes"}
    assert call.created_by_user is not None


@pytest.mark.parametrize(
    ("whose", "instant"),
    [
        ("contact", datetime(2026, 3, 15, 16, 30, tzinfo=UTC)),
        ("mine", datetime(2026, 3, 16, 0, 30, tzinfo=UTC) - timedelta(hours=16)),
        ("utc", datetime(2026, 3, 15, 9, 30, tzinfo=UTC)),
    ],
)
def test_the_time_is_on_the_chosen_clock(browse, at, contact, whose, instant):
    client = browse(timezone="Europe/Madrid")
    at(NOON - timedelta(hours=10))

    client.post(NEW, values(contact, time="09:30", whose=whose))

    assert Call.objects.get().scheduled_at == instant


def test_a_form_sent_twice_makes_one_call(browse, contact):
    client = browse()

    first = client.post(NEW, values(contact))
    second = client.post(NEW, values(contact))

    assert first.url == second.url
    assert Call.objects.count() == 1
    assert IdempotencyRecord.objects.get().key == "form:t1"


def test_a_form_sent_again_with_another_time_is_not_taken_for_the_first(browse, contact):
    client = browse()
    client.post(NEW, values(contact))

    response = client.post(NEW, values(contact, time="09:00"))

    assert "was scheduled already" in response.content.decode()
    assert Call.objects.count() == 1
    # The page shown carries a new token: sent once more, it is another call.
    client.post(NEW, values(contact, time="09:00", token=response.context["form"]["token"].value()))
    assert Call.objects.count() == 2


def test_every_new_form_has_a_token_of_its_own(browse, contact):
    client = browse()
    tokens = {client.get(NEW).context["form"]["token"].value() for _ in range(2)}

    assert len(tokens) == 2


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"contact": ""}, "contact", "Choose whom to call."),
        ({"contact": "ctc_none"}, "contact", "Choose whom to call."),
        ({"message": " "}, "message", "Write what the assistant shall say first."),
        ({"date": "2026-03-14"}, "time", "Choose a time that is still to come."),
        ({"date": "2027-09-14"}, "time", "This must be within 366 days."),
        ({"date": ""}, "date", "This field is required."),
        ({"caller_id": "hello"}, "caller_id", "Write the number with its country, such as +1 415 555 0199."),
        (
            {"webhook_url": "http://127.0.0.1/"},
            "webhook_url",
            "Give a public address that begins with https:// or http://.",
        ),
        ({"metadata": "nonsense"}, "metadata", "Write each line as name: value."),
        ({"metadata": ": x"}, "metadata", "Write each line as name: value."),
    ],
)
def test_an_error_stands_by_its_field_and_names_the_mend(browse, contact, changed, field, message):
    assert message in errors(browse(), **values(contact, **changed))[field]


def test_a_variable_without_a_value_is_named(browse, contact):
    found = errors(browse(), **values(contact, message="Your order {{ metadata.order }}."))["message"][0]

    assert found.startswith("The message uses 'metadata.order', which has no value")


def test_what_a_rule_refuses_is_said_above_the_form(browse, contact):
    Suppression.objects.create(number=contact.phone)

    assert "must not be called" in errors(browse(), **values(contact))["__all__"][0]


def test_live_is_not_offered_without_a_carrier(browse, contact):
    client = browse()

    assert 'value="live"' not in text_of(client, NEW)
    assert "mode" in errors(client, **values(contact, mode="live"))


def test_live_is_offered_beside_test_where_a_trunk_and_a_number_are(browse):
    a_number(trunk=a_trunk())

    response = browse().get(NEW)

    assert [choice[0] for choice in response.context["form"].fields["mode"].choices] == ["test", "live"]
    assert response.context["form"]["mode"].value() == "test"


def test_from_a_contacts_page_the_contact_and_their_clock_are_chosen(browse, contact):
    form = browse().get(f"{NEW}?contact={contact.pk}").context["form"]

    assert (form["contact"].value(), form["whose"].value()) == (contact.pk, "contact")
    # An hour before NOON, and three minutes.
    assert f"{form['time'].value():%H:%M}" == "07:03"


def test_calling_again_repeats_the_call(browse, contact):
    call = a_call(contact, initial_message="As before.", metadata={"order": "8841"}, max_duration_s=600)

    form = browse().get(f"{NEW}?contact={contact.pk}&again={call.pk}").context["form"]

    shown = {name: form[name].value() for name in ("message", "metadata", "max_minutes")}
    assert shown == {"message": "As before.", "metadata": "order: 8841", "max_minutes": 10}


def preview(client, **sent: str) -> str:
    response = client.post(PREVIEW, sent, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert not Call.objects.exists()
    return response.content.decode()


def test_the_preview_shows_the_message_both_clocks_and_the_verdicts(browse, contact):
    shown = preview(browse(timezone="Europe/Madrid"), **values(contact))

    assert "Hi Jordan." in shown
    assert "08:00</b>" in shown
    assert "16:00</b>" in shown
    assert "Los Angeles, UTC\N{MINUS SIGN}7" in shown
    assert "No consent to informational calls is recorded." in shown
    assert "08:00 there is within 08:00 to 21:00." in shown
    assert "Schedule for Sun 15 Mar 08:00, Los Angeles" in shown


def test_the_preview_says_the_next_opening_on_the_readers_clock(browse, contact):
    shown = preview(browse(timezone="Europe/Madrid"), **values(contact, time="23:00"))

    assert "outside 08:00 to 21:00. Next opening:" in shown
    assert "2026-03-16T15:00:00Z" in shown  # in the time element's attribute
    assert '<span class="day">Tomorrow</span> <b>16:00</b>' in shown


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"message": "Hi {{ nickname }}."}, "The message uses &#x27;nickname&#x27;"),
        ({"message": "Hi {{ first_name"}, "The message must be a valid template"),
        ({"time": "01:00"}, "Choose a time that is still to come."),
        ({"date": "9999-12-31", "time": "23:00"}, "Choose a time that is still to come."),
        ({"caller_id": "x"}, "Caller ID: Write the number with its country"),
        ({"message": ""}, "Write the message to see it"),
        ({"contact": ""}, "Choose a contact to see both clocks"),
        ({"contact": "", "date": "", "time": "", "mode": "", "whose": ""}, "Choose a contact"),
        ({"date": "never"}, "Enter a valid date."),
    ],
)
def test_the_preview_is_kind_about_what_is_missing_or_wrong(browse, contact, changed, said):
    assert said in preview(browse(), **values(contact, **changed))


def test_the_preview_offers_times_on_the_chosen_clock(browse, contact):
    # It is 15:00 in Madrid, 07:00 in Los Angeles.
    client = browse(timezone="Europe/Madrid")

    assert 'data-date="2026-03-15" data-time="08:00">In 1 hour' in preview(client, **values(contact))
    assert 'data-time="16:00">In 1 hour' in preview(client, **values(contact, whose="mine"))


def test_contacts_are_found_as_one_types(browse, contact):
    a_contact(first_name="Bob")

    found = htmx(browse(), "/calls/new/contact/", contact_q="jord")

    assert contact.pk in found
    assert "Bob" not in found
    assert "Nobody matches." in htmx(browse(), "/calls/new/contact/", contact_q="zzz")


def test_choosing_a_contact_refreshes_the_preview(browse, contact):
    response = browse().get("/calls/new/contact/", {"choose": contact.pk}, headers={"HX-Request": "true"})

    assert f'name="contact" value="{contact.pk}"' in response.content.decode()
    assert "chosen" in response["HX-Trigger-After-Settle"]


def test_without_javascript_the_form_finds_and_chooses_and_keeps_what_was_typed(browse, contact):
    client = browse()
    a_contact(first_name="Bob")

    page = client.post(NEW, values(message="Typed before.", contact_q="jord", find="1")).content.decode()
    assert contact.pk in page
    assert "Bob" not in page
    assert "Typed before." in page

    page = client.post(NEW, values(message="Typed before.", choose=contact.pk)).content.decode()
    assert f'name="contact" value="{contact.pk}"' in page
    assert "Typed before." in page
    assert not Call.objects.exists()
