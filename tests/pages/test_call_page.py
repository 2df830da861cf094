import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call, CallEvent
from campaigns.actions.agents import save_agent
from contacts.models import Suppression
from temphone.accounts.actors import SYSTEM, Role
from temphone.webhooks.models import Delivery, DeliveryTry
from tests.builders import NOON, a_call, a_campaign, a_contact, a_delivery
from tests.pages.conftest import EARLIER, a_finished_call, a_live_call, an_attempt, htmx, say, text_of


def page_of(client, call: Call) -> str:
    """Its page, but for the frame's looks, which every page has."""
    return re.sub(r'<i id="frame".*?</i>', "", text_of(client, f"/calls/{call.pk}/"))


def test_a_scheduled_call_shows_when_it_rings_on_both_clocks(browse):
    page = page_of(browse(timezone="Europe/Madrid"), a_call())

    assert "in 1 h" in page
    assert "<b>16:00</b>" in page
    assert "08:00 in Los Angeles" in page
    assert "Hi Jordan." in page
    assert "Hi {{first_name}}." in page


def test_a_test_call_says_so_with_its_warnings(browse):
    page = page_of(browse(), a_call())

    assert "no real phone rings" in page
    assert "No consent to informational calls is recorded." in page
    assert "A live call would be refused." in page


def test_a_warning_that_live_would_only_warn_of_too_is_not_called_a_refusal(browse, settings):
    settings.POLICIES = {**settings.POLICIES, "live": {"consent": "warn", "hours": "defer"}}

    assert "A live call would be refused." not in page_of(browse(), a_call())


def test_why_tells_every_rule_in_plain_words(browse):
    page = page_of(browse(), a_call())

    assert "When it was scheduled" in page
    for text in ("Calling is not stopped.", "Belongs to no campaign.", "The number is not suppressed."):
        assert text in page


def test_a_finished_call_shows_how_it_went(browse):
    call = a_finished_call(webhook_url="https://hooks.example.com/calls", metadata={"order": "8841"})
    say(call.attempts.get(), "Yes, speaking.")
    delivery = a_delivery(subject=call.pk)
    DeliveryTry.objects.create(delivery=delivery, status_code=503, duration_ms=9)

    page = page_of(browse(), call)

    for text in (
        "Message delivered",
        "1:04",
        "Yes, speaking.",
        "call.started",
        "1 try",
        "503",
        "8841",
        "Call again",
    ):
        assert text in page


def test_the_page_of_a_final_call_does_not_look_again(browse):
    client = browse()

    assert "data-poll" not in page_of(client, a_finished_call())
    assert 'hx-trigger="every 1s, refresh"' in page_of(client, a_live_call()[0])


def test_the_page_of_a_call_to_come_looks_again_when_it_is_due(browse):
    assert 'hx-trigger="load delay:3540s, refresh"' in page_of(browse(), a_call())


def test_the_fragment_brings_only_what_was_said_since(browse):
    call, attempt = a_live_call()
    say(attempt, "Hello?")
    client = browse()
    assert f"/calls/{call.pk}/?after=1.1" in page_of(client, call)

    say(attempt, "Are you there?")
    fragment = htmx(client, f"/calls/{call.pk}/", after="1.1")

    assert "Are you there?" in fragment
    assert "Hello?" not in fragment
    assert f"/calls/{call.pk}/?after=1.2" in fragment
    assert 'hx-swap-oob="beforeend:#turns"' in fragment
    assert "<html" not in fragment


def test_all_that_has_a_time_has_the_contacts_too(browse):
    page = page_of(browse(), a_finished_call())

    for title in ("Why it was called", "What happened", "Attempts"):
        part = page.split(f">{title}</h2>")[1].split("</section>")[0]
        assert " in Los Angeles" in part, title


def test_what_a_later_attempt_says_comes_after_the_first(browse):
    call = a_call()
    say(an_attempt(call, state="ended", outcome="busy"), "Of the first.")
    say(an_attempt(call, state="ended", outcome="busy"), "Of the second.")

    fragment = htmx(browse(), f"/calls/{call.pk}/", after="1.1")

    assert "Of the second." in fragment
    assert "Of the first." not in fragment
    assert "Attempt 2" in fragment


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.x", "-1.2", "1.2.3", "²."])
def test_an_unreadable_cursor_brings_everything(browse, cursor):
    call, attempt = a_live_call()
    say(attempt, "Hello?")

    assert "Hello?" in htmx(browse(), f"/calls/{call.pk}/", after=cursor)


def test_the_number_of_queries_does_not_grow_with_the_history(browse):
    client, counts = browse(), []
    for number in range(1, 3):
        call, attempt = a_live_call()
        for _ in range(number * 3):
            say(attempt, "Hello?")
            CallEvent.objects.create(call=call, attempt=attempt, name="carrier_ringing", at=NOON)
            delivery = a_delivery(subject=call.pk, sequence=attempt.turns.count())
            DeliveryTry.objects.create(delivery=delivery, status_code=503, duration_ms=9)
        with CaptureQueriesContext(connection) as queries:
            page_of(client, call)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert counts[0] <= 24


