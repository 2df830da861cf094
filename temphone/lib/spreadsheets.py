"""Tables that people upload, CSV or XLSX: what kind of file it is, its columns, and its rows, one by one.

Nothing of a file is believed: sizes are bounded before anything is unpacked, formulas are never read.
"""

import csv
import io
import re
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import BinaryIO, TextIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from temphone.lib.formulas import as_it_was

MOST_ROWS = 200_000
MOST_COLUMNS = 100
MOST_CELL = 5_000  # characters; of more, nobody reads it out on the phone
MOST_UNPACKED = 400 * 1024 * 1024  # of an XLSX: 200,000 rows of some 20 columns
MOST_TEXTS = 100 * 1024 * 1024  # of its table of texts, which is held in memory
# Of what is read of an XLSX, which takes 3 to 9 us each on a small machine; a cell has one to six.
MOST_TAGS = 5_000_000
MOST_PARTS = 2_000
PIECE = 1024 * 1024
HEAD_BYTES = 64 * 1024
SAMPLES = 3
SAMPLED_ROWS = 50
DELIMITERS = ",;\t|"
NUMBER = re.compile(r"[+(]?[\d][\d\s().+-]{5,}")

Cells = list[str]


class BadTable(Exception):
    """The file cannot be read as a table; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How to read a file. ``header`` is the row that names the columns; 0: none does."""

    kind: str  # csv, xlsx
    encoding: str = "utf-8"
    delimiter: str = ","
    header: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a file shows at a glance. ``rows`` is a guess for XLSX; ``samples`` has some values a column."""

    form: Form
    columns: Sequence[str]
    samples: Sequence[Sequence[str]]
    rows: int


def read_head(file: BinaryIO) -> Head:
    """What kind of table it is, and what its columns are.

    Raises:
        BadTable
    """
    file.seek(0)
    start = file.read(8)
    if start.startswith(b"PK"):
        return _head(file, Form(kind="xlsx"))
    if start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise BadTable("old_excel" if start.startswith(b"\xd0") else "no_table")
    encoding = _encoding(file)
    return _head(file, Form(kind="csv", encoding=encoding, delimiter=_delimiter(file, encoding)))


def read_rows(file: BinaryIO, form: Form, *, after: int = 0) -> Iterator[tuple[int, Cells]]:
    """The rows behind the header and row ``after`` that are not blank, each with its number from 1.

    Raises:
        BadTable
    """
    first = max(after, form.header)
    for number, cells in _numbered(file, form):
        if number > first:
            yield number, cells


def write_rows(rows: Iterable[tuple[int, Cells]], out: TextIO) -> int:
    """Write the rows as CSV, blank ones where numbers are missing; returns the number of the last."""
    writer, last = csv.writer(out), 0
    for number, cells in rows:
        out.write("\r\n" * (number - last - 1))
        writer.writerow(cells or [""])
        last = number
    return last


AS_CSV = {"kind": "csv", "encoding": "utf-8", "delimiter": ","}  # as write_rows writes it


def _head(file: BinaryIO, form: Form) -> Head:
    first: list[tuple[int, Cells]] = []
    count = 0
    for number, cells in _numbered(file, form):
        count += 1
        if len(first) <= SAMPLED_ROWS:
            first.append((number, cells))
        elif form.kind == "xlsx":
            count = max(count, _rows_of_xlsx(file))
            break
    if not first:
        raise BadTable("empty")
    number, names = first[0]
    named = not any(NUMBER.fullmatch(cell) for cell in names)
    body = [cells for _, cells in (first[1:] if named else first)]
    if not body:
        raise BadTable("no_rows")
    width = max(len(cells) for _, cells in first)
    columns = [_column_name(names if named else [], place) for place in range(width)]
    samples = [_samples(body, place) for place in range(width)]
    form = Form(
        kind=form.kind, encoding=form.encoding, delimiter=form.delimiter, header=number if named else 0
    )
    return Head(form=form, columns=columns, samples=samples, rows=count - named)


def _column_name(names: Cells, place: int) -> str:
    name = names[place][:100] if place < len(names) else ""
    return name or f"Column {place + 1}"


def _samples(rows: Sequence[Cells], place: int) -> list[str]:
    values = (cells[place] for cells in rows if place < len(cells))
    return list(dict.fromkeys(value[:60] for value in values if value))[:SAMPLES]


def _numbered(file: BinaryIO, form: Form) -> Iterator[tuple[int, Cells]]:
    """Every row that is not blank, with its number."""
    file.seek(0)
    rows = _xlsx(file) if form.kind == "xlsx" else _csv(file, form)
    found = 0
    for number, row in enumerate(rows, start=1):
        cells = ["" if cell is None else _clean(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise BadTable("too_many_columns")
        if cells:
            found += 1
            yield number, cells
        if found > MOST_ROWS + 1 or number > 5 * MOST_ROWS:
            raise BadTable("too_many_rows")


def _clean(cell: object) -> str:
    # PostgreSQL keeps neither a NUL nor half a character, which a workbook can spell.
    text = _text(cell).replace("\0", "").encode("utf-8", "ignore").decode()
    return as_it_was(text).strip()


def _text(cell: object) -> str:
    """A cell as people see it, near enough: a number keeps all its digits."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e16:
        return str(int(cell))
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


