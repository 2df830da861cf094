"""The first page: how calling goes, what comes next, and what needs somebody."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from calls.actions.counting import (
    ANSWERED,
    KEPT_S,
    MOST_DRAWN,
    REACHED,
    DayFigures,
    Lateness,
    Total,
    days_before,
    figures,
    lateness,
    midnight,
    outcomes_of_campaigns,
    percentile,
    total,
)
from calls.models import Call, tallies
from calls.models.call import OVERDUE_AFTER, needing_attention
from calls.states import FINAL, CallStatus
from campaigns.models import Campaign
from campaigns.states import OVER
from contacts.models import Contact
from temphone.accounts.models import ApiKey, Mode
from temphone.charts.kinds import Bars, Dots, Heat, Series, Share
from temphone.lib import clock
from temphone.lib.clock import zone
from temphone.pages import StaffRequest, page
from temphone.telephony.messages import Outcome
from temphone.templatetags.charts import best_hours
from temphone.templatetags.times import short_day, tiny_day
from temphone.templatetags.ui import grouped, percent

PERIODS = (7, 30, 90)
SHORT_LIST = 6
CAMPAIGNS = 6
LATEST_DIALS = 2_000  # that the map of good hours is made of
OFFICE_HOURS = range(8, 21)
MODES = ((Mode.LIVE.value, Mode.LIVE.label), (Mode.TEST.value, Mode.TEST.label))
ByHour = Counter[tuple[int, int]]  # by weekday and hour
NAMES = {
    "reached": gettext_lazy("Reached"),
    "voicemail": gettext_lazy("Voicemail"),
    "unanswered": gettext_lazy("No answer or busy"),
    "failed": gettext_lazy("Failed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the period, how it went day by day, and against the period before."""

    name: str
    value: str
    line: Sequence[float]
    change: str
    direction: str  # up, down, level, or none where there is nothing to compare with


@page
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """The overview; before the first call, the way to it. For htmx its lists alone."""
    now = clock.now()
    mode, count = _mode(request.GET.get("mode", "")), _period(request.GET.get("days", ""))
    attention, callbacks = _needing_somebody(mode, now)
    lists = {
        "mode": mode.value,
        "days": count,
        "coming": _coming(mode, now),
        "held_up": _held_up(mode),
        "attention": attention,
        "callbacks": callbacks,
    }
    if request.htmx:
        return render(request, "calls/parts/overview_lists.html", lists)
    if not Call.objects.exists():
        return render(request, "calls/first_call.html", {"contact": _first_contact()})
    today = timezone.localtime(now).date()
    days = days_before(today, 2 * count)
    zone_name = request.user.timezone
    known = figures(days, mode=mode, zone_name=zone_name, now=now)
    before, shown = days[:count], days[count:]
    chosen = [known[day] for day in shown]
    heat = _heat(mode, shown, zone_name, now)
    context = {
        **lists,
        "periods": PERIODS,
        "modes": MODES,
        "figures": _figures([known[day] for day in before], chosen, count),
        "by_day": [_by_day(day, one) for day, one in zip(shown, chosen, strict=True)],
        "bars": _bars(shown, chosen),
        "lateness": _lateness(shown, lateness(shown, mode=mode, zone_name=zone_name, now=now)),
        "heat": heat,
        "best": best_hours(heat),
        "most_dials": LATEST_DIALS,
        "most_drawn": MOST_DRAWN,
        "campaigns": _campaigns(mode, shown, zone_name, now),
        "counted_at": chosen[-1].counted_at,
    }
    return render(request, "calls/overview.html", context)


def _period(text: str) -> int:
    return next((days for days in PERIODS if str(days) == text), PERIODS[0])


def _mode(text: str) -> Mode:
    """The one that is asked for; else live where there is, or may soon be, a live call."""
    if text in Mode.values:
        return Mode(text)
    # In the order of an index, which PostgreSQL takes whatever it believes of how many there are.
    is_live = Call.objects.having({"mode": Mode.LIVE}).newest().values_list("pk")[:1]
    return Mode.LIVE if is_live or ApiKey.objects.usable().filter(mode=Mode.LIVE).exists() else Mode.TEST


def _first_contact() -> Contact | None:
    return Contact.objects.present().order_by("-created_at", "-id").first()


# ---------------------------------------------------------------- figures


