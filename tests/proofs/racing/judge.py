"""What an answer promised, and what the phone heard."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from calls.models import Call
from tests.proofs.stage.arena import Answer, Arena

ORDERED = ("canceled", "in_progress", "done")  # what an accepted order says


def judge_cancels(arena: Arena, calls: Sequence[Call], answers: dict[str, Answer]) -> None:
    arena.judge_orders(calls, answers, ORDERED)
    rang = arena.rings()
    for call in calls:
        said = answers[call.pk].said
        if len(rang[call.pk]) != (0 if said == "canceled" else 1):
            arena.flag(f"{call.pk}: the cancel said {said}, it rang {len(rang[call.pk])} times")


def judge_moves(arena: Arena, calls: Sequence[Call], answers: dict[str, Answer]) -> None:
    rang = arena.rings()
    for call in calls:
        said = answers[call.pk].said
        arena.count(f"move {said}")
        if len(rang[call.pk]) != (0 if said == "done" else 1):
            arena.flag(f"{call.pk}: the move said {said}, it rang {len(rang[call.pk])} times at the old time")


def judge_all_rang_once(arena: Arena, calls: Sequence[Call]) -> None:
    rang = arena.rings()
    for call in calls:
        if len(rang[call.pk]) != 1:
            arena.flag(f"{call.pk} rang {len(rang[call.pk])} times")


def most_in_a_second(moments: Sequence[datetime]) -> int:
    second = timedelta(seconds=1)
    return max((sum(one <= other < one + second for other in moments) for one in moments), default=0)
