"""What a webhook receiver was told, by call."""

import json
from collections import defaultdict
from collections.abc import Sequence

from tests.webhooks.receiver import Received


def by_call(received: Sequence[Received]) -> dict[str, list[tuple[int, str]]]:
    """Sequence and type of each message, in the order in which they came; repetitions are left out."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for message in received:
        told = json.loads(message.body)
        one = told["data"]["sequence"], told["type"]
        if one not in found[told["data"]["call_id"]]:
            found[told["data"]["call_id"]].append(one)
    return found


def out_of_order(messages: Sequence[tuple[int, str]]) -> bool:
    """Whether one is missing, or came before an earlier one."""
    return [sequence for sequence, _ in messages] != list(range(1, len(messages) + 1))