def _figures(before: Sequence[DayFigures], chosen: Sequence[DayFigures], count: int) -> list[Figure]:
    then, now = total(before), total(chosen)
    talk = [one.talk_s for one in chosen]
    return [
        _figure(_("Calls made"), grouped(now.made), [one.made for one in chosen], then.made, now.made, count),
        _rate(then, now, [_share(one) for one in chosen], count),
        _figure(_("Talk time"), span_of(now.talk_s), talk, then.talk_s, now.talk_s, count),
        _figure(
            _("People reached"),
            grouped(now.reached),
            [one.of(REACHED) for one in chosen],
            then.reached,
            now.reached,
            count,
        ),
    ]


def _figure(name: str, value: str, line: Sequence[float], then: int, now: int, count: int) -> Figure:
    if not then:
        change = _("none in the {n} days before").format(n=count) if now else ""
        return Figure(name=name, value=value, line=line, change=change, direction="none")
    change = _("{change} on the {n} days before").format(
        change=f"{_sign(now - then)}{percent(abs(now - then) / then)}", n=count
    )
    return Figure(name=name, value=value, line=line, change=change, direction=_direction(now - then))


def _rate(then: Total, now: Total, line: Sequence[float], count: int) -> Figure:
    name, value = pgettext("calls", "Answered"), _percent(now.answer_rate)
    if then.answer_rate is None or now.answer_rate is None:
        return Figure(name=name, value=value, line=line, change="", direction="none")
    points = round(100 * now.answer_rate) - round(100 * then.answer_rate)
    change = _("{points} points on the {n} days before").format(
        points=f"{_sign(points)}{abs(points)}", n=count
    )
    return Figure(name=name, value=value, line=line, change=change, direction=_direction(points))


def _sign(difference: float) -> str:
    return "\N{MINUS SIGN}" if difference < 0 else "+"


def _direction(difference: float) -> str:
    if not difference:
        return "level"
    return "up" if difference > 0 else "down"


def _percent(rate: float | None) -> str:
    return "\N{EN DASH}" if rate is None else percent(rate)


def _share(one: DayFigures) -> float:
    ended = one.ended.total()
    return one.of(ANSWERED) / ended if ended else 0


