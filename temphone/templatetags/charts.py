"""Charts drawn on the server as SVG, each with a table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from temphone.charts import geometry, marks
from temphone.charts.geometry import Box
from temphone.charts.kinds import Bars, Dots, Heat, Series, Share
from temphone.kept_words import gettext as _
from temphone.lib.markup import Markup, joined
from temphone.templatetags.ui import grouped, percent

register = template.Library()

MOST_LABELS = 10  # along the foot of a wide chart; a narrow one shows half of them
FEW = 5  # calls in an hour that say little
NOTHING = Share(part=0, whole=0)
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word along the foot, and whether a narrow chart has room for it."""

    x: float
    text: str
    is_spare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line across, and what it stands for."""

    y: float
    text: str


register.simple_tag(marks.pattern)


@register.inclusion_tag("charts/bars.html")
def bars(chart: Bars) -> dict[str, object]:
    """Columns stacked by series."""
    totals = [sum(parts) for parts in zip(*(one.values for one in chart.series), strict=True)]
    ticks = geometry.ticks(max(totals, default=0))
    stacks = geometry.stacks(list(zip(*(one.values for one in chart.series), strict=True)), top=ticks[-1])
    return {
        "chart": chart,
        "summary": _summary(chart.title, [(one.name, sum(one.values)) for one in chart.series]),
        "legend": [(one, int(sum(one.values))) for one in chart.series],
        "ticks": [Tick(y=100 - 100 * tick / ticks[-1], text=grouped(tick)) for tick in ticks],
        "marks": joined(
            marks.stack(_column_title(chart, place), _looks(chart.series, boxes))
            for place, boxes in enumerate(stacks)
        ),
        "labels": _labels(chart.labels),
        "rows": joined(
            marks.row(
                name, [grouped(one.values[place]) for one in chart.series], total=grouped(totals[place])
            )
            for place, name in enumerate(chart.full_labels)
        ),
    }


def _summary(title: str, sums: Sequence[tuple[str, float]]) -> str:
    parts = ", ".join(f"{name} {grouped(int(number))}" for name, number in sums)
    return f"{title}: {parts}"


def _column_title(chart: Bars, place: int) -> str:
    parts = [f"{one.name} {grouped(int(one.values[place]))}" for one in chart.series if one.values[place]]
    return f"{chart.full_labels[place]}: {', '.join(parts) or _('none')}"


def _looks(series: Sequence[Series], boxes: Sequence[Box]) -> list[tuple[str, Box]]:
    return [(one.look, box) for one, box in zip(series, boxes, strict=True) if box.height]


def _labels(texts: Sequence[str]) -> list[Label]:
    places = geometry.middles(len(texts))
    wide, narrow = (geometry.shown(len(texts), most=most) for most in (MOST_LABELS, MOST_LABELS // 2))
    return [
        Label(x=places[place], text=texts[place], is_spare=place not in narrow)
        for place in sorted(wide | narrow)
    ]


@register.inclusion_tag("charts/dots.html")
def dots(chart: Dots) -> dict[str, object]:
    """A low and a high mark for each label, on a scale of powers of ten."""
    known = [value for value in (*chart.low, *chart.high) if value is not None]
    scale = geometry.decades(known)
    places = geometry.middles(len(chart.labels))
    spans = list(zip(places, chart.full_labels, chart.low, chart.high, strict=True))
    return {
        "chart": chart,
        "marks": joined(
            marks.span(name, x, geometry.on_decades(low, scale), geometry.on_decades(high, scale))
            for x, name, low, high in spans
            if low is not None and high is not None
        ),
        "ticks": [Tick(y=geometry.on_decades(tick, scale), text=span_or_dash(tick)) for tick in scale],
        "labels": _labels(chart.labels),
        "rows": joined(
            marks.row(name, [span_or_dash(low), span_or_dash(high)]) for _x, name, low, high in spans
        ),
    }


@register.filter
def span_or_dash(seconds: float | None) -> str:
    """A short span with two figures: ``0.4 s``, ``12 s``, ``3.5 min``; a dash where there is none."""
    if seconds is None:
        return "\N{EN DASH}"
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), (1, "s"))
    number = seconds / size
    decimals = 0 if number >= 10 or round(number, 1) == int(number) else 1
    return f"{grouped(number, decimals)} {unit}"


@register.inclusion_tag("charts/heat.html")
def heat(chart: Heat) -> dict[str, object]:
    """Shares by row and column, as squares that grow and darken."""
    most = max((_rate(cell) for cell in chart.cells.values() if cell.whole >= FEW), default=0)
    grid = [
        [_square(chart, row, column, most) for column in range(len(chart.columns))]
        for row in range(len(chart.rows))
    ]
    return {
        "chart": chart,
        "few": FEW if any(_is_few(cell) for cell in chart.cells.values()) else None,
        "marks": joined(square.markup for squares in grid for square in squares),
        "feet": list(zip(geometry.middles(len(chart.columns)), chart.columns, strict=True)),
        "sides": [
            Tick(y=y, text=name)
            for y, name in zip(geometry.middles(len(chart.rows)), chart.rows, strict=True)
        ],
        "rows": joined(
            marks.row(f"{name}:00", [square.told for square in squares])
            for name, squares in zip(chart.columns, zip(*grid, strict=True), strict=True)
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One cell of a heat map: in words, and drawn."""

    told: str
    markup: Markup


