"""The pages that change many calls at once: the chosen ones, or all that match."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from calls.actions.again import When
from calls.actions.many import MOST_AT_ONCE, MOST_IN_A_RUN, Tally, change_many, start_run
from calls.forms import AgainForm, ManyForm, MoveManyForm
from calls.models import Call, Run, Verb
from calls.states import CallStatus
from calls.views.browsing import Browsing
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.pages import StaffRequest, dialog, is_ours, page
from temphone.said import said

SHOWN = 6  # names in the question
FEW = 5  # calls at once that startle nobody
SPREAD_MIN = 30  # proposed for more
WAITING = (CallStatus.SCHEDULED,)
OVER = (CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.CANCELED)
# Of which status a call must be, that it can be done to.
STATUSES: dict[Verb, Sequence[str]] = {
    Verb.CANCEL: (CallStatus.SCHEDULED, CallStatus.IN_PROGRESS),
    Verb.MOVE: WAITING,
    Verb.AGAIN: OVER,
    Verb.SEEN: OVER,
}
FORMS: dict[Verb, type[ManyForm]] = {Verb.MOVE: MoveManyForm, Verb.AGAIN: AgainForm}
DONE = {
    Verb.CANCEL: ngettext_lazy("{n} call canceled", "{n} calls canceled", "n"),
    Verb.MOVE: ngettext_lazy("{n} call moved", "{n} calls moved", "n"),
    Verb.AGAIN: ngettext_lazy("{n} call scheduled again", "{n} calls scheduled again", "n"),
    Verb.SEEN: ngettext_lazy("{n} call marked as seen", "{n} calls marked as seen", "n"),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The calls that are meant: those that are named, or all of a list."""

    verb: Verb
    params: QueryDict
    browsing: Browsing
    next: str  # the page to go back to, where it is not the list

    @classmethod
    def of(cls, request: StaffRequest, verb: Verb) -> "Choice":
        """As the form or the link says."""
        params = request.POST if request.method == "POST" else request.GET
        wanted = params.get("next", "")
        return cls(
            verb=verb,
            params=params,
            browsing=Browsing.of(params, request.user, clock.now()),
            next=wanted if is_ours(request, wanted) else "",
        )

    @property
    def back(self) -> str:
        """Where one came from."""
        return self.next or reverse("call-list") + self.browsing.query

    @property
    def is_whole(self) -> bool:
        """Whether all of the list are meant."""
        return "everything" in self.params

    @property
    def statuses(self) -> Sequence[str]:
        """Of these, the others cannot be changed so. Of what needs attention, the waiting are moved."""
        again = self.verb == Verb.AGAIN and self.browsing.view == "attention"
        return (*OVER, *WAITING) if again else STATUSES[self.verb]

    @cached_property
    def named(self) -> list[str]:
        """The ids that are named, each once."""
        return list(dict.fromkeys(self.params.getlist("call")))[:MOST_AT_ONCE]

    @cached_property
    def ids(self) -> list[str]:
        """The ids of those that can be changed so."""
        if self.is_whole:
            return self.browsing.ids(self.statuses, most=MOST_IN_A_RUN)
        calls = Call.objects.filter(pk__in=self.named, status__in=self.statuses)
        there = set(calls.values_list("pk", flat=True))
        return [call_id for call_id in self.named if call_id in there]

    @property
    def has_more(self) -> bool:
        """Whether there are more than can be changed in one run."""
        return self.is_whole and len(self.ids) == MOST_IN_A_RUN

    @property
    def left_out(self) -> int:
        """How many of the named cannot be changed so."""
        return 0 if self.is_whole else len(self.named) - len(self.ids)

    @property
    def first(self) -> list[Call]:
        """The first few, to be shown."""
        found = Call.objects.select_related("contact").in_bulk(self.ids[:SHOWN])
        return [found[call_id] for call_id in self.ids[:SHOWN] if call_id in found]

    @property
    def rest(self) -> int:
        """How many more there are."""
        return max(0, len(self.ids) - SHOWN)

    @property
    def is_confirmed(self) -> bool:
        """Whether the question was answered; of all that match, while there are not more than it said."""
        counted = self.params.get("counted", "")
        enough = not self.is_whole or (counted.isdecimal() and len(self.ids) <= int(counted[:9]))
        return "confirmed" in self.params and enough


@page
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: StaffRequest, verb: Verb) -> HttpResponse:
    """Ask, then do it: at once where the calls are few, else in the background."""
    request.user.actor().require(Role.OPERATOR)
    choice = Choice.of(request, verb)
    is_sent = request.method == "POST" and "confirmed" in request.POST
    form = _form(request, choice, is_sent=is_sent)
    if not is_sent or not choice.is_confirmed or not (form is None or form.is_valid()):
        context = {"choice": choice, "verb": verb.value, "form": form, "grown": is_sent and choice.is_whole}
        return dialog(request, "calls/many.html", context)
    when = form.when if form else None
    if len(choice.ids) > MOST_AT_ONCE:
        run = start_run(user=request.user, verb=verb, call_ids=choice.ids, when=when, now=clock.now())
        return redirect("call-run", run_id=run.pk)
    _do(request, choice, when)
    return redirect(choice.back)


def _do(request: StaffRequest, choice: Choice, when: When | None) -> None:
    actor, now = request.user.actor(), clock.now()
    ids = choice.ids if choice.is_whole else choice.named
    _report(
        request, choice.verb, change_many(actor=actor, verb=choice.verb, call_ids=ids, when=when, now=now)
    )


def _form(request: StaffRequest, choice: Choice, *, is_sent: bool) -> ManyForm | None:
    kind = FORMS.get(choice.verb)
    if kind is None:
        return None
    local = clock.now().astimezone(clock.zone(request.user.timezone))
    initial: dict[str, object] = {"date": local.date(), "whose": "contact"}
    if len(choice.ids) > FEW:
        initial["over_min"] = SPREAD_MIN
    if "way" in choice.params:
        initial["way"] = choice.params["way"]
    return kind(request.POST if is_sent else None, user=request.user, initial=initial)


def _report(request: StaffRequest, verb: Verb, tally: Tally) -> None:
    done = tally.changed - (tally.asked if verb == Verb.CANCEL else 0)
    if done:
        messages.success(request, f"{DONE[verb].format(n=done)}.")
    if verb == Verb.CANCEL and tally.asked:
        messages.info(request, _("{n} in progress: the hang-up is asked for.").format(n=tally.asked))
    for reason, count in tally.refused.items():
        messages.warning(request, _("{n} left as it was: {reason}.").format(n=count, reason=said(reason)))
    if not done and not tally.asked and not tally.refused:
        messages.info(request, _("No call was changed."))


@page
@require_safe
def run_page(request: StaffRequest, run_id: int) -> HttpResponse:
    """How far a change of many calls is."""
    request.user.actor().require(Role.OPERATOR)
    run = get_object_or_404(Run.objects.defer("calls").select_related("user"), pk=run_id)
    context = {"run": run, "done": DONE[Verb(run.verb)].format(n=run.changed)}
    return render(request, "calls/run.html#progress" if request.htmx else "calls/run.html", context)