def span_of(seconds: int) -> str:
    """A long span as people write it: ``4 min``, ``2 h 05 min``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return (
        _("{h} h {m:02} min").format(h=grouped(hours), m=minutes) if hours else _("{n} min").format(n=minutes)
    )


def _by_day(day: date, one: DayFigures) -> dict[str, object]:
    rate = _percent(_share(one) if one.ended.total() else None)
    talk = span_of(one.talk_s)
    return {"day": short_day(day), "made": one.made, "rate": rate, "talk": talk, "reached": one.of(REACHED)}


# ---------------------------------------------------------------- charts


def _labels(days: Sequence[date]) -> list[str]:
    return [tiny_day(day, in_a_week=len(days) <= PERIODS[0]) for day in days]


def _bars(days: Sequence[date], chosen: Sequence[DayFigures]) -> Bars:
    groups = [one.groups for one in chosen]
    return Bars(
        title=_("Calls per day"),
        labels=_labels(days),
        full_labels=[short_day(day) for day in days],
        series=[
            Series(look=look, name=str(name), values=[one[look] for one in groups])
            for look, name in NAMES.items()
        ],
        label_name=_("Day"),
    )


def _lateness(days: Sequence[date], late: Mapping[date, Lateness]) -> Dots | None:
    """How late calls began; None where none did."""
    if not any(late.values()):
        return None
    return Dots(
        title=_("How long after its time a call began, per day"),
        labels=_labels(days),
        full_labels=[short_day(day) for day in days],
        low=[percentile(late[day], 0.5) for day in days],
        high=[percentile(late[day], 0.99) for day in days],
        low_name=_("Half of the calls within"),
        high_name=_("99 of 100 within"),
        label_name=_("Day"),
    )


def _heat(mode: Mode, days: Sequence[date], zone_name: str, now: datetime) -> Heat:
    """How many of the latest dials a person answered, by weekday and hour of the contact."""
    made, answered = _by_hour(mode, days[0], zone_name, now)
    hours = [hour for _day, hour in made]
    first, last = min([*hours, OFFICE_HOURS[0]]), max([*hours, OFFICE_HOURS[-1]])
    monday = date(2024, 1, 1)
    return Heat(
        title=_("Per cent answered by a person, by weekday and hour of the contact"),
        rows=[date_format(monday + timedelta(days=ahead), "D") for ahead in range(7)],
        columns=[str(hour) for hour in range(first, last + 1)],
        cells={
            (weekday, hour - first): Share(part=answered[weekday, hour], whole=number)
            for (weekday, hour), number in made.items()
        },
    )


def _by_hour(mode: Mode, first: date, zone_name: str, now: datetime) -> tuple[ByHour, ByHour]:
    """The latest dials since that day, and those of them that a person answered; kept for a minute."""
    key = f"overview:hours:{mode}:{zone_name}:{first}"
    known: tuple[ByHour, ByHour] | None = cache.get(key)
    if known is not None:
        return known
    made, answered = ByHour(), ByHour()
    since = midnight(first, zone_name)
    for at, there, outcome in tallies.latest_dials(mode, since, now, most=LATEST_DIALS):
        local = at.astimezone(zone(there))
        place = local.weekday(), local.hour
        made[place] += 1
        answered[place] += outcome in ANSWERED
    cache.set(key, (made, answered), KEPT_S)
    return made, answered


def _campaigns(mode: Mode, days: Sequence[date], zone_name: str, now: datetime) -> list[dict[str, object]]:
    """The campaigns with the most calls of the period: whom they reached."""
    found = outcomes_of_campaigns(days[0], days[-1], mode=mode, zone_name=zone_name, now=now)
    busiest = sorted(found, key=lambda campaign: -found[campaign].ended.total())[:CAMPAIGNS]
    names = Campaign.objects.in_bulk(busiest)
    return [_campaign(names[pk], found[pk]) for pk in busiest if pk in names]


def _campaign(campaign: Campaign, ended: DayFigures) -> dict[str, object]:
    groups = ended.groups
    whole = sum(groups.values())
    return {
        "campaign": campaign,
        "whole": whole,
        "reached": percent(groups["reached"] / whole),
        "series": [Series(look=look, name=str(name), values=[groups[look]]) for look, name in NAMES.items()],
    }


# ---------------------------------------------------------------- lists


def _coming(mode: Mode, now: datetime) -> list[Call]:
    """The calls that are due next: among the single ones, and those of the campaigns that come first."""
    since = now - OVERDUE_AFTER
    due = Call.objects.filter(campaign=OuterRef("pk"), status=CallStatus.SCHEDULED, due_at__gt=since)
    first_due = Subquery(due.order_by("due_at", "id").values("due_at")[:1])
    open_ones = Campaign.objects.filter(mode=mode).exclude(status__in=OVER)
    soonest = open_ones.annotate(at=first_due).order_by(F("at").asc(nulls_last=True), "pk")
    campaigns = list(soonest.values_list("pk", flat=True)[:SHORT_LIST])
    found = tallies.next_due(mode, campaigns, since, most=SHORT_LIST)
    calls = Call.objects.filter(pk__in=found).select_related("contact", "campaign")
    return list(calls.order_by("due_at", "id"))


def _held_up(mode: Mode) -> list[Campaign]:
    """The campaigns whose launch goes on no further until somebody has looked, once there is what to see."""
    ended = Call.objects.filter(campaign=OuterRef("pk"), status__in=FINAL)
    to_look_at = Exists(ended) | ~Q(launch_problem="")
    return list(Campaign.objects.needing_somebody().filter(to_look_at, mode=mode)[:SHORT_LIST])


def _needing_somebody(mode: Mode, now: datetime) -> tuple[list[Call], list[Call]]:
    """What needs attention, the late ones first; and apart from these, who asked to be called back."""
    found: dict[str, Call] = {}
    for part in needing_attention(now):
        calls = Call.objects.having(part, {"mode": mode}).newest().select_related("contact", "campaign")
        found |= {call.pk: call for call in calls[:SHORT_LIST]}
    newest = sorted(found.values(), key=lambda call: call.scheduled_at, reverse=True)
    callbacks = [call for call in newest if call.outcome == Outcome.CALLBACK_REQUESTED]
    others = [call for call in newest if call.outcome != Outcome.CALLBACK_REQUESTED]
    others.sort(key=lambda call: call.status != CallStatus.SCHEDULED)
    return others[:SHORT_LIST], callbacks
