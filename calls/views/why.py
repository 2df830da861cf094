"""Why a call was made, or was not: in one sentence, and rule by rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calls.gates import Facts, ask
from calls.models import Call, Decision
from calls.models.history import Verdict
from calls.states import CallStatus
from calls.views.rows import Row
from temphone.lib.clock import iso
from temphone.said import said
from temphone.templatetags.ui import rule_name

LATEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer in words, and whether it is good news."""

    verdict: str
    text: str


def why(row: Row, decisions: Sequence[Decision]) -> Why:
    """Why the call was made or not, or is not yet; ``decisions`` of the call, the latest first."""
    call = row.call
    if call.status == CallStatus.SCHEDULED:
        return _not_yet(row, decisions)
    dials = sum(1 for attempt in row.attempts if attempt.accepted_at or attempt.is_live)
    if call.status == CallStatus.IN_PROGRESS:
        return Why(verdict="allow", text=_("It is being called: every rule allowed it."))
    if dials:
        text = ngettext(
            "It was dialled once: every rule allowed it. It ended: {outcome}.",
            "It was dialled {n} times: every rule allowed it. It ended: {outcome}.",
            dials,
        )
        outcome = call.outcome_label.lower()
        return Why(verdict="allow", text=text.format(n=dials, outcome=outcome))
    return _never(call, decisions)


def _never(call: Call, decisions: Sequence[Decision]) -> Why:
    if call.status == CallStatus.CANCELED:
        return Why(verdict="wait", text=_("It never rang: it was canceled before."))
    deciding = _deciding(decisions[0]) if decisions else None
    if deciding and deciding["verdict"] == Verdict.BLOCK:
        parts = {"rule": rule_name(str(deciding["rule"])), "text": said(str(deciding["text"]))}
        return Why(verdict="block", text=_("It never rang. {rule}: {text}").format(**parts))
    outcome = call.outcome_label.lower()
    return Why(verdict="block", text=_("It never rang: {outcome}.").format(outcome=outcome))


def _not_yet(row: Row, decisions: Sequence[Decision]) -> Why:
    call = row.call
    if call.due_at > row.now:
        return _before_its_time(row, decisions)
    check = ask(call, Facts.read([call], now=row.now)).deciding
    if check.verdict in {Verdict.ALLOW, Verdict.WARN}:
        text = _("It is due, no rule forbids it, and it rings as soon as a line is free.")
        return Why(verdict="wait", text=text)
    text = _("Not called now. {rule}: {text}").format(rule=rule_name(check.rule), text=said(check.text))
    return Why(verdict=check.verdict.value, text=text)


def _before_its_time(row: Row, decisions: Sequence[Decision]) -> Why:
    when = iso(row.call.due_at)
    latest = _deciding(decisions[0]) if decisions else None
    if latest and latest["verdict"] == Verdict.DEFER:
        parts = {"rule": rule_name(str(latest["rule"])), "text": said(str(latest["text"]))}
        return Why(verdict="defer", text=_("Put off to {when}. {rule}: {text}").format(when=when, **parts))
    if row.attempts:
        return Why(verdict="wait", text=_("To be tried again at {when}.").format(when=when))
    return Why(verdict="wait", text=_("It is not time yet: it rings at {when}.").format(when=when))


def _deciding(decision: Decision) -> Mapping[str, object] | None:
    checks = cast("list[Mapping[str, object]]", decision.checks)
    return next((check for check in checks if check["rule"] == decision.rule), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A decision in one line: which call, when, what was decided, and why."""

    decision: Decision
    rule: str
    text: str


def lately(calls: Sequence[Call]) -> list[Told]:
    """The latest decisions over these calls, the newest first; one query."""
    decisions = Decision.objects.filter(call__in=[call.pk for call in calls]).order_by("-id")
    return [_told(one) for one in decisions.select_related("call", "attempt")[:LATEST]]


def _told(decision: Decision) -> Told:
    check = _deciding(decision) or {}
    return Told(decision=decision, rule=rule_name(decision.rule), text=str(check.get("text", "")))
