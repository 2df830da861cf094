"""How calls may end under each fault, and what else must be so."""

from calls.models import Call
from contacts.models import Suppression
from temphone.telephony.messages import EventType
from tests.proofs.faulty.lab import Lab

# Where the call cannot end well, how it may end instead.
ENDINGS = {
    "refused for good": {"failed: carrier_error"},
    "back with another ledger": {"failed: unknown"},
    "lost for good": {"failed: unknown"},
    "said to be live though it ended": {"completed: message_delivered", "completed: opted_out"},
}
WELL = {"completed: message_delivered", "completed: opted_out"}
SILENT = {"refused for good"}


def calls_now() -> list[dict[str, object]]:
    return list(Call.objects.values("id", "status", "outcome"))


def problems(name: str, lab: Lab) -> list[str]:
    rings = lab.rings()
    twice = [call for call, count in rings.items() if count > 1]
    found = [f"{call} rang twice" for call in twice]
    found += lab.broke
    for call in calls_now():
        ending = f"{call['status']}: {call['outcome']}"
        if ending not in ENDINGS.get(name, WELL):
            found.append(f"{call['id']} ended {ending}")
        if not rings[call["id"]] and name not in SILENT:
            found.append(f"{call['id']} never rang")
    suppressed = set(Suppression.objects.values_list("number", flat=True))
    for gateway in lab.gateways:
        for leg in gateway.legs.values():
            told = any(one.type == EventType.OPTED_OUT for one in leg.events[: leg.acknowledged])
            if told != (leg.request.to in suppressed):
                found.append(f"the opt-out of {leg.request.to} was {'lost' if told else 'invented'}")
    return found
