"""Broken variants of the product for the laboratory: plausible mistakes, each of which must be seen.

Each is put in place before a member is forked, and named in the BROKEN of a proof, with whom to strike.
"""

import asyncio
import base64
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from calls import api, callbacks, tasks
from calls.actions import carrier_events, dialing, scheduling
from calls.actions.changes import Changes
from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import CallRequest, Scheduled
from calls.actions.suppression import suppress_in_call
from calls.gates import Ruling
from calls.models import Attempt, Call, CallEvent, Decision
from temphone import rows, wiring
from temphone.accounts.actors import Actor
from temphone.accounts.models import Mode
from temphone.api.envelope import Answer
from temphone.gateway.journal import Journal
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs.phone_log import PhoneLog, Ring
from temphone.gateway.legs.simulated import SimulatedNetwork
from temphone.gateway.switchboard import Switchboard
from temphone.lib.clock import now as utc_now
from temphone.telephony.adapters.gateway import GatewayCarrier
from temphone.telephony.messages import (
    CarrierEvent,
    Dialed,
    DialRequest,
    DialResult,
    EventType,
    Refused,
    Sighting,
    Unsure,
)
from temphone.webhooks import tasks as webhook_tasks
from temphone.webhooks.models import Delivery, DeliveryState
from temphone.webhooks.models.deliveries import DeliveryQuerySet
from tests.proofs.lab.line import TrunkLeg
from tests.proofs.stage.hasty import hasty


def dial_then_update() -> None:
    """The dial goes out first; that it did is written afterwards."""

    def dial_due(_rung_at: datetime) -> None:
        with transaction.atomic():
            requests, _ = dialing.claim_due(mode="test")
            results = asyncio.run(wiring.carrier().dial(requests)) if requests else []
            dialing.record_dial_results(results, now=utc_now())

    tasks.dial_due = dial_due


