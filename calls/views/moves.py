"""What the calendar is told of a call that it moved, and the hour that it asks a new call for."""

from datetime import datetime

from django.http import JsonResponse, QueryDict
from django.utils.translation import gettext as _

from calls.forms import MomentForm
from temphone.templatetags.times import long_day

WHOSE = ("contact", "mine", "utc")


def told(form: MomentForm, *, is_moved: bool) -> JsonResponse:
    """Whether it is moved, and in plain words where to, or why not."""
    if not is_moved:
        errors = [str(error) for errors in form.errors.values() for error in errors]
        return JsonResponse({"moved": False, "text": " ".join(errors)}, status=422)
    day, time = form.cleaned_data["date"], form.cleaned_data["time"]
    text = _("Moved to {day}, {time}.").format(day=long_day(day), time=f"{time:%H:%M}")
    return JsonResponse({"moved": True, "text": text})


def asked_moment(params: QueryDict) -> dict[str, object]:
    """A day and time that the address names, and on whose clock; nothing where it is no moment."""
    text = f"{params.get('date', '')}T{params.get('time', '')}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return {}
    if moment.tzinfo:
        return {}
    whose = params.get("whose", "")
    values: dict[str, object] = {"date": moment.date(), "time": moment.time()}
    return {**values, "whose": whose} if whose in WHOSE else values
