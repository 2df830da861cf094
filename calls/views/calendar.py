"""The calendar: the calls of a week or a day, by the hour, on one of three clocks."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TypeAlias

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from calls.hours import is_open
from calls.models import Call, slots
from calls.models.slots import Place
from calls.states import CallStatus
from temphone.addresses import Address
from temphone.lib import clock
from temphone.lib.clock import from_wall, zone
from temphone.pages import StaffRequest, page
from temphone.templatetags.times import city, full_date, long_date, long_day, short_day, time_there
from temphone.templatetags.ui import query, state_label

VIEWS = {"week": gettext_lazy("Week"), "day": gettext_lazy("Day")}
CLOCKS = {
    "mine": gettext_lazy("My time"),
    "contact": gettext_lazy("Contact's time"),
    "utc": gettext_lazy("UTC"),
}
SHOWN = {"week": 3, "day": 20}  # calls of an hour
COUNTED = {"week": 30, "day": 200}
COUNTED_THERE = {"week": 5, "day": 25}  # on contacts' clocks, where each costs a look at the contact
MORNING, IN_SIGHT = 8, 9  # the hour that one looks from, and how many a window shows
HOUR = timedelta(hours=1)
NEEDED = (
    "status",
    "outcome",
    *(f"contact__{name}" for name in ("first_name", "last_name", "phone", "timezone")),
)
FURTHEST = timedelta(days=3660)
# How far a contact's wall time may be from UTC: to UTC+14 and UTC-12.
AHEAD, BEHIND = timedelta(hours=14), timedelta(hours=12)
Where: TypeAlias = tuple[date, int]  # a day and an hour of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the address asks for."""

    view: str
    clock: str
    days: Sequence[date]
    my_zone: str
    in_a_day: str = "?view=day"  # the query of the address for one day, but which

    @classmethod
    def of(cls, request: StaffRequest, now: datetime) -> "Shown":
        """From the address; what is wrong there is ignored."""
        view, which = request.GET.get("view", ""), request.GET.get("clock", "")
        view, which = (view if view in VIEWS else "week"), (which if which in CLOCKS else "mine")
        my_zone = request.user.timezone
        today = now.astimezone(zone("UTC" if which == "utc" else my_zone)).date()
        first = _day(request.GET.get("date", ""), today)
        if view == "week":
            first -= timedelta(days=first.weekday())
        count = 7 if view == "week" else 1
        days = [first + timedelta(days=ahead) for ahead in range(count)]
        in_a_day = query(request.GET, view="day", date=None)
        return cls(view=view, clock=which, days=days, my_zone=my_zone, in_a_day=in_a_day)

    @property
    def zone_name(self) -> str:
        """Whose wall times the hours are; for contacts' time, whose the present is."""
        return "UTC" if self.clock == "utc" else self.my_zone

    def zone_of(self, place: Place) -> str:
        """On whose clock a call is shown."""
        return place.zone_name if self.clock == "contact" else self.zone_name

    def rest_of(self, cell: "Cell") -> str:
        """Where the calls are for which an hour has no room: of a week, in the day; of a day, in the list."""
        if self.view == "week":
            return f"{self.in_a_day}&date={cell.date}#hour-{cell.hour}"
        view = "all" if cell.is_past else "upcoming"
        return f"{reverse('call-list')}?view={view}&since={cell.date}&until={cell.date}"

    def hours(self) -> list[tuple[datetime, datetime]]:
        """The hours in which the shown days' calls can lie; of one clock each is an hour there."""
        end_day = self.days[-1] + timedelta(days=1)
        if self.clock == "contact":
            start = from_wall(datetime.combine(self.days[0], time()), "UTC") - AHEAD
            end = from_wall(datetime.combine(end_day, time()), "UTC") + BEHIND
        else:
            start = from_wall(datetime.combine(self.days[0], time()), self.zone_name)
            end = from_wall(datetime.combine(end_day, time()), self.zone_name)
        return list(_cut(start, end, self.zone_name))


def _callable() -> set[int]:
    """The hours of a contact's day in which calls may ring."""
    opens, closes = settings.CALLING_HOURS
    last = closes.hour if closes > time(closes.hour) else closes.hour - 1
    return set(range(opens.hour, last + 1))


