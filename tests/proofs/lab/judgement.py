"""What broke a promise, by what the laboratory's ear heard and by what the webhooks' receiver was sent."""

import base64
import hashlib
import hmac
import json
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, pairwise

from calls.models import Attempt, Call, CallEvent
from temphone.webhooks.models import Delivery
from tests.proofs.lab.laboratory import Laboratory
from tests.proofs.lab.times import RETRY_WAIT
from tests.proofs.lab.traffic import Placed, may_end, may_ring
from tests.proofs.stage import ledgers
from tests.webhooks.receiver import Received, Receiver, Reply

ENDS = {"call.completed", "call.failed", "call.canceled"}
TWICE = "one attempt rang twice"
REFUSED = 4


class Desk(Receiver):
    """The webhooks' receiver; all may come at once, and one in REFUSED is taken at its second try."""

    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()  # messages, once each
        self.taken: list[Received] = []
        self._turn = threading.Lock()

    def reply_to(self, received: Received) -> Reply:
        """No, so that those behind it have to wait; or that it is taken."""
        id_ = received.headers["webhook-id"]
        with self._turn:
            if zlib.crc32(id_.encode()) % REFUSED == 0 and id_ not in self.refused:
                self.refused.add(id_)
                return Reply(status=500)
            self.taken.append(received)
            return Reply()