# CSV


def _encoding(file: BinaryIO) -> str:
    """UTF-8 with or without its mark, UTF-16, else Windows-1252, which whatever is left can be read as.

    Raises:
        BadTable: it is no text.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _if_readable(file, "utf-16")
    if b"\0" in head:
        odd, even = head[1::2].count(0), head[::2].count(0)
        return _if_readable(file, "utf-16-le" if odd > even else "utf-16-be", odd + even, len(head))
    try:
        return _if_readable(file, "utf-8-sig")
    except BadTable:
        return "cp1252"


def _if_readable(file: BinaryIO, encoding: str, zeros: int = 1, of: int = 1) -> str:
    if zeros * 4 < of:  # text of two bytes a character would have more
        raise BadTable("no_table")
    try:
        for _ in _decoded(file, encoding, errors="strict"):
            pass
    except UnicodeError as error:
        raise BadTable("no_table") from error
    return encoding


def _decoded(file: BinaryIO, encoding: str, errors: str = "replace") -> Generator[str, None, None]:
    """The lines. The wrapper is let go of: it would close the file."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
    try:
        while line := text.readline():  # yield from would close the file when the reader stops early
            yield line
    finally:
        if not file.closed:
            text.detach()


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """The sign that cuts the first rows into most columns, and all of them alike."""
    lines = _first_lines(file, encoding)
    if lines and (told := re.fullmatch(r"sep=(.)", lines[0].strip())):
        return told[1]
    return max(DELIMITERS, key=lambda sign: _evenness(lines, sign))


def _first_lines(file: BinaryIO, encoding: str) -> list[str]:
    lines = []
    decoded = _decoded(file, encoding)
    for line in decoded:
        lines.append(line[:HEAD_BYTES])
        if len(lines) >= SAMPLED_ROWS:
            break
    decoded.close()
    return lines


def _evenness(lines: Sequence[str], sign: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
    except csv.Error:
        return (0.0, 0)
    if not widths or widths[0] == 1:
        return (0.0, 0)
    return (widths.count(widths[0]) / len(widths), widths[0])


def _csv(file: BinaryIO, form: Form) -> Iterator[Sequence[object]]:
    lines = _decoded(file, form.encoding)
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=form.delimiter)):
            told = number == 0 and re.fullmatch(r"\ufeff?sep=.?", form.delimiter.join(row).strip())
            yield [] if told else row
    except csv.Error as error:
        raise BadTable("broken_csv") from error


# XLSX


def _xlsx(file: BinaryIO) -> Iterator[Sequence[object]]:
    """The first sheet's values, as they were when it was saved: with data_only no formula is read."""
    _assert_small(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        yield from sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
    except BROKEN as error:
        raise BadTable("broken_xlsx") from error


# What openpyxl raises of a workbook that is none, or was made to break it.
BROKEN = (
    InvalidFileException,
    zipfile.BadZipFile,
    SyntaxError,  # the XML parser's
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    OverflowError,
)


def _assert_small(file: BinaryIO) -> None:
    """Look at what the parts say they unpack to: of more than that, zipfile gives nothing."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise BadTable("broken_xlsx") from error
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise BadTable("no_table")
    others = [part.file_size for part in parts if "/worksheets/" not in part.filename.lower()]
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or max(others) > MOST_TEXTS:
        raise BadTable("too_large_unpacked")
    if _tags(file) > MOST_TAGS:
        raise BadTable("too_many_cells")


def _tags(file: BinaryIO) -> int:
    """How many tags the largest sheet and the table of texts have: by them goes how long reading takes."""
    sheets, texts = [0], 0
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if "/worksheets/" in name.lower():
                    sheets.append(_count(archive, name))
                elif "sharedstrings" in name.lower():
                    texts += _count(archive, name)
    except BROKEN as error:
        raise BadTable("broken_xlsx") from error
    return max(sheets) + texts


def _count(archive: zipfile.ZipFile, name: str) -> int:
    with archive.open(name) as part:
        return sum(piece.count(b"<") for piece in iter(partial(part.read, PIECE), b""))


def _rows_of_xlsx(file: BinaryIO) -> int:
    """How many rows the first sheet says that it has; 0 where it does not."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        try:
            with archive.open("xl/worksheets/sheet1.xml") as sheet:
                told = re.search(rb'<dimension ref="[A-Z]+\d+:[A-Z]+(\d{1,7})"', sheet.read(4_096))
        except (KeyError, zipfile.BadZipFile):
            return 0
    return min(int(told[1]), MOST_ROWS) if told else 0
