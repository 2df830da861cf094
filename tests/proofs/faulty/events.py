"""Faults of events."""

from calls.models import Call
from temphone.telephony.messages import CarrierEvent, EndedBy, Ending, Events, EventType, Outcome, encode
from tests.proofs.faulty.lab import FINAL, Lab, Mend, an_event, opted_out


def dialled(lab: Lab) -> list[CarrierEvent]:
    """All ring and talk to the end; what is to be told of it."""
    lab.work()
    lab.talk()
    return lab.waiting(lab.gateway)


def every_event_twice(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([event for event in events for _ in range(2)])


def in_any_order(lab: Lab) -> None:
    lab.tell(dialled(lab)[::-1])


def a_gap(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([event for event in events if event.sequence != 3])


def late_events(lab: Lab) -> None:
    """After the end the leg is said to have rung, and to have been answered."""
    lab.tell(dialled(lab))
    for leg in lab.gateway.legs.values():
        last = len(leg.events)
        again = [
            an_event(leg, type_, lab.now(), "", False) for type_ in (EventType.RINGING, EventType.ANSWERED)
        ]
        lab.tell([_numbered(event, last + 1 + index) for index, event in enumerate(again)])


def _numbered(event: CarrierEvent, sequence: int, **changes: object) -> CarrierEvent:
    named = {name: getattr(event, name) for name in CarrierEvent.__slots__}
    return CarrierEvent(**{**named, "sequence": sequence, **changes})


def unknown_attempts(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell([_numbered(event, event.sequence, attempt_id="att_of_nobody") for event in events] + events)


def wrong_ledger(lab: Lab) -> None:
    """They change nothing, although they are acknowledged."""
    lab.tell(dialled(lab), ledger="gw_2")
    if Call.objects.filter(status__in=FINAL).exists():
        lab.broke.append("a stranger ended a call")
    unheard_of(lab)


def unheard_of(lab: Lab) -> None:
    """What was acknowledged was not what the gateway told."""
    for leg in lab.gateway.legs.values():
        leg.acknowledged = 0


def at_another_time(years: int) -> Mend:
    def fault(lab: Lab) -> None:
        for event in dialled(lab):
            lab.tell(
                [_numbered(event, event.sequence, at=event.at.replace(year=event.at.year + years, day=1))]
            )

    return fault


def ended_twice(lab: Lab) -> None:
    events = dialled(lab)
    lab.tell(events)
    busy = Ending(outcome=Outcome.BUSY, ended_by=EndedBy.CARRIER)
    lab.tell([_numbered(one, one.sequence + 1, ending=busy) for one in events if one.type == EventType.ENDED])


def ended_before_answered(lab: Lab) -> None:
    lab.work()
    for leg in lab.gateway.legs.values():
        leg.events.append(an_event(leg, EventType.ENDED, lab.now(), "", opted_out(leg)))
        leg.events.append(an_event(leg, EventType.ANSWERED, lab.now(), "", opted_out(leg)))
        if opted_out(leg):
            leg.events.append(an_event(leg, EventType.OPTED_OUT, lab.now(), "", True))
        leg.events.append(an_event(leg, EventType.ENDED, lab.now(), "", opted_out(leg)))


def opted_out_while_it_rings(lab: Lab) -> None:
    lab.work()
    for leg in lab.gateway.legs.values():
        for type_ in (EventType.RINGING, EventType.OPTED_OUT, EventType.ANSWERED, EventType.ENDED):
            if type_ != EventType.OPTED_OUT or opted_out(leg):
                leg.events.append(an_event(leg, type_, lab.now(), "", opted_out(leg)))


def old_events_for_ever(lab: Lab) -> None:
    events = dialled(lab)
    for count in range(len(events)):
        lab.tell(events[:count])


def unheard(lab: Lab) -> None:
    """The answer to the events is lost, again and again."""
    lab.tell(dialled(lab))
    unheard_of(lab)


def malformed(lab: Lab) -> None:
    events = dialled(lab)
    whole = encode(Events(ledger="gw_1", events=events))
    for body in (
        whole[: len(whole) // 2],
        whole.replace(b'"sequence":1', b'"sequence":"one"', 1),
        whole.replace(b'"sequence":1', b'"sequence":-7', 1),
        whole.replace(b'"ringing"', b'"singing"', 1),
        whole.replace(b"+00:00", b"", 1).replace(b'Z"', b'"', 1),
        whole.replace(b'"offset_ms":1', b'"offset_ms":-1', 1),
        whole.replace(b'"duration_s":3', b'"duration_s":99999999999', 1),
        b"[]",
    ):
        lab.tell([], body=body)


def texts(text: str) -> Mend:
    def fault(lab: Lab) -> None:
        lab.text = text

    return fault


def half_a_character(lab: Lab) -> None:
    """A lone surrogate, which no text may hold; then the same event without."""
    lab.text = "HALF"
    events = dialled(lab)
    lab.tell([], body=encode(Events(ledger="gw_1", events=events)).replace(b"HALF", b"\\ud800"))


FAULTS: dict[str, Mend] = {
    "every event twice": every_event_twice,
    "events in the wrong order": in_any_order,
    "a gap, then the missing one": a_gap,
    "events after the end": late_events,
    "events of unknown attempts": unknown_attempts,
    "events from another ledger": wrong_ledger,
    "an event in the far future": at_another_time(200),
    "an event in the far past": at_another_time(-200),
    "ended twice": ended_twice,
    "ended before it was answered": ended_before_answered,
    "opted out while it rings": opted_out_while_it_rings,
    "old events for ever": old_events_for_ever,
    "the acknowledgement is lost": unheard,
    "malformed events": malformed,
    "a NUL in what is said": texts("before\0after"),
    "a megabyte of speech": texts("ü" * 500_000),
    "half a character": half_a_character,
}
