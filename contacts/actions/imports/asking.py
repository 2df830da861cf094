"""What staff ask of an import, as verbs: upload, match, start, abandon, undo."""

from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

from django.core.files.base import File
from django.db import transaction

from contacts.actions.imports import columns
from contacts.actions.imports.checking import start_again
from contacts.actions.imports.lease import broke_off
from contacts.actions.imports.store import storage
from contacts.models import ContactImport
from contacts.states import BEFORE_IMPORT, ImportState
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict, Invalid, NotFound, Unavailable
from temphone.lib.spreadsheets import Head, read_head
from temphone.said import in_english


def get_import(import_id: str) -> ContactImport:
    """The import.

    Raises:
        NotFound
    """
    found = ContactImport.objects.filter(pk=import_id).first()
    if found is None:
        raise NotFound(f"Import not found: {import_id}.", code="import_not_found")
    return found


def upload(*, actor: Actor, filename: str, file: BinaryIO, now: datetime) -> ContactImport:
    """Take a file, with a guess at what its columns are.

    Raises:
        Forbidden
        BadTable: it is none, or too large.
        Unavailable: it cannot be kept.
    """
    actor.require(Role.MANAGER)
    made = _announce(actor, filename, read_head(file), now)
    file.seek(0)
    try:
        saved = storage().save(made.file, File(file))
    except OSError as error:
        made.delete()
        raise Unavailable("The file cannot be kept now. Try again later.") from error
    if saved != made.file:
        ContactImport.objects.filter(pk=made.pk).update(file=saved)
    return made


@transaction.atomic
def _announce(actor: Actor, filename: str, head: Head, now: datetime) -> ContactImport:
    """Write it down before there is a file: whatever is killed, nothing lies there unknown."""
    shown = zip(head.columns, head.samples, strict=True)
    made = ContactImport(filename=filename[-255:], by_id=actor.id, by_label=actor.label, created_at=now)
    made.file = f"{made.pk}/upload.{head.form.kind}"
    made.form = {
        "kind": head.form.kind,
        "encoding": head.form.encoding,
        "delimiter": head.form.delimiter,
        "header": head.form.header,
    }
    made.columns = [{"name": name, "samples": list(samples)} for name, samples in shown]
    made.matches = columns.guess(head.columns, head.samples)
    made.rows, made.began_at, made.due_at = head.rows, now, made.forget_at(now)
    made.save()
    AuditEntry.record(actor, "import.upload", made.pk, size=head.rows)
    return made


@transaction.atomic
def match_columns(
    *,
    actor: Actor,
    import_id: str,
    matches: Sequence[str],
    country: str,
    timezone: str,
    tag: str,
    updates: bool,
    now: datetime,
) -> ContactImport:
    """Say what the columns are, and have the rows checked; again, if they were.

    Raises:
        Forbidden, NotFound
        Invalid: no column is the number, or two are the same.
        Conflict: it is imported already, or abandoned.
    """
    actor.require(Role.MANAGER)
    own = _locked(import_id)
    _require(own, BEFORE_IMPORT)
    _assert_matches(own, matches)
    _change(
        own,
        ImportState.CHECKING,
        now,
        matches=list(matches),
        country=country,
        timezone=timezone,
        tag=tag,
        updates=updates,
        problem="",
        **start_again(own.pk),
    )
    AuditEntry.record(actor, "import.match", own.pk)
    return own


def _assert_matches(own: ContactImport, matches: Sequence[str]) -> None:
    known = {columns.LEFT_OUT, columns.ATTRIBUTE, *columns.TARGETS}
    if len(matches) != len(own.columns) or set(matches) - known:
        raise Invalid.field("matches", "must say for each column what it is.")
    if "phone" not in matches:
        raise Invalid("No column is the phone number. Choose which one is.")
    for target in columns.TARGETS:
        if matches.count(target) > 1:
            raise Invalid(f"Two columns are the same ({target}). Leave one of them out.", code="match_twice")
    for name in columns.attributes_twice([column["name"] for column in own.columns], matches):
        raise Invalid(f"Two columns are the attribute {name}. Leave one of them out.", code="match_twice")


@transaction.atomic
def start_import(*, actor: Actor, import_id: str, now: datetime) -> ContactImport:
    """Import the good rows.

    Raises:
        Forbidden, NotFound
        Conflict: it is not checked, or imported already.
    """
    actor.require(Role.MANAGER)
    own = _locked(import_id)
    _require(own, (ImportState.CHECKED,))
    who = {"by_id": actor.id, "by_label": actor.label}
    _change(own, ImportState.IMPORTING, now, position=0, handled=0, **who)
    AuditEntry.record(actor, "import.start", own.pk, new=own.new, update=own.update)
    return own


@transaction.atomic
def abandon_import(*, actor: Actor, import_id: str, now: datetime) -> ContactImport:
    """Let go of an import. What was imported before stays, and can be undone.

    Raises:
        Forbidden, NotFound
        Conflict: it is over.
    """
    actor.require(Role.MANAGER)
    own = _locked(import_id)
    _require(own, (*BEFORE_IMPORT, ImportState.IMPORTING, ImportState.FAILED))
    did = own.made or own.changed
    _change(own, ImportState.ABANDONED, now, due_at=own.forget_at(now) if did else now)
    AuditEntry.record(actor, "import.abandon", own.pk, made=own.made, changed=own.changed)
    return own


@transaction.atomic
def undo_import(*, actor: Actor, import_id: str, now: datetime) -> ContactImport:
    """Take back what the import did.

    Raises:
        Forbidden, NotFound
        Conflict: nothing of it can be undone, any more.
    """
    actor.require(Role.MANAGER)
    own = _locked(import_id)
    _require(own, (ImportState.DONE, ImportState.ABANDONED, ImportState.FAILED))
    if own.state == ImportState.FAILED and not (own.made or own.changed):
        raise Conflict("This import has changed nothing.", code="import_state")
    if own.is_forgotten:
        raise Conflict("This import is too old to be undone: its rows are removed.", code="import_forgotten")
    who = {"by_id": actor.id, "by_label": actor.label}
    # One that broke off goes on where it was: what it has taken back is not taken for changed since.
    anew = {} if own.problem == broke_off(ImportState.UNDOING) else {"position": 0, "handled": 0, "kept": 0}
    _change(own, ImportState.UNDOING, now, problem="", **anew, **who)
    AuditEntry.record(actor, "import.undo", own.pk, made=own.made, changed=own.changed)
    return own


def _locked(import_id: str) -> ContactImport:
    ContactImport.objects.select_for_update().filter(pk=import_id).first()
    return get_import(import_id)


def _require(own: ContactImport, states: Sequence[str]) -> None:
    if own.state not in states:
        raise Conflict(
            f"This import is {in_english(ImportState(own.state).label).lower()}.", code="import_state"
        )


def _change(own: ContactImport, state: ImportState, now: datetime, **changes: object) -> None:
    """Whoever works on it loses it: ``due_at`` is another."""
    for name, value in {"due_at": now, **changes, "state": state, "began_at": now, "tries": 0}.items():
        setattr(own, name, value)
    own.save()
