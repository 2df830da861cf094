"""The back office's pages on calls; importing them registers them."""

from calls.admin.carriers import (
    BeatAdmin,
    GatewayAdmin,
    NumberAdmin,
    PacingAdmin,
    PriceAdmin,
    StopSwitchAdmin,
    TrunkAdmin,
)
from calls.admin.history import (
    AttemptAdmin,
    CallAdmin,
    CallEventAdmin,
    DayCountAdmin,
    DecisionAdmin,
    RecordingAdmin,
    TranscriptTurnAdmin,
)

__all__ = [
    "AttemptAdmin",
    "BeatAdmin",
    "CallAdmin",
    "CallEventAdmin",
    "DayCountAdmin",
    "DecisionAdmin",
    "GatewayAdmin",
    "NumberAdmin",
    "PacingAdmin",
    "PriceAdmin",
    "RecordingAdmin",
    "StopSwitchAdmin",
    "TranscriptTurnAdmin",
    "TrunkAdmin",
]
