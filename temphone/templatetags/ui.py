"""How pages show things: icons, states, numbers, lengths, roles."""

import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from lucide.templatetags.lucide import lucide

from calls.models.history import Verdict
from calls.states import AttemptState, CallStatus
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from temphone.kept_words import by_language, gettext
from temphone.lib import phone
from temphone.said import a_word, said

register = template.Library()

TINTS = 6
LEAST_TOLD = Decimal("0.0001")
STATUS_ICONS = {
    "scheduled": "clock",
    "in_progress": "phone-call",
    "completed": "check",
    "failed": "triangle-alert",
    "canceled": "ban",
    "dialing": "phone-outgoing",
    "ringing": "bell-ring",
    "answered": "phone-call",
    "ended": "check",
    "unknown": "circle-dashed",
    "pending": "clock",
    "delivered": "check",
    "exhausted": "triangle-alert",
    "ready": "check",
    "off": "power-off",
    "draft": "pencil",
    "running": "play",
    "paused": "pause",
}
VERDICT_ICONS = {
    "allow": "check",
    "warn": "triangle-alert",
    "wait": "hourglass",
    "defer": "calendar-clock",
    "block": "ban",
}
OUTCOME_ICONS = {
    "message_delivered": "message-square-check",
    "answered_human": "user-round-check",
    "opted_out": "bell-off",
    "wrong_person": "user-round-x",
    "callback_requested": "phone-incoming",
    "transferred": "phone-forwarded",
    "voicemail_left": "voicemail",
    "voicemail_hungup": "voicemail",
    "max_duration": "timer",
    "no_answer": "phone-missed",
    "busy": "phone-off",
    "rejected": "phone-off",
    "screened": "shield",
    "expired": "hourglass",
    "canceled_by_user": "ban",
    "blocked_suppressed": "shield-off",
    "blocked_consent": "shield-off",
    "blocked_destination": "shield-off",
}
VERDICT_LABELS = {
    "allow": _("Allowed"),
    "warn": _("Warned"),
    "wait": _("Waits"),
    "defer": _("Put off"),
    "block": _("Blocked"),
}
STATE_LABELS = {
    **dict(AttemptState.choices),
    **dict(CallStatus.choices),
    "answered": _("In conversation"),
}
RULE_NAMES = {
    "stop_switch": _("Stop switch"),
    "campaign": _("Campaign"),
    "suppression": _("Do not call"),
    "destination": _("Where calls may go"),
    "consent": _("Consent"),
    "calling_hours": _("Calling hours"),
    "number_in_use": _("Number in use"),
    "caps": _("Calls per number"),
    "lateness": _("Lateness"),
    "lines": _("Free lines"),
}

INPUTS = {
    "on": _("stopped"),
    "late_s": _("seconds late"),
    "limit_s": _("seconds allowed"),
    "free": _("free lines"),
    "made": _("calls in 24 hours"),
    "cap": _("allowed in 24 hours"),
    "local": _("clock there"),
    "local_time": _("local time"),
    "opens": _("opens"),
    "closes": _("closes"),
    "policy": _("policy"),
    "purpose": _("purpose"),
    "reason": _("reason"),
    "suppression": _("suppression"),
    "campaign": _("campaign"),
    "status": _("status"),
    "country": _("country"),
    "kind": _("kind of number"),
}
# Values that are no labels of anything.
POLICIES = {
    "off": _("off"),
    "warn": _("warn"),
    "defer": _("defer"),
    "reject": _("reject"),
    "require": _("require"),
    "staff": _("staff"),
}


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 18) -> str:
    """An icon that says nothing to screen readers; the text beside it does."""
    svg: str = lucide(name, size=size, aria_hidden="true", focusable="false", **{"class": "icon"})
    return svg


@register.simple_tag
def pill(state: str, label: str) -> SafeString:
    """A state as icon and text."""
    markup = '<span class="pill is-{}">{}{}</span>'
    return format_html(markup, state, icon(STATUS_ICONS.get(state, "circle"), 14), label)


@register.filter(name="said")
def in_their_words(text: object) -> str:
    """What a rule said in English, in the reader's language; what is in it already stays."""
    return said(str(text))


@register.filter
def status_icon(status: str) -> str:
    """The icon of a call's status."""
    return STATUS_ICONS.get(status, "circle")


