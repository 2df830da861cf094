"""Requests against one another: an erasure and a POST, the same POST several times."""

from datetime import timedelta

from calls.actions.idempotency import Idempotency
from calls.actions.scheduling import schedule_call
from calls.models import Call
from contacts.actions import erase_contact
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import Mode
from tests.builders import NOON, a_request
from tests.proofs.racing.rounds import BATCH, BEFORE
from tests.proofs.stage.arena import Arena, answer
from tests.proofs.stage.phone import rings


def erasures(arena: Arena) -> int:
    """An erasure against a call that is being scheduled: one of them wins."""
    people = [call.contact for call in arena.calls(BATCH // 2, status="canceled", outcome="canceled_by_user")]

    def post_all() -> list[str]:
        return [answer(lambda one=one: post(one).call).said for one in people]

    def erase() -> list[str]:
        return [
            answer(lambda one=one: erase_contact(actor=SYSTEM, contact_id=one.pk, now=BEFORE)).said
            for one in people
        ]

    posted, erased = arena.race(post_all, erase)
    arena.drain()
    rang = {ring.number for ring in rings(arena.heard())}
    for one, scheduled, gone in zip(people, posted, erased, strict=True):
        arena.count(f"post {scheduled}, erasure {gone}")
        if (scheduled == "scheduled") == (gone == "done") or (one.phone in rang) == (gone == "done"):
            arena.flag(f"post {scheduled}, erasure {gone}, rang: {one.phone in rang}")
    return len(people)


def repeats(arena: Arena) -> int:
    """A request that is repeated at once with its key makes one call, and one ring."""
    people = [call.contact for call in arena.calls(BATCH // 2, status="canceled", outcome="canceled_by_user")]

    def post_all() -> list[str]:
        keys = [Idempotency(key=one.pk, fingerprint="a" * 64) for one in people]
        return [str(post(one, key).data["call_id"]) for one, key in zip(people, keys, strict=True)]

    answers = arena.race(post_all, post_all, post_all)
    arena.drain()
    heard = [ring.number for ring in rings(arena.heard())]
    made = Call.objects.filter(contact__in=people).exclude(status="canceled").count()
    if len({tuple(given) for given in answers}) != 1 or made != len(people):
        arena.flag("one key made several calls", answers=answers)
    if sorted(heard) != sorted(one.phone for one in people):
        arena.flag("not every accepted call rang once")
    return len(people)


def post(contact, key: Idempotency | None = None):
    """Schedule a call to them, as a request does."""
    request = a_request(contact, initial_message="Hi.")
    now = NOON - timedelta(minutes=30)
    return schedule_call(actor=SYSTEM, mode=Mode.TEST, request=request, now=now, idempotency=key)
