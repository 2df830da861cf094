"""Correcting a call that waits for its time."""

import pytest

from calls.models import Call
from temphone.accounts.models import AuditEntry
from tests.builders import NOON, a_call
from tests.pages.conftest import a_finished_call, text_of


def address(call: Call) -> str:
    return f"/calls/{call.pk}/edit/"


def form_of(client, call: Call) -> dict[str, object]:
    """What a browser would send of the page as it stands."""
    form = client.get(address(call)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {
        name: str(value).replace("\n", "\r\n") for name, value in values.items() if value not in {False, None}
    }


def sent(client, call: Call, **changed: object) -> Call:
    answer = client.post(address(call), {**form_of(client, call), **changed})
    assert answer.status_code == 302, answer.context["form"].errors
    return Call.objects.get(pk=call.pk)


def test_its_text_is_corrected_and_nothing_else(browse):
    call = a_call(
        initial_message="Hi {{first_name}}.\nYour ordr is here.",
        max_duration_s=90,
        metadata={"order": 8841, "notes": "two\nlines"},
        webhook_url="https://hooks.example.com/calls",
    )
    client = browse()
    assert address(call) in text_of(client, f"/calls/{call.pk}/")

    after = sent(client, call, message="Hi {{first_name}}.\r\nYour order is here.")

    assert after.initial_message == "Hi {{first_name}}.\r\nYour order is here."
    assert (after.scheduled_at, after.due_at) == (NOON, NOON)
    assert (after.max_duration_s, after.metadata) == (90, {"order": 8841, "notes": "two\nlines"})
    assert after.events.last().name == "changed"
    assert AuditEntry.objects.get(action="call.changed").details == {"fields": ["initial_message"]}
    assert "Your order is here." in text_of(client, f"/calls/{call.pk}/")


def test_what_goes_with_it_is_changed_too(browse):
    call = a_call(metadata={"order": 8841, "floor": 2})

    after = sent(
        browse(),
        call,
        max_minutes="5",
        caller_id="+1 415 555 0123",
        recording_enabled="",
        webhook_url="https://hooks.example.com/other",
        metadata="order: 8841\r\nfloor: 3\r\ndoor: left",
    )

    assert (after.max_duration_s, after.caller_id) == (300, "+1 415 555 0123")
    assert after.recording_enabled is False
    assert after.webhook_url == "https://hooks.example.com/other"
    assert after.metadata == {"order": 8841, "floor": "3", "door": "left"}


def test_saved_as_it_was_it_changes_nothing(browse):
    call = a_call(initial_message="Hi.\nBye.", metadata={"order": 8841, "notes": "two\nlines"})
    version = Call.objects.get(pk=call.pk).version

    assert sent(browse(), call).version == version
    assert not AuditEntry.objects.filter(action="call.changed").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"message": ""}, "Write what the assistant shall say first."),
        ({"message": "Hi {{ nickname }}."}, "The message uses"),
        ({"caller_id": "12"}, "Write the number with its country"),
        ({"max_minutes": "0"}, "greater than or equal to 1"),
        ({"webhook_url": "ftp://example.com"}, "Give a public address"),
        ({"metadata": "no colon"}, "Write each line as name: value."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(browse, changed, words):
    call = a_call()
    client = browse()

    page = client.post(address(call), {**form_of(client, call), **changed}).content.decode()

    assert words in page
    assert Call.objects.get(pk=call.pk).version == call.version


def test_what_is_over_is_not_edited(browse):
    call = a_finished_call()
    client = browse()
    assert address(call) not in text_of(client, f"/calls/{call.pk}/")
    page = text_of(client, address(call))
    assert "Only a call that still waits for its time can be edited." in page
    assert "Save</button>" not in page

    refused = client.post(address(call), {**form_of(client, call), "message": "Other."}).content.decode()

    assert "is already completed." in refused
    assert Call.objects.get(pk=call.pk).initial_message == call.initial_message
