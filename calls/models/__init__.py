"""The heart: calls, their attempts, and the history of both."""

from calls.models.attempt import Attempt
from calls.models.call import Call
from calls.models.carriers import Beat, Gateway, Pacing, StopSwitch
from calls.models.days import Counted, DayCount
from calls.models.history import CallEvent, Decision, TranscriptTurn
from calls.models.prices import BilledBy, Price, Prices, Tariff, tariff_of
from calls.models.recording import Recording
from calls.models.staff import Mark, Note, Run, Verb, mark_of
from calls.models.trunks import Number, Trunk, TrunkKind

__all__ = [
    "Attempt",
    "Beat",
    "BilledBy",
    "Call",
    "CallEvent",
    "Counted",
    "DayCount",
    "Decision",
    "Gateway",
    "Mark",
    "Note",
    "Number",
    "Pacing",
    "Price",
    "Prices",
    "Recording",
    "Run",
    "StopSwitch",
    "Tariff",
    "TranscriptTurn",
    "Trunk",
    "TrunkKind",
    "Verb",
    "mark_of",
    "tariff_of",
]