def test_a_suppressed_number_is_told_of(browse):
    call = a_call()
    Suppression.objects.create(number=call.contact.phone[:6], is_prefix=True)

    assert "This number must not be called." in page_of(browse(), call)


def test_who_may_keeps_the_number_from_ever_being_called(browse):
    call = a_call()
    button = f'href="/contacts/{call.contact_id}/suppress/"'
    assert button in page_of(browse(), call)
    assert button not in page_of(browse(Role.VIEWER), call)

    Suppression.objects.create(number=call.contact.phone)

    assert button not in page_of(browse(), call)


@pytest.mark.parametrize(("moment", "asleep"), [(NOON, False), (NOON - timedelta(hours=8), True)])
def test_a_moon_tells_that_it_is_night_there(browse, at, moment, asleep):
    call = a_call()  # NOON is eight in the morning in Los Angeles
    client = browse()
    at(moment)

    assert ('class="moon"' in page_of(client, call).split("head-who")[1].split("</div>")[0]) is asleep
    assert ('class="moon"' in text_of(client, "/contacts/")) is asleep
    assert ('class="moon"' in text_of(client, "/calls/new/")) is asleep


def test_what_asks_about_a_call_tells_the_contacts_clock_too(browse):
    call = a_call()
    client = browse()
    for page in (
        htmx(client, f"/calls/{call.pk}/cancel/"),
        htmx(client, "/calls/cancel/?view=upcoming&everything=1"),
        htmx(client, "/find/", q=call.pk),
        text_of(client, f"/find/?q={call.pk}"),
    ):
        assert "08:00 in Los Angeles" in page


def test_a_message_whose_value_went_missing_says_so(browse):
    call = a_call()
    type(call.contact).objects.update(first_name="")

    assert "A value that the message needs is missing now." in page_of(browse(), call)


def test_canceling_asks_first_and_then_the_call_never_rings(browse):
    call, client = a_call(), browse()
    assert "Cancel this call?" in htmx(client, f"/calls/{call.pk}/cancel/")

    page = client.post(f"/calls/{call.pk}/cancel/", follow=True).content.decode()

    assert "It will not ring." in page
    assert Call.objects.get().status == "canceled"


def test_hanging_up_is_asked_for(browse):
    call, _ = a_live_call()
    client = browse()
    assert "Hang up?" in htmx(client, f"/calls/{call.pk}/cancel/")

    page = client.post(f"/calls/{call.pk}/cancel/", follow=True).content.decode()

    assert "The hang-up is asked for." in page
    assert "Hanging up…" in page


def test_canceling_what_is_over_tells_the_true_state(browse):
    call = a_finished_call()

    page = browse().post(f"/calls/{call.pk}/cancel/", follow=True).content.decode()

    assert "is already completed." in page


def test_a_call_is_moved_on_the_contacts_clock_or_the_readers(browse):
    call, client = a_call(), browse(timezone="Europe/Madrid")
    url = f"/calls/{call.pk}/move/"
    assert 'value="2026-03-15"' in htmx(client, url)
    assert 'value="08:00"' in htmx(client, url)

    client.post(url, {"date": "2026-03-16", "time": "09:00", "whose": "contact"})
    call.refresh_from_db()
    assert call.scheduled_at == NOON + timedelta(hours=25)

    client.post(url, {"date": "2026-03-16", "time": "17:30", "whose": "mine"})
    call.refresh_from_db()
    assert call.scheduled_at == NOON + timedelta(hours=25, minutes=30)


def test_a_move_into_the_past_is_refused_beside_the_field(browse):
    call = a_call()

    page = browse().post(
        f"/calls/{call.pk}/move/", {"date": "2026-03-14", "time": "09:00", "whose": "contact"}
    )

    assert "Choose a time that is still to come." in page.content.decode()
    assert Call.objects.get().scheduled_at == NOON


def test_a_move_of_what_is_over_is_refused(browse):
    call = a_finished_call()

    page = browse().post(
        f"/calls/{call.pk}/move/", {"date": "2026-03-16", "time": "09:00", "whose": "contact"}
    )

    assert "is already completed." in page.content.decode()


def test_events_are_told_in_plain_words(browse):
    call, attempt = a_live_call()
    for name, data in (
        ("carrier_classified", {"answered_by": "voicemail"}),
        ("carrier_ended", {"outcome": "busy"}),
        ("carrier_opted_out", {"pressed": "9", "offset_ms": 4200}),
        ("carrier_opted_out", {"said": "<i>Stop</i> it.", "offset_ms": 4200}),
        ("carrier_noted", {"model_problem": "slow"}),
        ("carrier_noted", {"model_problem": "APITimeoutError"}),
        ("something_new", {}),
    ):
        CallEvent.objects.create(
            call=call, attempt=attempt, name=name, data=data, at=NOON + timedelta(seconds=9)
        )

    page = page_of(browse(), call)

    for text in (
        "Answered by: voicemail",
        "Busy",
        "Key 9 was pressed",
        "“&lt;i&gt;Stop&lt;/i&gt; it.”",
        "The language model failed: it took too long",
        "The language model failed: APITimeoutError",
        "Something new",
        "+9.0 s",
    ):
        assert text in page


