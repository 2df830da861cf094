"""The page that corrects what a call that waits for its time will say."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calls.actions.changing import get_call, update_call
from calls.forms import EditForm
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def call_edit(request: StaffRequest, call_id: str) -> HttpResponse:
    """Another text, length, caller ID, webhook; what is not changed here stays as it is."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    form = EditForm(request.POST if request.method == "POST" else None, call=call)
    if form.is_valid() and _changed(request, form):
        return redirect("call", call_id=call.pk)
    return render(request, "calls/edit.html", {"call": call, "form": form})


def _changed(request: StaffRequest, form: EditForm) -> bool:
    if not form.changes:
        messages.info(request, _("Nothing was changed."))
        return True
    try:
        update_call(actor=request.user.actor(), call_id=form.call.pk, changes=form.changes, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return False
    messages.success(request, _("The call is changed."))
    return True