@register.filter
def verdict_icon(verdict: str) -> str:
    """The icon of a gate's verdict."""
    return VERDICT_ICONS.get(verdict, "circle")


@register.filter
def outcome_icon(outcome: str | None) -> str:
    """The icon of an outcome."""
    return OUTCOME_ICONS.get(outcome or "", "circle-alert")


@register.filter
def rule_name(rule: str) -> str:
    """A gate as people call it."""
    return str(RULE_NAMES.get(rule, rule.replace("_", " ").capitalize()))


@register.filter
def number(e164: str) -> str:
    """A phone number as people read it."""
    return phone.for_people(e164)


@register.filter
def initials(name: str) -> str:
    """Up to two letters for the round mark beside a name; a hash sign for a bare number."""
    words = [word for word in name.split() if word[0].isalpha()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper() or "#"


@register.filter
def tint(key: object) -> int:
    """One of the round marks' colours, always the same for the same key."""
    return zlib.crc32(str(key).encode()) % TINTS + 1


@register.filter
def talk(seconds: int | None) -> str:
    """A span as people write it on a phone: ``1:04``, ``1:02:03``; a dash where there is none."""
    if not isinstance(seconds, int):
        return "\N{EN DASH}"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
@by_language
def grouped(number: float, decimals: int = 0) -> str:
    """A number as the reader's language writes it: ``1,234``."""
    return number_format(round(number, decimals), decimals, force_grouping=True)


@register.filter
def money(amount: Decimal) -> str:
    """An amount of the organisation's currency; what is no whole hundredth of less than one, more exactly."""
    if 0 < amount < LEAST_TOLD:
        return gettext("less than {amount}").format(amount=money(LEAST_TOLD))
    decimals = 4 if amount < 1 and round(amount, 2) != round(amount, 4) else 2
    number = number_format(round(amount, decimals), decimals, force_grouping=True)
    return f"{number}\N{NO-BREAK SPACE}{settings.CURRENCY}"


@register.filter
def percent(share: float) -> str:
    """A share of one as per cent."""
    return gettext("{n}%").format(n=f"{100 * share:.0f}")


@register.filter
def per_cent(number: int) -> str:
    """The same of a share that is counted in hundredths already."""
    return percent(number / 100)


@register.filter
def capped(count: int, cap: int = 1000) -> str:
    """A count, or how far it was counted: ``1,000+``."""
    return f"{grouped(cap)}+" if count > cap else grouped(count)


@register.filter
def may(user: User, role: str) -> bool:
    """Whether the user's role includes this one."""
    return user.is_authenticated and user.may(Role(role))


@register.filter
def told(checks: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The checks that say more than that they allow it."""
    return [check for check in checks if check["verdict"] != Verdict.ALLOW]


@register.filter
def allowed(checks: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The checks that allow it."""
    return [check for check in checks if check["verdict"] == Verdict.ALLOW]


@register.filter
@by_language
def state_label(state: str) -> str:
    """An attempt's state, or a call's status, as people call it."""
    return str(STATE_LABELS.get(state, state.replace("_", " ").capitalize()))


@register.filter
def verdict_label(verdict: str) -> str:
    """A gate's verdict in words."""
    return str(VERDICT_LABELS[verdict])


@register.simple_tag
def query_without(params: QueryDict, name: str) -> str:
    """The address's query without one parameter, on the first page."""
    return query(params, **{name: None, "after": None, "before": None})


@register.simple_tag
def query(params: QueryDict, **changes: object) -> str:
    """The address's query with some parameters changed; None takes one away."""
    merged: dict[str, object] = {name: params.get(name) for name in params}
    merged.update(changes)
    text = urlencode({name: value for name, value in merged.items() if value not in {None, ""}})
    return f"?{text}"


@register.filter
def inputs(check: Mapping[str, object]) -> list[tuple[str, str]]:
    """What a gate looked at, as names and values for people."""
    seen = check.get("input")
    pairs = seen.items() if isinstance(seen, Mapping) else ()
    return [
        (str(INPUTS.get(name, name.replace("_", " "))), _plainly(value))
        for name, value in pairs
        if value is not None
    ]


def _plainly(value: object) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if known := POLICIES.get(str(value)):
        return str(known)
    words = str(value).replace("_", " ")
    return a_word(words) if a_word(words) != words else str(value)
