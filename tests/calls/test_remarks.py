"""What staff say of a call."""

from datetime import timedelta

import pytest

from calls.actions.carrier_events import record_carrier_events
from calls.actions.forgetting import erase_contact
from calls.actions.remarks import add_note, mark_outcome, mark_seen
from calls.models import Attempt, Call, Mark, Note, mark_of
from contacts.models import Contact, Suppression
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Forbidden, Invalid
from temphone.telephony.messages import Outcome
from tests.builders import NOON, a_call, a_gateway, events_of
from tests.pages.conftest import a_finished_call, a_live_call, an_attempt

pytestmark = pytest.mark.django_db
ANA = Actor(kind="user", id="7", label="Ana", role=Role.OPERATOR)
VIEWER = Actor(kind="user", id="8", label="Vic", role=Role.VIEWER)


def test_a_note_is_kept_with_who_and_when():
    call = a_call()

    add_note(actor=ANA, call_id=call.pk, text=" Call the mother first. ", now=NOON)

    note = Note.objects.get()
    assert (note.text, note.by, note.at) == ("Call the mother first.", "Ana", NOON)
    # The audit log tells that there is one, never what it says.
    assert AuditEntry.objects.get(action="call.note").details == {}


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\0b"])
def test_a_note_is_neither_empty_nor_too_long(text):
    with pytest.raises(Invalid):
        add_note(actor=ANA, call_id=a_call().pk, text=text, now=NOON)


def test_an_outcome_by_hand_stands_beside_the_carriers():
    call = a_finished_call("unknown")

    mark_outcome(actor=ANA, call_id=call.pk, outcome="answered_human", now=NOON)

    call.refresh_from_db()
    assert (call.status, call.outcome, call.attempts.get().outcome) == ("failed", "unknown", "unknown")
    mark = Mark.objects.get()
    assert (mark.outcome, mark.by, mark.at) == ("answered_human", "Ana", NOON)
    assert call.seen_at == NOON
    assert call.events.last().reason == "Spoke with a person, by hand, by Ana"


def test_late_evidence_still_corrects_a_call_that_was_marked():
    call = a_finished_call("unknown")
    attempt = call.attempts.get()
    attempt.state, attempt.gateway = "unknown", a_gateway()
    attempt.save()
    mark_outcome(actor=ANA, call_id=call.pk, outcome="answered_human", now=NOON)

    record_carrier_events(ledger="gw_test", events=events_of(attempt.pk, Outcome.NO_ANSWER), now=NOON)

    call.refresh_from_db()
    assert call.outcome == "no_answer"
    assert Mark.objects.get().outcome == "answered_human"


def test_only_what_a_person_can_know_is_marked():
    call = a_finished_call("unknown")

    for outcome in ("expired", "blocked_consent", "unknown", "canceled_by_user", "nonsense"):
        with pytest.raises(Invalid):
            mark_outcome(actor=ANA, call_id=call.pk, outcome=outcome, now=NOON)


def test_a_live_call_is_marked_and_is_still_to_be_seen_once_it_is_over():
    call, attempt = a_live_call()

    mark_outcome(actor=ANA, call_id=call.pk, outcome="answered_human", now=NOON)

    call.refresh_from_db()
    assert (call.status, call.outcome, call.seen_at) == ("in_progress", None, None)
    assert mark_of(call).outcome == "answered_human"
    assert call.events.last().reason == "Spoke with a person, by hand, by Ana"
    Attempt.objects.filter(pk=attempt.pk).update(gateway=a_gateway())
    record_carrier_events(ledger="gw_test", events=events_of(attempt.pk, Outcome.MESSAGE_DELIVERED), now=NOON)
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("completed", "message_delivered")
    assert mark_of(call).outcome == "answered_human"


def test_a_live_call_that_is_marked_as_opted_out_is_not_tried_again():
    call, attempt = a_live_call()
    Attempt.objects.filter(pk=attempt.pk).update(gateway=a_gateway(), state="ringing", answered_at=None)

    mark_outcome(actor=ANA, call_id=call.pk, outcome="opted_out", now=NOON)
    record_carrier_events(ledger="gw_test", events=events_of(attempt.pk, Outcome.NO_ANSWER), now=NOON)

    assert Suppression.objects.get().number == attempt.to
    call.refresh_from_db()
    assert call.hang_up_requested_at == NOON
    assert call.status == "canceled"


def test_what_was_said_of_a_dial_counts_no_more_once_there_was_another():
    call, _ = a_live_call()
    mark_outcome(actor=ANA, call_id=call.pk, outcome="busy", now=NOON + timedelta(minutes=1))
    assert mark_of(call).outcome == "busy"

    call.attempts.update(state="ended", outcome="busy")
    an_attempt(call, created_at=NOON + timedelta(hours=1))

    assert mark_of(call) is None


def test_a_call_that_waits_is_neither_marked_nor_seen():
    call = a_call()

    with pytest.raises(Conflict):
        mark_outcome(actor=ANA, call_id=call.pk, outcome="no_answer", now=NOON)
    with pytest.raises(Conflict):
        mark_seen(actor=ANA, call_id=call.pk, now=NOON)


def test_who_is_marked_as_opted_out_is_never_called_again():
    call = a_finished_call("message_delivered")
    waiting = a_call(call.contact)

    mark_outcome(actor=ANA, call_id=call.pk, outcome="opted_out", now=NOON)

    assert Suppression.objects.get().number == call.contact.phone
    assert Call.objects.get(pk=waiting.pk).status == "canceled"


def test_the_number_that_was_rung_is_not_called_again_whosever_it_is_now():
    call = a_finished_call("message_delivered")
    rung = call.attempts.get().to
    Contact.objects.filter(pk=call.contact_id).update(phone="+34911234567")

    mark_outcome(actor=ANA, call_id=call.pk, outcome="opted_out", now=NOON)

    assert Suppression.objects.get().number == rung != "+34911234567"


def test_seen_is_kept_once():
    call = a_finished_call("no_answer")

    mark_seen(actor=ANA, call_id=call.pk, now=NOON)
    mark_seen(actor=ANA, call_id=call.pk, now=NOON + timedelta(hours=1))

    call.refresh_from_db()
    assert call.seen_at == NOON
    assert call.events.filter(name="seen").count() == 1


def test_viewers_say_nothing():
    call = a_finished_call("no_answer")

    for say in (
        lambda: add_note(actor=VIEWER, call_id=call.pk, text="x", now=NOON),
        lambda: mark_outcome(actor=VIEWER, call_id=call.pk, outcome="busy", now=NOON),
        lambda: mark_seen(actor=VIEWER, call_id=call.pk, now=NOON),
    ):
        with pytest.raises(Forbidden):
            say()


def test_notes_go_when_the_contact_is_erased():
    call = a_finished_call("no_answer")
    add_note(actor=ANA, call_id=call.pk, text="Her sister is Eva.", now=NOON)

    erase_contact(actor=SYSTEM, contact_id=call.contact_id, now=NOON)

    assert not Note.objects.exists()
