"""What staff type about calls, and what it means."""

from calls.forms.filters import CallFilter
from calls.forms.moments import MomentForm, problems
from calls.forms.scheduling import ScheduleForm, again
from calls.forms.stopping import StopForm

__all__ = ["CallFilter", "MomentForm", "ScheduleForm", "StopForm", "again", "problems"]
