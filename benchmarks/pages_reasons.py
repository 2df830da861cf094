"""Why pages of the dashboard miss a goal: ``lists_reasons``, with the kinds of page that there are here."""

from collections.abc import Mapping, Sequence

from benchmarks import lists_reasons
from benchmarks.lists_reasons import Kind, Kinds, Page, Pages

FIRST = "first, ms"
PARTS = ("database, ms", "Python, ms", "slowest query, ms", "slowest query, how")
WHOM = (", a name", ", a letter", ", a company", ", last digits", ", nobody", ", by id")
LISTED = "it reads the list, or counts a view of it as far as the cap"
KINDS: Kinds = (
    Kind(
        "searches among the calls", "calls, ", WHOM,
        "no index holds both who is found and the place in the list, so one is read through for the other",
    ),
    Kind("lists of calls", "calls, ", "", LISTED),
    Kind("exports of calls", "calls' export", "", "it reads the first piece of the rows"),
    Kind("pages of a call", "call, ", "", "it reads what happened in the call"),
    Kind("the overview", "overview", "", "it sums up the calls of its days"),
    Kind("the calendar", "calendar", "", "it reads the calls of its days"),
    Kind(
        "the check of up to 2,000 people before a launch, which follows by itself on a page that is there",
        "campaign, its check", "", "it reads what the gates ask of each",
    ),
    Kind("campaigns", "campaign", "", "it sums up, counts or lists the calls or the people of campaigns"),
    Kind("searches among the contacts", "contacts, ", WHOM, "it looks for those who match"),
    Kind("contacts and imports", "", ("contact", "import"), LISTED),
    Kind("the palette", "palette", "", "it looks for those who match"),
    Kind("other pages", "", "", LISTED),
)  # fmt: skip


def of_time(pages: Pages, slow: Sequence[str], figure: str) -> str:
    """What takes the time of these pages, by their figure of this name."""
    return lists_reasons.of_time({name: _as_seen(page, figure) for name, page in pages.items()}, slow, KINDS)


def of_counts(pages: Pages, slow: Sequence[str]) -> str:
    """What takes the time of these pages' counts."""
    return lists_reasons.of_counts(pages, slow, KINDS)


def of_peer(ours: Page, peer: Page) -> str:
    """What each of both lists takes its time for."""
    return f"Ours: {_spent(ours)}. The back office's: {_spent(peer)}."


def _spent(page: Page) -> str:
    parts = _as_seen(page, "median, ms")
    return (
        f"{parts['p50, ms']:.1f} ms, {100 * lists_reasons.share(parts):.0f} % of it the database's, the rest "
        f"Python's; with nothing kept {page['queries']} queries and {page['bytes'] / 1000:,.0f} kB"
    )


def _as_seen(page: Page, figure: str) -> Mapping[str, object]:
    """The page as ``lists_reasons`` knows one: opened for the first time, or again."""
    first = "first " if figure == FIRST else ""
    return {
        **page,
        "p50, ms": page[figure],
        "queries": page["queries" if first else "queries again"],
        **{name: page[f"{first}{name}"] for name in PARTS},
    }
