"""What staff type about calls, and what it means."""

from calls.forms.filters import CallFilter
from calls.forms.many import AgainForm, ManyForm, MoveManyForm
from calls.forms.moments import MomentForm, problems
from calls.forms.own_phone import OwnPhoneForm
from calls.forms.remarks import MarkForm, NoteForm
from calls.forms.scheduling import EditForm, ScheduleForm, again
from calls.forms.stopping import StopForm
from calls.forms.trunks import FORMS, NumberForm, TrunkForm

__all__ = [
    "FORMS",
    "AgainForm",
    "CallFilter",
    "EditForm",
    "ManyForm",
    "MarkForm",
    "MomentForm",
    "MoveManyForm",
    "NoteForm",
    "NumberForm",
    "OwnPhoneForm",
    "ScheduleForm",
    "StopForm",
    "TrunkForm",
    "again",
    "problems",
]
