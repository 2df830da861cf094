"""Why a call was made, or was not: in one sentence, and rule by rule."""

from collections.abc import Iterable, Mapping, Sequence
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
    if call.status == CallStatus.IN_PROGRESS:
        return _made(_("It is being called."), decisions)
    if not row.dials:
        return _never(call, decisions)
    if (deciding := _deciding(decisions)) and deciding["verdict"] == Verdict.BLOCK:
        return _no_more(row, deciding)
    times = ngettext("It was dialled once.", "It was dialled {n} times.", len(row.dials))
    ended = _("It ended: {outcome}.").format(outcome=call.outcome_label.lower())
    return _made(times.format(n=len(row.dials)), decisions, ended)


def title_of(row: Row) -> str:
    """What is asked of this call."""
    if row.call.status == CallStatus.SCHEDULED:
        return _("Why it waits")
    if row.call.status == CallStatus.IN_PROGRESS:
        return _("Why it is called")
    return _("Why it was called") if row.dials else _("Why it was not called")


def _made(begins: str, decisions: Sequence[Decision], ends: str = "") -> Why:
    """It was dialled; what the rules said when they were asked last."""
    warned = _warned(decisions[0]) if decisions else []
    rules = _("Every rule allowed it.")
    if warned:
        text = ngettext(
            "No rule forbade it; one warned: {rules}.",
            "No rule forbade it; {n} warned: {rules}.",
            len(warned),
        )
        rules = text.format(n=len(warned), rules=", ".join(warned))
    return Why(verdict="warn" if warned else "allow", text=" ".join(filter(None, [begins, rules, ends])))


def _warned(decision: Decision) -> list[str]:
    return [rule_name(check["rule"]) for check in decision.checks if check["verdict"] == Verdict.WARN]


def _no_more(row: Row, deciding: Mapping[str, object]) -> Why:
    """It was dialled, was to be again, and then a rule ended it."""
    n = len(row.dials)
    times = ngettext("It was dialled once, then no more.", "It was dialled {n} times, then no more.", n)
    return Why(verdict="block", text=f"{times.format(n=n)} {_told_by(deciding)}")


def _told_by(check: Mapping[str, object]) -> str:
    """A rule, and what it said."""
    parts = {"rule": rule_name(str(check["rule"])), "text": said(str(check["text"]))}
    return _("{rule}: {text}").format(**parts)


def _never(call: Call, decisions: Sequence[Decision]) -> Why:
    if call.status == CallStatus.CANCELED:
        return Why(verdict="wait", text=_("It never rang: it was canceled before."))
    deciding = _deciding(decisions)
    if deciding and deciding["verdict"] == Verdict.BLOCK:
        return Why(verdict="block", text=f"{_('It never rang.')} {_told_by(deciding)}")
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
    text = f"{_('Not called now.')} {_told_by(check.record)}"
    return Why(verdict=check.verdict.value, text=text)


def _before_its_time(row: Row, decisions: Sequence[Decision]) -> Why:
    when = iso(row.call.due_at)
    latest = _deciding(decisions)
    if latest and latest["verdict"] == Verdict.DEFER:
        text = _("Put off to {when}.").format(when=when)
        return Why(verdict="defer", text=f"{text} {_told_by(latest)}")
    if row.dials:
        return Why(verdict="wait", text=_("To be tried again at {when}.").format(when=when))
    return Why(verdict="wait", text=_("It is not time yet: it rings at {when}.").format(when=when))


def _deciding(decisions: Sequence[Decision]) -> Mapping[str, object] | None:
    """What decided when the rules were asked last; the latest first."""
    if not decisions:
        return None
    checks = cast("list[Mapping[str, object]]", decisions[0].checks)
    return next((check for check in checks if check["rule"] == decisions[0].rule), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A decision and why it was made: the rule that decided, and what that said."""

    decision: Decision
    rule: str
    text: str


def lately(calls: Sequence[Call]) -> list[Told]:
    """The latest decisions over these calls, the newest first; one query."""
    decisions = Decision.objects.filter(call__in=[call.pk for call in calls]).order_by("-id")
    return told_of(decisions.select_related("call", "attempt")[:LATEST])


def told_of(decisions: Iterable[Decision]) -> list[Told]:
    """Each decision in a line."""
    return [_told(one) for one in decisions]


def _told(decision: Decision) -> Told:
    check = _deciding([decision]) or {}
    return Told(decision=decision, rule=rule_name(decision.rule), text=str(check.get("text", "")))
