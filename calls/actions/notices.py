"""Tell the call's webhook what happened."""

from datetime import datetime

from calls.models import Call
from calls.representation import call_data
from temphone.webhooks.actions import enqueue


def notify(call: Call, type_: str, *, now: datetime) -> None:
    """Write the delivery, if the call has an address; in the transaction of the change it tells of.

    The caller holds the call's row, so the sequence has neither gaps nor repetitions.
    """
    if not call.webhook_url:
        return
    call.events_sent += 1
    Call.objects.filter(pk=call.pk).update(events_sent=call.events_sent)
    enqueue(
        subject=call.pk,
        url=call.webhook_url,
        event=type_,
        sequence=call.events_sent,
        data=call_data(call),
        at=now,
    )
