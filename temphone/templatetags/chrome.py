"""What every page's frame shows of the whole installation."""

from django import template
from django.utils.translation import gettext_lazy as _

from calls.models import Call, StopSwitch
from calls.states import CallStatus
from temphone.health import WELL, report
from temphone.lib.clock import now

register = template.Library()

TROUBLES = {
    "clock": _("Nothing is dialled: the clock does not run."),
    "queue": _("Nothing is dialled: no worker runs."),
    "gateway": _("Nothing is dialled: no phone network answers."),
}


@register.simple_tag
def stop_switch() -> StopSwitch:
    """The global stop's position."""
    return StopSwitch.read()


@register.simple_tag
def calls_in_progress() -> int:
    """How many calls are up."""
    return Call.objects.filter(status=CallStatus.IN_PROGRESS).count()


@register.simple_tag
def trouble() -> str:
    """Why nothing would be dialled now; empty where all parts are well."""
    parts = report(now())
    return next((str(text) for part, text in TROUBLES.items() if parts.get(part) != WELL), "")
