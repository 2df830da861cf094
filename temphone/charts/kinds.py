"""What a chart shows, in the words of whoever draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One kind of value, a number for each label; ``look`` is a colour and pattern of the stylesheet's."""

    look: str
    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Columns, each stacked of the same series."""

    title: str
    labels: Sequence[str]
    full_labels: Sequence[str]
    series: Sequence[Series]
    label_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """A low and a high value, in seconds, for each label; None where there was none."""

    title: str
    labels: Sequence[str]
    full_labels: Sequence[str]
    low: Sequence[float | None]
    high: Sequence[float | None]
    low_name: str
    high_name: str
    label_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a whole."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """Shares by row and column; a missing one is of nothing."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], Share]
