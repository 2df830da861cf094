"""The page about when we may call: the rules as they hold, and a way to try them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from calls.actions.asking import may_call
from calls.forms.hours import TryForm
from calls.gates import LATE_CAMPAIGN_S, LATE_SINGLE_S
from calls.models.history import Verdict
from temphone.accounts.actors import Role
from temphone.accounts.models import Mode
from temphone.lib import clock
from temphone.lib.clock import zone
from temphone.pages import StaffRequest, page

HOURS_WORDS = {
    "reject": _("A call outside the hours is refused when it is scheduled, and the next opening is named."),
    "defer": _("A call outside the hours is moved to the next opening."),
    "warn": _("A call outside the hours is made, with a warning on its page."),
}
CONSENT_WORDS = {
    "require": _("Without a consent that covers the purpose nobody is called."),
    "warn": _("Without a consent the call is made, with a warning on its page."),
    "off": _("Consent is not asked for."),
}


@page
@require_safe
def hours_page(request: StaffRequest) -> HttpResponse:
    """The rules in plain words; and, for whom and when the address asks, what they say."""
    actor, now = request.user.actor(), clock.now()
    actor.require(Role.MANAGER)
    asked = "who" in request.GET
    form = TryForm(request.GET if asked else None, user=request.user, initial=_in_an_hour(request, now))
    opens, closes = settings.CALLING_HOURS
    context: dict[str, object] = {
        "form": form,
        "opens": opens,
        "closes": closes,
        "modes": [_policies(mode) for mode in (Mode.LIVE, Mode.TEST)],
        "cap": settings.CALLS_PER_NUMBER_PER_DAY,
        "late_single": LATE_SINGLE_S // 60,
        "late_campaign": LATE_CAMPAIGN_S // 60,
        "now": now,
    }
    if asked and form.is_valid():
        data = form.cleaned_data
        ruling = may_call(
            actor=actor,
            contact=data["contact"],
            campaign=data["campaign"],
            mode=Mode(data["mode"]),
            at=form.at,
            now=now,
        )
        context |= {
            "contact": data["contact"],
            "at": form.at,
            "deciding": ruling.deciding,
            "may": ruling.deciding.verdict in {Verdict.ALLOW, Verdict.WARN},
            "checks": ruling.record,
        }
    return render(request, "calls/hours.html#answer" if request.htmx else "calls/hours.html", context)


def _policies(mode: Mode) -> dict[str, object]:
    policies = settings.POLICIES[mode]
    name = mode.value.upper()
    return {
        "label": mode.label,
        "mode": mode.value,
        "rules": [
            (HOURS_WORDS[policies["hours"]], f"TEMPHONE_HOURS_{name}={policies['hours']}"),
            (CONSENT_WORDS[policies["consent"]], f"TEMPHONE_CONSENT_{name}={policies['consent']}"),
        ],
    }


def _in_an_hour(request: StaffRequest, now: datetime) -> dict[str, object]:
    local = (now + timedelta(hours=1)).astimezone(zone(request.user.timezone))
    return {"date": local.date(), "time": local.time().replace(second=0), "whose": "mine", "mode": "live"}
