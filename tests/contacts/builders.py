"""Files of people, and imports at each step."""

from io import BytesIO

from openpyxl import Workbook

from contacts import tasks
from contacts.actions.imports.asking import match_columns, start_import, undo_import, upload
from contacts.models import ContactImport
from temphone.accounts.actors import SYSTEM
from temphone.lib import clock

PEOPLE = (
    "Name,Phone,Company,Plan\n"
    "Ada Byron,+34911234567,Engines,Gold\n"
    "Bob Young,020 7183 8750,,\n"
    "Eve Moss,07 12,Moss & Daughters,Silver\n"
)


def a_workbook(*rows: list[object]) -> BytesIO:
    """An XLSX with these rows."""
    book, file = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file


def an_import(table: str | bytes | BytesIO = PEOPLE, *, filename: str = "people.csv") -> ContactImport:
    """A file that was uploaded; its columns are yet to be matched."""
    content = table.encode() if isinstance(table, str) else table
    file = content if isinstance(content, BytesIO) else BytesIO(content)
    return upload(actor=SYSTEM, filename=filename, file=file, now=clock.now())


def matched(own: ContactImport, **chosen: object) -> ContactImport:
    """The same with our guess at its columns, in Great Britain; to be checked by the worker."""
    choices = {"matches": own.matches, "country": "GB", "timezone": "", "tag": "", "updates": True, **chosen}
    return match_columns(actor=SYSTEM, import_id=own.pk, now=clock.now(), **choices)


def worked(own: ContactImport) -> ContactImport:
    """The same after the worker was there."""
    tasks.work_on_imports()
    return ContactImport.objects.get(pk=own.pk)


def a_checked_import(table: str | bytes | BytesIO = PEOPLE, **chosen: object) -> ContactImport:
    """A file whose rows were checked."""
    return worked(matched(an_import(table), **chosen))


def imported(own: ContactImport) -> ContactImport:
    """The same with its good rows imported."""
    return worked(start_import(actor=SYSTEM, import_id=own.pk, now=clock.now()))


def an_imported_file(table: str | bytes | BytesIO = PEOPLE, **chosen: object) -> ContactImport:
    """A file whose good rows are imported."""
    return imported(a_checked_import(table, **chosen))


def undone(own: ContactImport) -> ContactImport:
    """The same with what it did taken back."""
    return worked(undo_import(actor=SYSTEM, import_id=own.pk, now=clock.now()))
