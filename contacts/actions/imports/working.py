"""What the worker does with an import that is due."""

import time

from django.db import transaction

from contacts.actions.imports.checking import check
from contacts.actions.imports.lease import Lost, go_on, move, take
from contacts.actions.imports.store import remove
from contacts.actions.imports.undoing import undo
from contacts.actions.imports.writing import write
from contacts.models import ContactImport, ImportRow
from contacts.states import BEFORE_IMPORT, ImportState
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from temphone.lib import clock

PASSES = {ImportState.CHECKING: check, ImportState.IMPORTING: write, ImportState.UNDOING: undo}
FORGOTTEN_AT_ONCE = 2_000


def work(*, for_s: float) -> None:
    """Work on what is due for so long; the rest waits, so that calls are not kept waiting by it."""
    until = time.monotonic() + for_s
    while time.monotonic() < until and (own := take(clock.now())):
        try:
            if PASSES.get(ImportState(own.state), _forget)(own, until):
                move(own, due_at=clock.now())
        except Lost:
            continue


def _forget(own: ContactImport, until: float) -> bool:
    """Remove the file and the rows: whose they are is nobody's business for ever. Whether there is more."""
    state = ImportState.ABANDONED if own.state in BEFORE_IMPORT else own.state
    go_on(own, state=state, columns=[])  # first, so that nobody undoes what is half gone
    remove(own.pk)
    while rows := list(ImportRow.objects.filter(of=own).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        ImportRow.objects.filter(pk__in=rows).delete()
        go_on(own)
        if time.monotonic() >= until:
            return True
    with transaction.atomic():
        move(own, due_at=None, file="")
        AuditEntry.record(SYSTEM, "import.forget", own.pk)
    return False
