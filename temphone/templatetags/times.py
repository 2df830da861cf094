"""How pages show times: in the reader's zone, and on the contact's clock."""

import re
from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext, pgettext

from calls.hours import is_open
from temphone.kept_words import by_language
from temphone.kept_words import gettext as _
from temphone.lib.clock import iso, now, zone
from temphone.said import said
from temphone.templatetags.ui import grouped, icon

register = template.Library()

INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)")


def full_date(day: date) -> str:
    """Such as ``Friday 4 December 2026``."""
    return date_format(day, pgettext("date format", "l j F Y"))


def long_day(day: date) -> str:
    """Such as ``Friday 4 December``."""
    return date_format(day, pgettext("date format", "l j F"))


def long_date(day: date) -> str:
    """Such as ``4 December 2026``."""
    return date_format(day, pgettext("date format", "j F Y"))


@by_language
def short_day(day: date) -> str:
    """Such as ``Fri 4 Dec``."""
    return date_format(day, pgettext("date format", "D j M"))


@by_language
def tiny_day(day: date, *, in_a_week: bool) -> str:
    """Such as ``Fri 4``, or ``4 Dec`` where there are more days than a week's."""
    return date_format(day, "D j" if in_a_week else pgettext("date format", "j M"))


def short_day_and_year(day: date) -> str:
    """Such as ``Fri 4 Dec 2026``."""
    return date_format(day, pgettext("date format", "D j M Y"))


register.filter(full_date)


def day_name(day: date, today: date) -> str:
    """Today, Tomorrow, Yesterday, else ``Fri 4 Dec``, with the year where it is another."""
    near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}.get((day - today).days)
    return near or (short_day(day) if day.year == today.year else short_day_and_year(day))


def _here(moment: datetime) -> datetime:
    return timezone.localtime(moment)


@register.filter
def day(moment: datetime) -> str:
    """The day in the reader's zone."""
    return day_name(_here(moment).date(), _here(now()).date())


@register.filter
def clock(moment: datetime) -> str:
    """The wall time in the reader's zone: ``15:30``."""
    return f"{_here(moment):%H:%M}"


@register.filter
def time_of_day(local: datetime) -> str:
    """The wall time that a moment itself has, whatever the reader's zone."""
    return f"{local:%H:%M:%S}"


@register.filter
def clock_s(moment: datetime) -> str:
    """The wall time in the reader's zone with seconds."""
    return f"{_here(moment):%H:%M:%S}"


@register.simple_tag
def when(moment: datetime) -> SafeString:
    """Day and time in the reader's zone, the exact instant on hovering."""
    here = _here(moment)
    full = f"{full_date(here)}, {here:%H:%M:%S} {here:%Z}"
    markup = '<time datetime="{}" title="{}"><span class="day">{}</span> <b>{}</b></time>'
    return format_html(markup, iso(moment), full, day(moment), clock(moment))


@register.filter
def city(zone_name: str) -> str:
    """A zone by its city: ``Los Angeles``."""
    return zone_name.rsplit("/", 1)[-1].replace("_", " ")


