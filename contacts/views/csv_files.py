"""Tables that staff download, line by line, in which no cell is taken for a formula."""

import csv
import re
from collections.abc import Iterable, Sequence

from django.http import StreamingHttpResponse

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
PHONE = re.compile(r"\+[0-9][0-9 ]*")  # of digits alone, there is nothing to be worked out
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which Excel knows that it is UTF-8
LINES_AT_ONCE = 200


class Echo:
    """Gives back what a writer of CSV writes."""

    def write(self, text: str) -> str:
        """The text."""
        return text


def csv_file(name: str, lines: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """A file to download."""
    return StreamingHttpResponse(
        _written(lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(lines: Iterable[Sequence[str]]) -> Iterable[str]:
    writer = csv.writer(Echo())
    yield BOM
    held: list[str] = []
    for line in lines:
        held.append(str(writer.writerow([guarded(cell) for cell in line])))
        if len(held) >= LINES_AT_ONCE:
            yield "".join(held)
            held.clear()
    yield "".join(held)


def guarded(cell: str) -> str:
    """The cell; behind an apostrophe where a spreadsheet would take it for a formula. A number stays."""
    return f"'{cell}" if cell.startswith(RISKY) and not PHONE.fullmatch(cell) else cell
