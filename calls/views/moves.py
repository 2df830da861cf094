"""What the calendar is told of a call that it moved, and the hour that it asks a new call for."""

from datetime import datetime

from django.http import JsonResponse, QueryDict
from django.utils.translation import gettext as _

from calls.forms import MomentForm
from calls.models import Call
from temphone.templatetags.times import city, clock_there, date_there

WHOSE = ("contact", "mine", "utc")


def told(form: MomentForm, moved: Call | None) -> JsonResponse:
    """Whether it is moved, and in plain words to when, on the clock that was asked for; or why not."""
    if moved is None:
        errors = [str(error) for errors in form.errors.values() for error in errors]
        return JsonResponse({"moved": False, "text": " ".join(errors)}, status=422)
    zone_name = form.zone_name or moved.contact.timezone
    is_put_off = moved.due_at != moved.scheduled_at
    text = (
        _("Put off by the rules to {day}, {time}, {city}.")
        if is_put_off
        else _("Moved to {day}, {time}, {city}.")
    )
    at = {"day": date_there(moved.due_at, zone_name), "time": clock_there(moved.due_at, zone_name)}
    return JsonResponse({"moved": True, "text": text.format(**at, city=city(zone_name))})


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
