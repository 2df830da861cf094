"""The check: every row of the file read and judged, nothing changed yet."""

import io
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from tempfile import TemporaryFile

from django.core.files.base import File
from django.db import transaction

from contacts.actions.imports.lease import go_on, rest
from contacts.actions.imports.reading import Known, Reading, judge, read
from contacts.actions.imports.store import opened, storage
from contacts.models import Contact, ContactImport, Destinations, ImportRow, Suppression
from contacts.states import ImportState, Verdict
from temphone import rows
from temphone.lib import clock
from temphone.lib.spreadsheets import AS_CSV, BadTable, Cells, Form, read_rows, write_rows

BATCH = 250  # rows a transaction: on SQLite all others wait for it
TOLD_EVERY = 2_000  # rows between two signs of life while a workbook is unpacked
UNPACKING = timedelta(seconds=130)  # django-q2 ends a task after 120: whoever is missed longer is dead

Numbered = tuple[int, Cells]


def check(own: ContactImport, until: float) -> bool:
    """Go on with the check until that moment of the monotonic clock; whether there is more.

    Raises:
        Lost
    """
    try:
        if own.form["kind"] == "xlsx":
            _unpack(own)
        return _check_rows(own, until)
    except BadTable as error:
        rest(own, ImportState.FAILED, problem=error.code)
    except FileNotFoundError:
        rest(own, ImportState.FAILED, problem="file_lost")
    return False


def _unpack(own: ContactImport) -> None:
    """Make a CSV of a workbook: that can be begun anywhere, a workbook only at its start."""
    go_on(own, UNPACKING)  # its table of texts is read before the first row
    name = f"{own.pk}/rows.csv"
    with TemporaryFile() as plain:
        text = io.TextIOWrapper(plain, encoding="utf-8", newline="")
        with opened(own.file) as book:
            write_rows(_telling(own, read_rows(book, Form(**own.form))), text)
        text.flush()
        storage().delete(name)  # of a try that was cut off
        plain.seek(0)
        saved = storage().save(name, File(plain))
        text.detach()
    before = own.file
    go_on(own, file=saved, form={**own.form, **AS_CSV}, tries=0)
    storage().delete(before)


def _telling(own: ContactImport, found: Iterator[Numbered]) -> Iterator[Numbered]:
    for count, row in enumerate(found):
        if count % TOLD_EVERY == 0:
            go_on(own, UNPACKING, rows=max(own.rows, count))
        yield row


def _check_rows(own: ContactImport, until: float) -> bool:
    with opened(own.file) as file:
        found = read_rows(file, Form(**own.form), after=own.position)
        while batch := list(islice(found, BATCH)):
            _check_batch(own, batch)
            if time.monotonic() >= until:
                return True
    rest(own, ImportState.CHECKED, rows=own.handled)
    return False


def _check_batch(own: ContactImport, batch: list[Numbered]) -> None:
    readings = [read(number, cells, own) for number, cells in batch]
    known = _known(own, {row.phone for row in readings} - {""})
    earlier = dict(known.earlier)
    verdicts = []
    for row in readings:
        verdict = judge(row, Known(known.contacts, earlier), own)
        if verdict != Verdict.PROBLEM:
            earlier[row.phone] = row.number
        verdicts.append(verdict)
    good = {row.phone for row, verdict in zip(readings, verdicts, strict=True) if verdict != Verdict.PROBLEM}
    counts = {verdict.value: verdicts.count(verdict) for verdict in Verdict}
    counts["problems"] = counts.pop(Verdict.PROBLEM)
    counts["suppressed"] = len(Suppression.objects.covered(good, clock.now()))
    counts["elsewhere"] = len(Destinations.read().barred(good))
    with transaction.atomic():
        # First: whoever lost it stops here, and two never write the same rows.
        go_on(own, position=batch[-1][0], tries=0, **_more(own, handled=len(batch), **counts))
        made = [_row(own, row, verdict, known) for row, verdict in zip(readings, verdicts, strict=True)]
        rows.insert(ImportRow, made)


def _more(own: ContactImport, **counts: int) -> dict[str, int]:
    more = {name: getattr(own, name) + count for name, count in counts.items()}
    return more | {"rows": max(own.rows, more["handled"])}


def _known(own: ContactImport, numbers: set[str]) -> Known:
    earlier = ImportRow.objects.filter(of=own, phone__in=numbers).exclude(verdict=Verdict.PROBLEM)
    return Known(by_number(numbers), dict(earlier.values_list("phone", "number")))


def by_number(numbers: set[str]) -> dict[str, Contact]:
    """The contacts with these numbers; of several with one number the first that was made."""
    found = Contact.objects.present().filter(phone__in=numbers).order_by("-created_at", "-id")
    return {contact.phone: contact for contact in found}


def _row(own: ContactImport, row: Reading, verdict: Verdict, known: Known) -> dict[str, object]:
    contact = known.contacts.get(row.phone)
    is_bad = verdict == Verdict.PROBLEM
    acts = verdict in {Verdict.NEW, Verdict.UPDATE}
    return {
        "of_id": own.pk,
        "number": row.number,
        "verdict": verdict,
        "phone": row.phone,
        "cells": row.cells if is_bad else [],
        "problems": row.problems,
        "values": row.values if acts else {},
        # Also of whom nothing changes: erasing them finds the row by it.
        "contact_id": contact.pk if contact and not is_bad else None,
    }


def start_again(own_id: str) -> dict[str, object]:
    """What a check that begins at the first row begins with; the rows of the one before are removed."""
    ImportRow.objects.filter(of=own_id)._raw_delete(ImportRow.objects.db)
    zeros = ("position", "handled", "new", "update", "same", "problems", "suppressed", "elsewhere")
    return dict.fromkeys(zeros, 0)
