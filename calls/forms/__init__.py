"""What staff type about calls, and what it means."""

from calls.forms.filters import CallFilter
from calls.forms.moments import MomentForm, problems
from calls.forms.own_phone import OwnPhoneForm
from calls.forms.scheduling import ScheduleForm, again
from calls.forms.stopping import StopForm
from calls.forms.trunks import FORMS, NumberForm, TrunkForm

__all__ = [
    "FORMS",
    "CallFilter",
    "MomentForm",
    "NumberForm",
    "OwnPhoneForm",
    "ScheduleForm",
    "StopForm",
    "TrunkForm",
    "again",
    "problems",
]