def test_every_event_that_the_code_writes_has_words():
    from temphone.telephony.messages import EventType
    from temphone.templatetags.history import ICONS, TITLES

    assert {f"carrier_{kind}" for kind in EventType if kind != EventType.TURN} <= TITLES.keys()
    assert TITLES.keys() == ICONS.keys()


def test_what_the_callee_says_is_escaped(browse):
    call, attempt = a_live_call()
    say(attempt, "<b>bold</b>")

    assert "&lt;b&gt;bold" in page_of(browse(), call)


def test_the_webhooks_lead_admins_to_the_log(browse):
    call = a_call()
    a_delivery(subject=call.pk)
    url = f"/setup/webhooks/log/{Delivery.objects.get().pk}/"

    assert url not in page_of(browse(), call)
    assert url in page_of(browse(Role.ADMIN), call)


def test_who_scheduled_it_is_shown(browse):
    contact = a_contact()
    client = browse()
    client.post(
        "/calls/new/",
        {
            "token": "t",
            "contact": contact.pk,
            "message": "Hi.",
            "date": "2026-03-15",
            "time": "09:00",
            "whose": "contact",
            "mode": "test",
            "max_minutes": "15",
        },
    )

    assert "operator-0" in page_of(client, Call.objects.get())
    assert SYSTEM.label not in page_of(client, Call.objects.get()).partition("Scheduled by")[2][:80]


def test_it_shows_what_was_made_of_the_call_by_whom_and_who_spoke(browse):
    values = {
        "name": "Survey",
        "engine": "llm",
        "instructions": "Ask.",
        "questions": [{"name": "comes", "text": "Do they come?", "type": "yes_no"}],
    }
    agent = save_agent(actor=SYSTEM, agent_id=None, values=values, now=NOON)
    call = a_finished_call()
    made = {"summary": "They come.", "extracted": {"comes": True}, "analyzed_by": "rules"}
    call.attempts.update(agent_version=agent.current, ended_at=EARLIER, **made)
    page = page_of(browse(), call)
    for text in ("They come.", "Made by rules", "Do they come?", "<dd>Yes</dd>", "Survey, version 1"):
        assert text in page
    assert "data-poll" in page  # the model may read it yet
    call.attempts.update(analyzed_by="llm")
    page = page_of(browse(), call)
    assert "Made by the language model" in page
    assert "data-poll" not in page


SHOWN = (
    ({"said": "Please <b>stop</b>.", "offset_ms": 21_400}, "“Please &lt;b&gt;stop&lt;/b&gt;.” <time>00:21"),
    ({"pressed": "9", "offset_ms": 4_000}, "Key 9 was pressed <time>00:04"),
    (
        {"said": "", "offset_ms": 7_000, "not_understood_ms": 2_300},
        "Not all that was said in 2.3 s was understood <time>00:07",
    ),
    ({"said": "Mh.", "offset_ms": 7_000, "not_understood_ms": 0}, "Not all that was said was understood<"),
    ({"said": "Later.", "offset_ms": 7_000, "when": "at six"}, "Wants to be called: at six"),
    ({"transferred_to": "Front desk"}, "Transferred to Front desk"),
    ({"voice_lost": "Piper ended"}, "Our own voice failed: Piper ended"),
)


@pytest.mark.parametrize(("evidence", "text"), SHOWN)
@pytest.mark.parametrize("answered_by", ["human", "voicemail"])
def test_the_result_stands_beside_what_shows_it(browse, evidence, text, answered_by):
    call = a_finished_call("opted_out")
    made = {"summary": "They object.", "analyzed_by": "llm"}  # a model's words hide nothing
    call.attempts.update(evidence=evidence, answered_by=answered_by, **made)

    shown = page_of(browse(Role.VIEWER), call).split('strip-shown"')[1].split("</div>")[0]

    assert text in shown


def test_a_result_that_nothing_was_heard_for_claims_no_evidence(browse):
    assert "Shown by" not in page_of(browse(), a_finished_call())
    assert "Shown by" not in page_of(browse(), a_call())


def test_every_evidence_that_a_conversation_gives_has_words():
    from temphone.gateway.conversation.moves import Key, Speech
    from temphone.templatetags.evidence import shown

    for heard in (Speech("Yes.", 7), Speech("", 7, lasts_ms=9, understood=False), Key("9", 7)):
        assert [one.at_ms for one in shown(heard.evidence)] == [7]


def test_it_leads_to_its_campaign(browse):
    campaign = a_campaign(name="Recall & co")
    call = a_call(campaign_id=campaign.pk)
    assert f'<a href="/campaigns/{campaign.pk}/">Recall &amp; co</a>' in text_of(
        browse(), f"/calls/{call.pk}/"
    )
