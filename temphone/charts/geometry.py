"""Where the parts of a chart go: numbers in, per cent of the drawing out.

Per cent, so that a drawing takes any width while its letters and patterns keep their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor, log10

STEPS = (1, 2, 5, 10)
LEVELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle; ``y`` counts from the top, as in SVG."""

    x: float
    y: float
    width: float
    height: float


def ticks(most: float, *, about: int = 4) -> list[int]:
    """Round whole numbers from 0 to one that is not below ``most``, about so many steps apart."""
    if most <= 0:
        return [0, 1]
    rough = max(most / about, 1)
    scale = 10 ** floor(log10(rough))
    step = int(next(scale * factor for factor in STEPS if scale * factor >= rough))
    return list(range(0, ceil(most / step) * step + 1, step))


def stacks(columns: Sequence[Sequence[float]], *, top: float, gap: float = 0.28) -> list[list[Box]]:
    """Columns side by side, the parts of each from the bottom upwards; a part of nothing has no height."""
    slot = 100 / max(len(columns), 1)
    return [
        _stack(parts, slot * (place + gap / 2), slot * (1 - gap), top) for place, parts in enumerate(columns)
    ]


def _stack(parts: Sequence[float], x: float, width: float, top: float) -> list[Box]:
    ends = [100 * end / top for end in accumulate(parts)]
    heights = [100 * part / top for part in parts]
    return [
        Box(x=_round(x), y=_round(100 - end), width=_round(width), height=_round(height))
        for end, height in zip(ends, heights, strict=True)
    ]


def middles(count: int) -> list[float]:
    """The middles of so many columns."""
    return [_round(100 * (place + 0.5) / count) for place in range(count)]


def segments(parts: Sequence[float]) -> list[Box]:
    """Parts of a whole in one bar, from the start to the end."""
    whole = sum(parts) or 1
    starts = [0.0, *accumulate(parts)]
    return [
        Box(x=_round(100 * start / whole), y=0, width=_round(100 * part / whole), height=100)
        for start, part in zip(starts, parts, strict=False)
    ]


def line(values: Sequence[float], *, width: float = 100, height: float = 28) -> list[tuple[float, float]]:
    """The points of a small line that fills its drawing; a level one lies in the middle."""
    least, most = min(values, default=0), max(values, default=0)
    span = most - least
    step = width / max(len(values) - 1, 1)
    return [
        (_round(place * step), _round(height * (1 - (value - least) / span) if span else height / 2))
        for place, value in enumerate(values)
    ]


def decades(values: Sequence[float], *, least: float = 0.1) -> list[float]:
    """The powers of ten that enclose the values, two at least; nothing is below ``least``."""
    low = floor(log10(max(min(values, default=least), least)))
    high = max(ceil(log10(max(max(values, default=least), least))), low + 1)
    return [10.0**power for power in range(low, high + 1)]


def on_decades(value: float, scale: Sequence[float]) -> float:
    """How far from the top a value stands on a scale of powers of ten."""
    low, high = log10(scale[0]), log10(scale[-1])
    place = (log10(max(value, scale[0])) - low) / (high - low)
    return _round(100 * (1 - min(place, 1)))


def level(share: float, most: float) -> int:
    """How strong of LEVELS, 0 for nothing at all: the greatest share is the strongest."""
    return min(ceil(LEVELS * share / most), LEVELS) if most and share > 0 else 0  # 5 * (1/9) / (1/9) > 5


def square(row: int, column: int, *, rows: int, columns: int, level: int) -> Box:
    """A cell of a grid, in its middle; the stronger it is the more of its place it takes."""
    share = 0.3 if level == 0 else 0.5 + 0.42 * level / LEVELS
    width, height = 100 / columns, 100 / rows
    return Box(
        x=_round((column + (1 - share) / 2) * width),
        y=_round((row + (1 - share) / 2) * height),
        width=_round(share * width),
        height=_round(share * height),
    )


def shown(count: int, *, most: int) -> set[int]:
    """Which of so many labels to write so that there are no more than ``most``: the last, and even steps."""
    step = ceil(count / most)
    return set(range(count - 1, -1, -step))


def _round(number: float) -> float:
    return round(number, 2)
