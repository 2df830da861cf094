"""What staff say of a call: notes, and how it ended."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from calls.actions.changing import get_call
from calls.actions.remarks import add_note, mark_outcome
from calls.forms import MarkForm, NoteForm
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.pages import StaffRequest, dialog, page


@page
@require_POST
def call_note(request: StaffRequest, call_id: str) -> HttpResponse:
    """Add a note; it stands on the call's page."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        add_note(actor=actor, call_id=call_id, text=form.cleaned_data["text"], now=clock.now())
    else:
        for problem in form.errors["text"]:
            messages.error(request, _("Note: {problem}").format(problem=problem))
    return redirect(reverse("call", args=[call.pk]) + "#notes")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def call_mark(request: StaffRequest, call_id: str) -> HttpResponse:
    """Ask how the call ended, and keep it beside what the carrier told."""
    actor = request.user.actor()
    actor.require(Role.OPERATOR)
    call = get_call(actor=actor, call_id=call_id)
    form = MarkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = form.cleaned_data["outcome"]
        mark = mark_outcome(actor=actor, call_id=call_id, outcome=outcome, now=clock.now())
        messages.success(request, _("Marked: {outcome}.").format(outcome=mark.outcome_label))
        return redirect("call", call_id=call_id)
    return dialog(request, "calls/mark.html", {"call": call, "form": form})