@register.filter
def offset(moment: datetime, zone_name: str) -> str:
    """The zone's offset at that moment: ``UTC+5:30``."""
    shift = moment.astimezone(zone(zone_name)).utcoffset() or timedelta()
    hours, minutes = divmod(abs(int(shift.total_seconds())) // 60, 60)
    sign = "\N{MINUS SIGN}" if shift < timedelta() else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


@register.simple_tag
def there(moment: datetime, zone_name: str) -> SafeString:
    """The contact's clock beneath the reader's; with a moon outside calling hours."""
    local, here = moment.astimezone(zone(zone_name)), _here(moment)
    if local.utcoffset() == here.utcoffset():
        text = _("same time in {place}").format(place=city(zone_name))
    else:
        text = time_there(local, here, zone_name)
    if is_open(local):
        return format_html('<span class="there">{}</span>', text)
    outside = _("outside calling hours")
    markup = '<span class="there night" title="{}">{} {}<span class="visually-hidden">, {}</span></span>'
    return format_html(markup, outside.capitalize(), icon("moon", 13), text, outside)


def time_there(local: datetime, here: datetime, zone_name: str) -> str:
    """The wall time in a zone, and how far its day is from that beside it: ``00:00 (+1 d) in Tokyo``."""
    days = (local.date() - here.date()).days
    return _("{time} in {place}").format(time=f"{local:%H:%M}{_shift(days)}", place=city(zone_name))


def _shift(days: int) -> str:
    return "" if days == 0 else f" ({days:+d} d)".replace("-", "\N{MINUS SIGN}")


@register.filter
def clock_there(moment: datetime, zone_name: str) -> str:
    """The wall time in a zone: ``15:30``."""
    return f"{moment.astimezone(zone(zone_name)):%H:%M}"


@register.filter
def date_there(moment: datetime, zone_name: str) -> str:
    """The date in a zone: ``Tuesday 24 November``."""
    return long_day(moment.astimezone(zone(zone_name)).date())


@register.filter
def moment_there(moment: datetime, zone_name: str) -> str:
    """Day and time in a zone, short: ``Tue 24 Nov 15:30``."""
    local = moment.astimezone(zone(zone_name))
    return f"{short_day(local.date())} {local:%H:%M}"


@register.filter
def clock_in(zone_name: str) -> str:
    """What a clock in the zone shows now."""
    return clock_there(now(), zone_name)


@register.filter
def moon_in(zone_name: str) -> SafeString:
    """A moon where it is outside calling hours there now, before what a clock shows there; else nothing."""
    if not is_night(now(), zone_name):
        return SafeString("")
    outside = _("outside calling hours")
    markup = '<span class="moon" title="{}">{}<span class="visually-hidden">{}: </span></span>'
    return format_html(markup, outside.capitalize(), icon("moon", 13), outside)


@register.filter
def is_night(moment: datetime, zone_name: str) -> bool:
    """Whether it is outside calling hours there."""
    return not is_open(moment.astimezone(zone(zone_name)))


@register.filter
def instant(moment: datetime) -> str:
    """The instant for scripts, to the millisecond."""
    return moment.isoformat(timespec="milliseconds")


@register.filter
def from_now(moment: datetime) -> str:
    """How far ahead: ``in 33 min``; ``due now`` once it is there."""
    ahead_s = (moment - now()).total_seconds()
    if ahead_s <= 0:
        return _("due now")
    return _("in {span}").format(span=span(ahead_s))


@register.filter
def ago(moment: datetime) -> str:
    """How long since: ``5 min ago``."""
    return _("{span} ago").format(span=span((now() - moment).total_seconds()))


def span(length_s: float) -> str:
    """A span in its one or two largest units."""
    if length_s < 60:
        return _("{n} s").format(n=max(1, int(length_s)))
    minutes = int(length_s // 60)
    if minutes < 60:
        return _("{n} min").format(n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("{h} h {m:02} min").format(h=hours, m=minutes) if minutes else _("{h} h").format(h=hours)
    days = round(hours / 24)
    return ngettext("{n} day", "{n} days", days).format(n=days)


@register.filter
def since(moment: datetime, start: datetime) -> str:
    """The span from ``start`` to ``moment`` for a timeline: ``+9.4 s``, ``+3 min``."""
    passed_s = (moment - start).total_seconds()
    if abs(passed_s) >= 60:
        return f"+{span(passed_s)}"
    return "+" + _("{n} s").format(n=grouped(passed_s, 1))


@register.filter
def offset_ms(milliseconds: int) -> str:
    """Where in a conversation: ``01:04``."""
    return f"{milliseconds // 60_000:02}:{milliseconds // 1000 % 60:02}"


@register.filter
def seconds(milliseconds: int) -> str:
    """Seconds as a media fragment has them: ``64.2``."""
    return f"{milliseconds / 1000:.1f}"


@register.filter
def local_times(text: str) -> SafeString:
    """What a rule said, each instant in it (``2026-03-15T15:00:00Z``) as the reader's clock shows it."""
    parts = INSTANT.split(said(text))
    return format_html_join(
        "", "{}", ((_instant(part) if INSTANT.fullmatch(part) else part,) for part in parts)
    )


def _instant(text: str) -> SafeString:
    return when(datetime.fromisoformat(text))
