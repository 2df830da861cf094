"""Why pages miss a goal: by kind of page, from where the time goes and what the slowest statement does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Page = Mapping[str, Any]
Pages = Mapping[str, Page]


@dataclass(frozen=True, slots=True)
class Kind:
    """Pages whose names begin so and hold one of these, and why one statement may take most of their time."""

    name: str
    begin: str
    hold: str | tuple[str, ...]
    statement: str

    def has(self, name: str) -> bool:
        """Whether the page is of it."""
        hold = (self.hold,) if isinstance(self.hold, str) else self.hold
        return name.startswith(self.begin) and any(text in name for text in hold)


Kinds = Sequence[Kind]
KINDS: Kinds = (
    Kind(
        "calls by metadata", "API", "by metadata",
        "no index holds the keys of the JSON, so calls are read until the page is full",
    ),
    Kind(
        "the back office's lists, filtered or searched", "admin", " list, ",
        "no index holds what is asked for, so rows are read until the page and its count are full",
    ),
    Kind("the back office", "admin", "", "what a list shows of each row is looked up"),
    Kind("lists far from their beginning", "", "deep", "the rows before the cursor are read, too"),
    Kind(
        "searches among the calls", "page: calls", "found",
        "no index holds both who is found and the place in the list, so one is read through for the other",
    ),
    Kind("searches among the contacts", "", "found", "it looks for those who match"),
    Kind("the page of calls", "page: calls", "", "it looks through the calls of a filter or a panel"),
    Kind("other pages", "", "", "it looks through what the page sums up"),
)  # fmt: skip
NOT_KEPT = (
    "No table keeps counts: a list counts its rows anew, up to 1,001, and what the dashboard sums up is "
    "counted along an index and remembered by the process for a while. A table of sums would be read at "
    "once, but every change of a call would write there, and those of one campaign would wait for each other."
)
PYTHON, ONE, MANY = "Python", "one statement", "many statements"


def kind_of(name: str, kinds: Kinds = KINDS) -> Kind:
    """The first kind that the page is of."""
    return next(kind for kind in kinds if kind.has(name))


def of_time(pages: Pages, slow: Sequence[str], kinds: Kinds = KINDS) -> str:
    """What takes the time of these pages, which come the slowest first."""
    told = []
    for (kind, most), names in _grouped(slow, kinds, lambda name: _most(pages[name])):
        page = pages[names[0]]
        how = page["slowest query, how"]
        why = {
            PYTHON: f"Python's time, with {page['queries']} queries",
            ONE: kind.statement + (f"; its slowest statement {how}" if how else ""),
            MANY: f"{page['queries']} queries, none of which takes half of that",
        }
        of_it = f"{page['p50, ms']:.0f} ms, {100 * share(page):.0f} % of it the database's"
        told.append(f"{_head(kind, names)}, {of_it}): {why[most]}.")
    return "\n  - ".join([f"{_met(pages, slow)}. Not:", *told])


def of_counts(pages: Pages, slow: Sequence[str], kinds: Kinds = KINDS) -> str:
    """What takes the time of these pages' counts, which come the slowest first."""
    told = []
    for (kind, _), names in _grouped(slow, kinds, lambda _name: ONE):
        page = pages[names[0]]
        why = f"a count ends at a cap, but reads all that lies between; it {page['slowest count, how']}"
        told.append(f"{_head(kind, names)}, {page['slowest count, ms']:.0f} ms): {why}.")
    return "\n  - ".join([f"{_met(pages, slow)}. {NOT_KEPT} Not:", *told])


def as_above(pages: Pages, slow: Sequence[str]) -> str:
    """For pages that miss a stricter goal, too, where all is told."""
    return f"{_met(pages, slow)}. The reasons stand above."


def _grouped(
    names: Sequence[str], kinds: Kinds, most: Callable[[str], str]
) -> Sequence[tuple[tuple[Kind, str], list[str]]]:
    """The names by kind and by what takes most of the time, in their order."""
    found: dict[tuple[Kind, str], list[str]] = {}
    for name in names:
        found.setdefault((kind_of(name, kinds), most(name)), []).append(name)
    return list(found.items())


def _most(page: Page) -> str:
    """What takes most of a page's time."""
    if share(page) < 0.5:
        return PYTHON
    return ONE if page["slowest query, ms"] >= page["database, ms"] / 2 else MANY


def share(page: Page) -> float:
    """The database's share of a page's time."""
    return float(page["database, ms"] / (page["database, ms"] + page["Python, ms"]))


def _head(kind: Kind, names: Sequence[str]) -> str:
    return f"{kind.name} ({len(names)}; the slowest: {names[0]}"


def _met(pages: Pages, slow: Sequence[str]) -> str:
    return f"{len(pages) - len(slow)} of {len(pages)} are"
