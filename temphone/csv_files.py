"""Tables that staff download, line by line, in which no cell is taken for a formula."""

import csv
from collections.abc import Iterable, Sequence

from django.http import StreamingHttpResponse

from temphone.lib.formulas import harmless

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # by which Excel knows that it is UTF-8
LINES_AT_ONCE = 200


class _Echo:
    """Gives back what a writer of CSV writes."""

    def write(self, text: str) -> str:
        return text


def csv_file(name: str, lines: Iterable[Sequence[str]], *, mark: str = BOM) -> StreamingHttpResponse:
    """A file to download, sent while ``lines`` are read; ``mark`` stands at its beginning."""
    return StreamingHttpResponse(
        _written(lines, mark),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(lines: Iterable[Sequence[str]], mark: str) -> Iterable[str]:
    writer = csv.writer(_Echo())
    yield mark
    held: list[str] = []
    for line in lines:
        held.append(str(writer.writerow([harmless(cell) for cell in line])))
        if len(held) >= LINES_AT_ONCE:
            yield "".join(held)
            held.clear()
    yield "".join(held)