def look_up_and_redial() -> None:
    """What the gateway does not know is dialled again, and nothing forbids the first dial any more."""

    def sight(ledger: Ledger, attempt_id: str) -> Sighting:
        row = ledger._db.execute("SELECT 1 FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
        return Sighting.LIVE if row else Sighting.NEVER

    Ledger.sight = sight
    dialing.NOT_AFTER = timedelta(hours=1)


def gateway_without_ledger() -> None:
    """A gateway that starts again knows its name, and nothing of what it took."""
    opened = Ledger.__init__

    def forgetful(ledger: Ledger, path: object) -> None:
        opened(ledger, path)
        with ledger.transaction():
            ledger._db.execute("DELETE FROM attempts")
            ledger._db.execute("DELETE FROM events")

    Ledger.__init__ = forgetful


def no_answer_is_a_refusal() -> None:
    """A dial that was not answered counts as one that was refused."""
    asked = GatewayCarrier.dial

    async def dial(carrier: GatewayCarrier, requests: Sequence[DialRequest]) -> Sequence[DialResult]:
        results = await asked(carrier, requests)
        return [
            Refused(attempt_id=result.attempt_id, cause=result.cause, retry=True)
            if isinstance(result, Unsure)
            else result
            for result in results
        ]

    GatewayCarrier.dial = dial


def ring_then_ledger() -> None:
    """The gateway rings what it does not know, and writes it down afterwards."""

    async def dial(switchboard: Switchboard, requests: Sequence[DialRequest]) -> Dialed:
        for request in requests:
            if request.attempt_id not in switchboard._calls:
                switchboard._start(request)
        await asyncio.sleep(0)
        admit = partial(switchboard._ledger.admit, requests, switchboard._objection)
        answer, _ = await switchboard._writer.run(admit)
        return answer

    Switchboard.dial = dial


def acknowledged_before_applied() -> None:
    """The gateway's events are acknowledged at once and applied later."""
    apply = callbacks.record_carrier_events
    waiting: queue.Queue[Callable[[], object]] = queue.Queue()
    begun = threading.Lock()
    running: list[threading.Thread] = []

    def work() -> None:
        while True:
            waiting.get()()

    def record(*, ledger: str, events: Sequence[CarrierEvent], now: datetime) -> dict[str, int]:
        with begun:
            if not running:
                running.append(threading.Thread(target=work, daemon=True))
                running[0].start()
        waiting.put(partial(apply, ledger=ledger, events=events, now=now))
        return {event.attempt_id: event.sequence for event in sorted(events, key=lambda one: one.sequence)}

    callbacks.record_carrier_events = record


def suppressed_afterwards() -> None:
    """An opt-out is written with the other events, and its number suppressed in a transaction of its own."""

    def opted_out(changes: Changes, attempt: Attempt, event: CarrierEvent) -> None:
        attempt.evidence = {**attempt.evidence, **event.evidence}
        transaction.on_commit(partial(suppress_in_call, attempt, now=changes.now))

    carrier_events.HANDLERS[EventType.OPTED_OUT] = opted_out


def delivered_before_it_is_sent() -> None:
    """A message counts as delivered when it is taken in hand."""
    claim = webhook_tasks.claim_due

    def claim_due(**terms: object) -> list[Delivery]:
        with transaction.atomic():
            claimed = claim(**terms)
            rows: QuerySet[Delivery] = Delivery.objects.filter(pk__in=[row.pk for row in claimed])
            rows.update(state=DeliveryState.DELIVERED)
        return claimed

    webhook_tasks.claim_due = claim_due


def sent_in_any_order() -> None:
    """A message is due when its time has come, whatever stands before it."""

    def due(messages: DeliveryQuerySet, now: datetime) -> DeliveryQuerySet:
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        waiting = messages.filter(free, state=DeliveryState.PENDING, next_try_at__lte=now)
        return waiting.order_by("next_try_at", "id")

    DeliveryQuerySet.due = due


def signed_with_another_secret() -> None:
    """A process signs with the secret that it read when it began; there is another one by now."""
    webhook_tasks._secrets = lambda _delivery, _at: ["whsec_" + base64.b64encode(bytes(32)).decode()]


def key_kept_after_commit() -> None:
    """The key and its answer are kept when the call is there, in a transaction of their own."""
    make = scheduling._schedule

    def schedule(
        actor: Actor, mode: Mode, request: CallRequest, now: datetime, idempotency: Idempotency | None = None
    ) -> Scheduled:
        made = make(actor, mode, request, now)
        if idempotency:
            kept = scheduling.answer_to_keep
            kept(actor, idempotency, target=made.call.pk, data=made.data, now=now).save()
        return made

    scheduling._schedule = schedule


def decision_after_commit() -> None:
    """What the gates said of a call, and that it was scheduled, is written when it is answered for."""
    history, created = scheduling.history, api._created
    waiting: dict[str, tuple[Decision, CallEvent]] = {}

    def later(call: Call, ruling: Ruling, event: str, *, now: datetime) -> tuple[()]:
        waiting[call.pk] = history(call, ruling, event, now=now)
        return ()

    def answered(scheduled: Scheduled) -> Answer:
        answer = created(scheduled)
        if parts := waiting.pop(scheduled.call.pk, None):
            rows.insert_together(*parts)
        return answer

    scheduling.history, api._created = later, answered


def written_by_and_by() -> None:
    """A call is answered with 201 before it is committed."""
    api.schedule_call = hasty(api.schedule_call, haste_s=0.5)


def nobody_asks() -> None:
    """What was claimed and never answered is not asked for."""
    tasks.reconcile = lambda _rung_at: None


def retried_with_a_new_attempt() -> None:
    """An unanswered dial is tried again by the client, under an id of its own, as no retry should be."""
    asked = GatewayCarrier.dial

    async def dial(carrier: GatewayCarrier, requests: Sequence[DialRequest]) -> Iterable[DialResult]:
        results = await asked(carrier, requests)
        if any(isinstance(result, Unsure) for result in results):
            await asked(carrier, [replace(one, attempt_id=f"{one.attempt_id}-again") for one in requests])
        return results

    GatewayCarrier.dial = dial


def ring_whatever_rang() -> None:
    """After a restart the network rings again what had rung before its events were written."""
    rings = SimulatedNetwork.ring

    def ring(network: SimulatedNetwork, request: DialRequest, history: object) -> None:
        network._rung = set()
        rings(network, request, history)

    SimulatedNetwork.ring = ring


def ring_then_remember() -> None:
    """The network's memory of a ring is written by and by: who comes after a kill may not know of it."""
    remember = PhoneLog.append

    def append(log: PhoneLog, ring: Ring) -> None:
        threading.Timer(0.1, remember, (log, ring)).start()

    PhoneLog.append = append


def rings_before_it_is_noted() -> None:
    """The line dials; that it did is noted afterwards."""

    async def dial(leg: TrunkLeg) -> None:
        leg.invite()
        await leg._history.about_to_dial()

    TrunkLeg.dial = dial


def noted_by_and_by() -> None:
    """What is noted before the dial is not waited for: who comes after a kill may not know of it."""

    async def about_to_dial(journal: Journal) -> None:
        journal.record(EventType.DIALING)

    Journal.about_to_dial = about_to_dial


MISTAKES: dict[str, Callable[[], None]] = {
    mistake.__name__: mistake
    for mistake in (
        dial_then_update,
        look_up_and_redial,
        gateway_without_ledger,
        no_answer_is_a_refusal,
        ring_then_ledger,
        acknowledged_before_applied,
        suppressed_afterwards,
        delivered_before_it_is_sent,
        sent_in_any_order,
        signed_with_another_secret,
        key_kept_after_commit,
        decision_after_commit,
        written_by_and_by,
        nobody_asks,
        retried_with_a_new_attempt,
        ring_whatever_rang,
        ring_then_remember,
        rings_before_it_is_noted,
        noted_by_and_by,
    )
}
