"""The marks of a chart as SVG and the rows of its table, of which a page has hundreds."""

from collections.abc import Iterable, Sequence

from temphone.charts.geometry import Box
from temphone.lib.markup import Markup, filled, joined

MARK = "<g><title>{}</title>{}{}</g>"
BAR = '<rect class="bar" x="{}%" y="{}%" width="{}%" height="{}%" fill="{}"/>'
SPAN = (
    '<line class="stem" x1="{0}%" x2="{0}%" y1="{2}%" y2="{1}%"/>'
    '<circle class="mark-high" cx="{0}%" cy="{2}%" r="4"/>'
    '<circle class="mark-low" cx="{0}%" cy="{1}%" r="4"/>'
)
SQUARE = '<rect class="heat {}" x="{}%" y="{}%" width="{}%" height="{}%" rx="4"/>'
NUMBER = '<text class="{}" x="{}%" y="{}%" dy="0.34em" text-anchor="middle">{}</text>'
ROW = '<tr><th scope="row">{}</th>{}{}</tr>'


def pattern(look: str) -> str:
    """The fill of a look; the patterns are in ``charts/patterns.html``."""
    return f"url(#look-{look})"


def stack(title: str, parts: Iterable[tuple[str, Box]]) -> Markup:
    """A column: of each part its look, and where it stands."""
    bars = (filled(BAR, box.x, box.y, box.width, box.height, pattern(look)) for look, box in parts)
    return filled(MARK, title, joined(bars), "")


def span(title: str, x: float, low: float, high: float) -> Markup:
    """A low and a high mark, and the line between them."""
    return filled(MARK, title, filled(SPAN, x, low, high), "")


def square(title: str, look: str, box: Box, text: str) -> Markup:
    """A cell of a heat map, and the number in its middle."""
    x, y = round(box.x + box.width / 2, 2), round(box.y + box.height / 2, 2)
    number = filled(NUMBER, look, x, y, text) if text else ""
    return filled(MARK, title, filled(SQUARE, look, box.x, box.y, box.width, box.height), number)


def row(name: str, texts: Sequence[str], total: str | None = None) -> Markup:
    """A row of the table that says the same."""
    last = "" if total is None else filled("<td><b>{}</b></td>", total)
    return filled(ROW, name, joined(filled("<td>{}</td>", text) for text in texts), last)
