"""The page that stops all calling, and lets it go on."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from calls.actions.stop import hang_up_live, set_stop_switch
from calls.forms import StopForm
from calls.models import Call, StopSwitch
from calls.states import CallStatus
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.pages import StaffRequest, capped_count, dialog, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: StaffRequest) -> HttpResponse:
    """Ask, then stop all calling; or let it go on."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    form = StopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        on = request.POST.get("on") == "1"
        set_stop_switch(actor=actor, on=on, reason=form.cleaned_data["reason"], now=clock.now())
        asked = hang_up_live(actor=actor, now=clock.now()) if on and form.cleaned_data["hang_up"] else 0
        _tell(request, on=on, asked=asked)
        return redirect("call-list")
    context = {
        "form": form,
        "switch": StopSwitch.read(),
        "in_progress": Call.objects.filter(status=CallStatus.IN_PROGRESS).count(),
        "waiting": capped_count(Call.objects.waiting(clock.now())),
    }
    return dialog(request, "calls/stop.html", context)


def _tell(request: StaffRequest, *, on: bool, asked: int) -> None:
    if not on:
        messages.success(request, _("Calling goes on."))
    elif asked:
        text = ngettext(
            "All calling is stopped, and the hang-up of {n} call is asked for.",
            "All calling is stopped, and the hang-up of {n} calls is asked for.",
            asked,
        )
        messages.warning(request, text.format(n=asked))
    else:
        messages.warning(request, _("All calling is stopped. Calls in progress go on to their end."))