@contextmanager
def receiving() -> Iterator[Desk]:
    """A desk that listens until the block ends."""
    desk = Desk()
    thread = threading.Thread(target=desk.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        desk.shutdown()
        thread.join()
        desk.server_close()


@dataclass(slots=True)
class Heard:
    """What the ear and the receiver have heard so far, by number and by call."""

    rings: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    messages: dict[str, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    forged: list[str] = field(default_factory=list)
    retry_wait: timedelta = RETRY_WAIT

    @classmethod
    def so_far(cls, lab: Laboratory, desk: Desk) -> "Heard":
        """Reads all that the ear heard and all that was received."""
        heard = cls(retry_wait=RETRY_WAIT * lab.slower)
        for ring in lab.rings():
            heard.rings[ring["to"]].append(ring)
        for received in list(desk.received):
            body = json.loads(received.body)
            if not is_signed(received, lab.webhook_secret):
                heard.forged.append(received.headers.get("webhook-id", ""))
            heard.messages[body["data"]["call_id"]].append({**body, "id": received.headers["webhook-id"]})
        for received in list(desk.taken):
            data = json.loads(received.body)["data"]
            heard.taken[data["call_id"]].append(data["sequence"])
        return heard


def is_signed(received: Received, secret: str) -> bool:
    """Standard Webhooks, by hand: v1 and the base64 of HMAC-SHA256 over id.timestamp.body."""
    headers = received.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{digest}"


def problems(placed: Sequence[Placed], heard: Heard) -> Iterator[tuple[Placed, str]]:
    """Every promise that was broken to these calls, now that they are over."""
    ids = [one.call_id for one in placed]
    calls = Call.objects.in_bulk(ids)
    attempts = defaultdict(list)
    for attempt in Attempt.objects.filter(call__in=ids):
        attempts[attempt.call_id].append(attempt)
    for one in placed:
        call, tried = calls[one.call_id], attempts[one.call_id]
        found = (
            ring_count_problems(one, heard),
            _late_ring_problems(heard.rings[one.number], tried)
            if one.comes_after_opt_out
            else _ring_problems(heard.rings[one.number], tried, heard.retry_wait),
            _end_problems(one, call, tried),
            _message_problems(call, heard.messages[call.pk]),
            _order_problems(heard.taken[call.pk]),
        )
        for problem in chain(*found):
            yield one, problem


def _end_problems(one: Placed, call: Call, attempts: Sequence[Attempt]) -> Iterator[str]:
    end = (call.status, call.outcome or "")
    if end not in may_end(one):
        yield f"ended {' '.join(end)}, not {' or '.join(' '.join(ends) for ends in sorted(may_end(one)))}"
    if any(attempt.is_live for attempt in attempts):
        yield "over, but an attempt is live"


def ring_count_problems(one: Placed, heard: Heard) -> Iterator[str]:
    """What the phone heard too often or too seldom."""
    rings = heard.rings[one.number]
    least, most = may_ring(one)
    if not least <= len(rings) <= most:
        yield f"rang {len(rings)} times, not {least}" + (f" to {most}" if most > least else "")


def rings_too_many(placed: Iterable[Placed], rings: Iterable[dict[str, str]]) -> Iterator[tuple[Placed, str]]:
    """What is wrong already, however these calls go on: for that, nobody need wait until all is quiet."""
    heard = Heard()
    for ring in rings:
        heard.rings[ring["to"]].append(ring)
    for one in placed:
        attempts = [ring["attempt_id"] for ring in heard.rings[one.number]]
        if len(attempts) > may_ring(one)[1]:
            yield from ((one, problem) for problem in ring_count_problems(one, heard))
        if len(set(attempts)) < len(attempts):
            yield one, TWICE


def _ring_problems(
    rings: Sequence[dict[str, str]], attempts: Sequence[Attempt], retry_wait: timedelta
) -> Iterator[str]:
    """What the phone heard too early, or for an attempt that nobody wrote down."""
    ids = [ring["attempt_id"] for ring in rings]
    if len(set(ids)) < len(ids):
        yield TWICE
    if set(ids) - {attempt.pk for attempt in attempts}:
        yield "rang for an attempt that is not the call's"
    instants = [datetime.fromisoformat(ring["at"]) for ring in rings]
    if any(later - earlier < retry_wait for earlier, later in pairwise(instants)):
        yield "rang again before its time"


def _late_ring_problems(rings: Sequence[dict[str, str]], attempts: Sequence[Attempt]) -> Iterator[str]:
    """What the phone heard though its number had opted out; the other rings are the first call's."""
    if {ring["attempt_id"] for ring in rings} & {attempt.pk for attempt in attempts}:
        yield "rang after its number had opted out"


def _message_problems(call: Call, messages: list[dict[str, object]]) -> Iterator[str]:
    """At least once, in order, each the same whenever it comes, and the end last."""
    firsts = {message["id"]: message for message in reversed(messages)}
    told = [message for message in messages if message is firsts[message["id"]]]
    sequences = [message["data"]["sequence"] for message in told]
    if sequences != list(range(1, call.events_sent + 1)):
        yield f"messages {sequences} were received, not 1 to {call.events_sent}"
    if any(_without_way(message) != _without_way(firsts[message["id"]]) for message in messages):
        yield "a message was not the same when it was repeated"
    types = [message["type"] for message in told]
    if not types or types[-1] not in ENDS or ENDS & set(types[:-1]):
        yield f"the end is not the last of {types}"
    elif told[-1]["data"]["status"] != call.status:
        yield f"the last message says {told[-1]['data']['status']}"


def _order_problems(taken: Sequence[int]) -> Iterator[str]:
    """What was taken for the first time comes behind all that was before it, whatever was refused once."""
    order = list(dict.fromkeys(taken))
    if order != sorted(order):
        yield f"messages were taken out of order: {order}"


def _without_way(message: dict[str, object]) -> str:
    return json.dumps(message, sort_keys=True)


def evidence(one: Placed, lab: Laboratory, heard: Heard, *, since: int) -> dict[str, object]:
    """All that is known of a call, and every strike since the given one."""
    attempts = list(Attempt.objects.filter(call=one.call_id).values())
    return {
        "call": one.evidence,
        "rings": heard.rings[one.number],
        "rows": {
            "calls": list(Call.objects.filter(contact__phone=one.number).values()),
            "attempts": attempts,
            "events": list(CallEvent.objects.filter(call=one.call_id).values()),
            "deliveries": list(Delivery.objects.filter(subject=one.call_id).order_by("id").values()),
        },
        "received": heard.messages[one.call_id],
        "ledger": ledgers.rows(lab.plan.ledger, [attempt["id"] for attempt in attempts]),
        "strikes": lab.strikes()[since:],
    }