def _cut(start: datetime, end: datetime, zone_name: str) -> Iterator[tuple[datetime, datetime]]:
    """Where an hour begins on the zone's clock; a change of half an hour makes a short one."""
    clock_there = zone(zone_name)
    while start < end:
        stop = start + HOUR - timedelta(minutes=start.astimezone(clock_there).minute)
        yield start, stop
        start = stop


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day - today) < FURTHEST else today


@dataclass(frozen=True, kw_only=True)
class Card:
    """A call in the calendar. What it shows is made here: there are hundreds, and a template takes long."""

    call: Call
    at: datetime
    zone_name: str  # on whose clock it is shown
    href: str
    move_href: str

    @cached_property
    def local(self) -> datetime:
        """When, there."""
        return self.at.astimezone(zone(self.zone_name))

    @property
    def time(self) -> str:
        """When, on the clock there."""
        return f"{self.local:%H:%M:%S}"

    @cached_property
    def standing(self) -> str:
        """Its status, and how it ended."""
        ended = f": {self.call.outcome_label}" if self.call.outcome else ""
        return f"{state_label(self.call.status)}{ended}"

    @property
    def title(self) -> str:
        """All of it in a line."""
        zone_name = self.call.contact.timezone
        there = f"{short_day(self._there.date())} {self._there:%H:%M} {city(zone_name)}"
        return f"{self.call.contact}, {self.standing}, {there}"

    @cached_property
    def there(self) -> str:
        """When, on the contact's clock, where that is another."""
        if self._there.utcoffset() == self.local.utcoffset():
            return ""
        return time_there(self._there, self.local, self.call.contact.timezone)

    @property
    def is_movable(self) -> bool:
        """Whether it still waits for its time."""
        return self.call.status == CallStatus.SCHEDULED

    @property
    def is_night(self) -> bool:
        """Whether it is outside the contact's calling hours."""
        return not is_open(self._there)

    @cached_property
    def _there(self) -> datetime:
        return self.at.astimezone(zone(self.call.contact.timezone))


@dataclass(kw_only=True)
class Cell:
    """An hour of a day."""

    day: date
    hour: int
    day_name: str
    is_past: bool
    cards: list[Card] = field(default_factory=list)
    more: int = 0
    more_href: str = ""
    is_at_least: bool = False  # there may be yet more
    now_percent: int | None = None  # how much of it is over, while it is

    @property
    def date(self) -> str:
        """The day, as addresses have it."""
        return self.day.isoformat()

    @cached_property
    def name(self) -> str:
        """As it is spoken of."""
        return f"{self.day_name}, {self.hour:02}:00"


@page
@require_safe
def calendar(request: StaffRequest) -> HttpResponse:
    """The calendar, or for htmx its table."""
    now = clock.now()
    shown = Shown.of(request, now)
    cells = _cells(shown, now)
    hours = sorted({hour for _day, hour in cells})
    step = timedelta(days=len(shown.days))
    local = now.astimezone(zone(shown.zone_name))
    context = {
        "view": shown.view,
        "clock_name": shown.clock,
        "views": VIEWS.items(),
        "clocks": CLOCKS.items(),
        "days": shown.days,
        "today": local.date(),
        "title": _title(shown.days),
        "previous": shown.days[0] - step,
        "next": shown.days[0] + step,
        "rows": [(hour, [cells[day, hour] for day in shown.days]) for hour in hours],
        "first_hour": _first_hour(cells),
        "is_empty": not any(cell.cards for cell in cells.values()),
    }
    return render(request, "calls/calendar.html#grid" if request.htmx else "calls/calendar.html", context)


def _title(days: Sequence[date]) -> str:
    if len(days) == 1:
        return full_date(days[0])
    first, last = days[0], days[-1]
    begins = date_format(first, "j" if first.month == last.month else pgettext("date format", "j F"))
    return _("{first} to {last}").format(first=begins, last=long_date(last))


