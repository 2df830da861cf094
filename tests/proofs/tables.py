"""What is downloaded as a table holds no formula, and is imported again as it was.

Each case is a table of cells that somebody outside may have written, put together by chance of what
spreadsheets work out, what they cut away, and what CSV is made of. The oracle knows which signs begin a
formula, and nothing of how the product writes or reads.
"""

import csv
import io
import logging
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from temphone.csv_files import csv_file
from temphone.lib import formulas
from temphone.lib.spreadsheets import Form, read_rows
from tests.proofs.battery import Broken, Proof, Tally, Trial

Table = Sequence[Sequence[str]]
Write = Callable[[Table], bytes]
Read = Callable[[bytes], list[list[str]]]

logger = logging.getLogger(__name__)

NAMES = ("Name", "Company", "Note")
# Full-width ones are as good as ours where people write Chinese or Japanese.
BEGINS = "=+-@\uff1d\uff0b\uff0d\uff20"
PIECES = (
    *BEGINS,
    *(" ", "\t", "\r", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\x1f", "\0"),
    *("'", '"', '""', ",", ";", "|", "sep=;", "\ufeff"),
    *("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x","y")', "SUM(A1:A9)", "DDE", "IMPORTXML"),
    *("+14155550100", "+34 911 234 567", "-5", "1", "Ada", "O'Brien", "\u00e9", "\u4e2d", "\U0001f600", ""),
)
# By which a program knows that the digits behind are no sum.
PHONE = re.compile(r"\+[0-9]{7,15}")


def table(chance: random.Random) -> Table:
    """A few rows of such cells."""
    return [[_cell(chance) for _ in NAMES] for _ in range(chance.randint(1, 4))]


def _cell(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.choice((0, 1, 1, 2, 2, 3, 5))))


def is_formula(cell: str) -> bool:
    """Whether some spreadsheet would take the cell for one, whatever spaces it cuts away."""
    return _begins_one(cell) and not PHONE.fullmatch(cell)


def _begins_one(cell: str) -> bool:
    bare = cell.lstrip()
    return cell.lstrip(" ")[:1] in {"\t", "\r", "\n"} or (bare[:1] in BEGINS if bare else False)


def may_come_back(cell: str) -> set[str]:
    """How the cell may come back: without spaces around it. An apostrophe that hides a formula may go."""
    plain = cell.replace("\0", "")
    hides = plain.startswith("'") and _begins_one(plain[1:])
    return {plain.strip(), plain[1:].strip()} if hides else {plain.strip()}


def written(rows: Table) -> bytes:
    """As the product writes a file to download."""
    answer = csv_file("table.csv", [NAMES, *rows])
    return b"".join(answer.streaming_content)


def read(file: bytes) -> list[list[str]]:
    """As the product reads it when it is imported."""
    form = Form(kind="csv", encoding="utf-8-sig")
    return [cells for _number, cells in read_rows(io.BytesIO(file), form)]


def judged(write: Write, back: Read, trial: Trial) -> Tally:
    """Write so many tables, look at each cell, and read them again."""
    chance, tally = trial.chance, Tally()
    for _ in range(trial.cases):
        rows = table(chance)
        try:
            problem = next(_problems(rows, write(rows), back), "")
        except Exception as error:
            logger.debug("It raised.", exc_info=True)
            problem = f"It raised {type(error).__name__}"
        if problem:
            tally.flag(problem, folder=trial.folder, rows=rows)
        tally.cases += 1
        tally.counts["cells"] += sum(map(len, rows))
        tally.counts["formulas"] += sum(is_formula(cell) for row in rows for cell in row)
    return tally


def _problems(rows: Table, file: bytes, back: Read) -> Iterator[str]:
    for line in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")):
        yield from (f"{cell!r} is a formula" for cell in line if is_formula(cell))
    wanted = [row for row in map(_without_blank_end, rows) if row]
    came = back(file)
    if len(came) != len(wanted):
        yield f"{len(wanted)} rows came back as {len(came)}"
    for row, found in zip(wanted, came, strict=False):
        padded = [*found, *[""] * (len(row) - len(found))]
        for cell, one in zip(row, padded, strict=False):
            if one not in may_come_back(cell):
                yield f"{cell!r} came back as {one!r}"


def _without_blank_end(row: Sequence[str]) -> Sequence[str]:
    """As far as something stands in it."""
    filled = [place for place, cell in enumerate(row) if "" not in may_come_back(cell)]
    return row[: filled[-1] + 1] if filled else []


def run(trial: Trial) -> Tally:
    """The product, for the battery."""
    return judged(written, read, trial)


# The mistakes.


def _by(harmless: Callable[[str], str], rows: Table) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([NAMES, *([harmless(cell) for cell in row] for row in rows)])
    return out.getvalue().encode("utf-8-sig")


def at_the_very_beginning(text: str) -> str:
    """Spaces before a sign are thought to make it harmless."""
    return f"'{text}" if text.startswith(formulas.BEGINS + formulas.BREAKS) else text


def of_ascii(text: str) -> str:
    """Only the signs of one keyboard are thought of."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text


def as_it_stands(file: bytes) -> list[list[str]]:
    """The apostrophe that the export puts before a cell is imported with it."""
    lines = list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))[1:]
    return [list(_without_blank_end([cell.replace("\0", "").strip() for cell in line])) for line in lines]


PROOF = Proof(
    name="tables",
    shows="No cell of a table that is downloaded is a formula, and the table is imported again as it was.",
    unit="tables",
    small=3_000,
    full=300_000,
    chunk=100_000,
    run=run,
    databases=("sqlite",),
    asks_database=False,
    broken={
        "as_they_are": Broken(run=partial(judged, partial(_by, str), read), seen_by="is a formula"),
        "at_the_very_beginning": Broken(
            run=partial(judged, partial(_by, at_the_very_beginning), read), seen_by="is a formula"
        ),
        "of_ascii": Broken(run=partial(judged, partial(_by, of_ascii), read), seen_by="is a formula"),
        "as_it_stands": Broken(run=partial(judged, written, as_it_stands), seen_by="came back as"),
    },
    broken_cases=3_000,
)
