"""What happened to a call, in plain words."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calls.models import CallEvent
from calls.states import ANSWERED_BY_LABELS, OUTCOME_LABELS
from temphone.said import said
from temphone.telephony.messages import AnsweredBy, Outcome
from temphone.templatetags.evidence import shown

register = template.Library()

TITLES = {
    "scheduled": gettext_lazy("Scheduled"),
    "rescheduled": gettext_lazy("Moved to another time"),
    "changed": gettext_lazy("Changed"),
    "deferred": gettext_lazy("Put off by a rule"),
    "dialing": gettext_lazy("Dialing"),
    "carrier_accepted": gettext_lazy("Taken by the phone network"),
    "carrier_dialing": gettext_lazy("Handed to the phone network"),
    "carrier_ringing": gettext_lazy("Ringing"),
    "carrier_answered": gettext_lazy("Answered"),
    "carrier_classified": gettext_lazy("Answered by"),
    "carrier_opted_out": gettext_lazy("Asked not to be called again"),
    "carrier_noted": gettext_lazy("Noted in the call"),
    "carrier_ended": gettext_lazy("Call ended"),
    "carrier_analyzed": gettext_lazy("Summary made"),
    "retry_scheduled": gettext_lazy("To be tried again"),
    "requeued": gettext_lazy("Never rang; to be dialled again"),
    "hang_up_requested": gettext_lazy("Hang-up asked for"),
    "completed": pgettext_lazy("call", "Completed"),
    "failed": pgettext_lazy("call", "Failed"),
    "canceled": pgettext_lazy("call", "Canceled"),
    "corrected": gettext_lazy("Corrected by late evidence"),
    "marked": gettext_lazy("Outcome marked by hand"),
    "seen": gettext_lazy("Marked as seen"),
    "called_again": gettext_lazy("Called again"),
}
ICONS = {
    "scheduled": "calendar-plus",
    "rescheduled": "calendar-clock",
    "changed": "pencil",
    "deferred": "calendar-clock",
    "dialing": "phone-outgoing",
    "carrier_accepted": "arrow-right",
    "carrier_dialing": "phone-outgoing",
    "carrier_ringing": "bell-ring",
    "carrier_answered": "phone-call",
    "carrier_classified": "user-round",
    "carrier_opted_out": "bell-off",
    "carrier_noted": "info",
    "carrier_ended": "phone-off",
    "carrier_analyzed": "notebook-text",
    "retry_scheduled": "rotate-ccw",
    "requeued": "rotate-ccw",
    "hang_up_requested": "hand",
    "completed": "check",
    "failed": "triangle-alert",
    "canceled": "ban",
    "corrected": "history",
    "marked": "hand",
    "seen": "check-check",
    "called_again": "rotate-ccw",
}


@register.filter
def event_title(event: CallEvent) -> str:
    """The event as a heading."""
    title = str(TITLES.get(event.name, event.name.replace("_", " ").capitalize()))
    who = event.data.get("answered_by")
    if event.name == "carrier_classified" and who:
        return f"{title}: {ANSWERED_BY_LABELS[AnsweredBy(who)].lower()}"
    return title


@register.filter
def event_icon(event: CallEvent) -> str:
    """The event's icon."""
    return ICONS.get(event.name, "circle")


@register.filter
def event_note(event: CallEvent) -> str:
    """What more there is to say: the reason, how it ended, or what shows it."""
    outcome = event.data.get("outcome") or event.reason
    if outcome in set(Outcome):
        return str(OUTCOME_LABELS[Outcome(outcome)])
    if event.reason == "late":
        return _("came late; changed nothing")
    return said(event.reason) or ", ".join(one.text for one in shown(event.data))