def _first_hour(cells: Mapping[Where, Cell]) -> int:
    """From where on the days are looked at: the morning, but what is now, or all that there is, in sight."""
    hours = {hour for _day, hour in cells}
    present = [hour for (_day, hour), cell in cells.items() if cell.now_percent is not None]
    taken = {hour for (_day, hour), cell in cells.items() if cell.cards}
    first = min(taken) if taken and taken.isdisjoint(range(MORNING, MORNING + IN_SIGHT)) else MORNING
    for hour in present:
        first = max(min(MORNING, hour), hour - IN_SIGHT + 1)
    return max(first, min(hours))


def _cells(shown: Shown, now: datetime) -> dict[Where, Cell]:
    """Each hour that is shown, with its first calls; a constant number of queries."""
    hours = shown.hours()
    held = _held_there(shown, hours) if shown.clock == "contact" else _held(shown, hours)
    held = {where: one for where, one in held.items() if where[0] in shown.days}
    cells = _empty(shown, now, {hour for _day, hour in held})
    first = [place.call_id for one in held.values() for place in one.first]
    calls = Call.objects.select_related("contact").only(*NEEDED).in_bulk(first)
    page_of, move_of = Address("call"), Address("call-move")
    for where, one in held.items():
        cell = cells[where]
        cell.cards = [
            Card(
                call=calls[place.call_id],
                at=place.at,
                zone_name=shown.zone_of(place),
                href=page_of.of(place.call_id),
                move_href=move_of.of(place.call_id),
            )
            for place in one.first
            if place.call_id in calls
        ]
        cell.more, cell.is_at_least = max(one.count - len(one.first), 0), one.is_at_least
        cell.more_href = shown.rest_of(cell) if cell.more else ""
    return cells


@dataclass(slots=True)
class Held:
    """What an hour holds."""

    first: list[Place] = field(default_factory=list)
    count: int = 0
    is_at_least: bool = False  # there may be yet more


def _held(shown: Shown, hours: Sequence[tuple[datetime, datetime]]) -> dict[Where, Held]:
    """By the hours of one clock: the first calls of each, and where there are more, how many."""
    most, counted = SHOWN[shown.view], COUNTED[shown.view]
    places = slots.first_of_each(hours, most=most)
    read = Counter((place.slot, place.status) for place in places)
    full = [one for one, count in read.items() if count == most]
    counts = slots.counted([(status, hours[slot]) for slot, status in full], most=counted)
    found: dict[Where, Held] = defaultdict(Held)
    clock_there = zone(shown.zone_name)
    where = [_where(start.astimezone(clock_there)) for start, _end in hours]
    for place in places:
        one = found[where[place.slot]]
        if len(one.first) < most:
            one.first.append(place)
    for (slot, _status), count in {**read, **dict(zip(full, counts, strict=True))}.items():
        one = found[where[slot]]
        one.count += count
        one.is_at_least |= count >= counted
    return found


def _held_there(shown: Shown, hours: Sequence[tuple[datetime, datetime]]) -> dict[Where, Held]:
    """By the hours of each contact's clock, of which nothing but the calls themselves tells."""
    most, counted = SHOWN[shown.view], COUNTED_THERE[shown.view]
    places = slots.first_of_each(hours, most=counted, with_zone=True)
    per_hour = Counter(place.slot for place in places)
    found: dict[Where, Held] = defaultdict(Held)
    for place in places:
        one = found[_where(place.at.astimezone(zone(place.zone_name)))]
        if len(one.first) < most:
            one.first.append(place)
        one.count += 1
        one.is_at_least |= per_hour[place.slot] >= counted
    return found


def _where(local: datetime) -> Where:
    return local.date(), local.hour


def _empty(shown: Shown, now: datetime, taken: set[int]) -> dict[Where, Cell]:
    local = now.astimezone(zone(shown.zone_name))
    present = {local.hour} if local.date() in shown.days and shown.clock != "contact" else set()
    hours = {*(_callable() if shown.clock == "contact" else range(24)), *taken}
    hours = set(range(min(hours), max(hours) + 1))
    names = {day: long_day(day) for day in shown.days}
    cells = {
        (day, hour): Cell(day=day, hour=hour, day_name=names[day], is_past=(day, hour) < _where(local))
        for day in shown.days
        for hour in hours
    }
    if present and (cell := cells.get(_where(local))):
        cell.now_percent = round(100 * local.minute / 60)
    return cells