def _square(chart: Heat, row: int, column: int, most: float) -> Square:
    cell = chart.cells.get((row, column), NOTHING)
    level = 1 if _is_few(cell) else max(geometry.level(_rate(cell), most), 1) if cell.whole else 0
    told = _("{percent} of {n}").format(percent=percent(_rate(cell)), n=grouped(cell.whole))
    told = told if cell.whole else _("no calls")
    markup = marks.square(
        f"{chart.rows[row]} {chart.columns[column]}:00: {told}",
        "is-few" if _is_few(cell) else f"level-{level}",
        geometry.square(row, column, rows=len(chart.rows), columns=len(chart.columns), level=level),
        f"{100 * _rate(cell):.0f}" if cell.whole >= FEW else "",
    )
    return Square(told=told, markup=markup)


def _is_few(cell: Share) -> bool:
    """Whether it is too little to say anything: an outline."""
    return 0 < cell.whole < FEW


def best_hours(chart: Heat) -> list[str]:
    """The hours with the best share, in words; none where too little is known."""
    known = {place: cell for place, cell in chart.cells.items() if cell.whole >= FEW and cell.part}
    best = sorted(known, key=lambda place: (-_rate(known[place]), -known[place].whole))[:3]
    return [f"{chart.rows[row]} {chart.columns[column]}:00" for row, column in best]


def _rate(cell: Share) -> float:
    return cell.part / cell.whole if cell.whole else 0


@register.simple_tag
def spark(values: Sequence[float]) -> SafeString:
    """A small line; the figure beside it and the table beneath say what it shows."""
    points = geometry.line(values)
    if len(points) < 2:
        return SafeString("")
    path = format_html_join(" ", "{},{}", points)
    end_x, end_y = points[-1]
    return format_html(
        '<svg class="spark" viewBox="0 -3 100 34" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false">'
        '<polygon points="0,31 {} 100,31"/><polyline points="{}"/>'
        '<line class="spark-end" x1="{}" y1="{}" x2="{}" y2="{}"/></svg>',
        path,
        path,
        end_x,
        end_y,
        end_x,
        end_y,
    )


@register.inclusion_tag("charts/segments.html")
def segmented(series: Sequence[Series], *, legend: bool = True) -> dict[str, object]:
    """Parts of a whole in one bar, with their names and numbers beneath; of each series the first value.

    Without the legend, they are told beside it.
    """
    boxes = geometry.segments([one.values[0] for one in series])
    return {
        "parts": [(one.look, box) for one, box in zip(series, boxes, strict=True) if box.width],
        "legend": [(one, int(one.values[0])) for one in series if one.values[0]] if legend else [],
        "summary": ", ".join(f"{one.name} {grouped(int(one.values[0]))}" for one in series) or _("none"),
    }
