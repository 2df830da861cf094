"""The pages on which people are imported from files: file, match columns, check, import."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.actions.exporting import export_problems
from contacts.actions.imports.asking import (
    abandon_import,
    get_import,
    match_columns,
    start_import,
    undo_import,
    upload,
)
from contacts.forms.importing import FILE_PROBLEMS, MatchForm, UploadForm, put_into_words
from contacts.models import ContactImport, ImportRow
from contacts.states import BEFORE_IMPORT, ImportState, Verdict
from temphone.accounts.actors import Role
from temphone.csv_files import csv_file
from temphone.keyset import each
from temphone.lib import clock
from temphone.lib.errors import DomainError
from temphone.lib.spreadsheets import BadTable
from temphone.pages import StaffRequest, dialog, page, read_page
from temphone.templatetags.times import span
from temphone.uploads import MOST_BYTES, MOST_MB

NEWEST = ("-created_at", "-id")
AT_A_TIME = 500  # rows of a download
RATE_AFTER_S = 3  # before, how long the rest takes is anybody's guess
Act = Callable[..., ContactImport]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way, and whether it is behind, here, or ahead."""

    name: str
    at: str


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """One problem of a row, in words."""

    number: int
    column: str
    value: str
    problem: str
    mend: str


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: StaffRequest) -> HttpResponse:
    """Choose a file; beneath it, what was imported before."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    if sent:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            form.errors.clear()  # it was not taken, so it is missing
            form.add_error("file", _("The file is larger than {most} MB. Cut it.").format(most=MOST_MB))
        elif form.is_valid():
            file = form.cleaned_data["file"]
            try:
                own = upload(actor=actor, filename=file.name, file=file.file, now=clock.now())
            except BadTable as error:
                form.add_error("file", FILE_PROBLEMS[error.code])
            else:
                return redirect("import-columns", import_id=own.pk)
    listing = read_page(ContactImport.objects.all(), request.GET, keys=NEWEST)
    context = {"form": form, "listing": listing, "steps": _steps(None)}
    return render(request, "contacts/imports/list.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: StaffRequest, import_id: str) -> HttpResponse:
    """Say what each column is."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    own = get_import(import_id)
    if own.state not in BEFORE_IMPORT:
        return redirect("import", import_id=own.pk)
    form = MatchForm(own, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            match_columns(
                actor=actor,
                import_id=own.pk,
                matches=form.matches(),
                now=clock.now(),
                country=form.cleaned_data["country"],
                timezone=form.cleaned_data["timezone"],
                tag=form.cleaned_data["tag"],
                updates=form.cleaned_data["updates"],
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("import", import_id=own.pk)
    fields = [form[f"column_{place}"] for place in range(len(own.columns))]
    context = {
        "own": own,
        "form": form,
        "columns": list(zip(own.columns, fields, strict=True)),
        "steps": _steps(ImportState.MATCHING),
    }
    return render(request, "contacts/imports/columns.html", context)


@page
@require_safe
def import_page(request: StaffRequest, import_id: str) -> HttpResponse:
    """How far an import is, what is wrong with its rows, and what can be done next."""
    request.user.actor().require(Role.MANAGER)
    own = get_import(import_id)
    if own.state == ImportState.MATCHING:
        return redirect("import-columns", import_id=own.pk)
    now = clock.now()
    context = {
        "own": own,
        "steps": _steps(ImportState(own.state)),
        "file_problem": FILE_PROBLEMS.get(own.problem),
        "total": _total(own),
        "left": _left(own, now),
        **_rows_shown(request, own),
    }
    template = "contacts/imports/detail.html"
    return render(request, f"{template}#progress" if request.htmx else template, context)


def _total(own: ContactImport) -> int:
    """How many rows the pass under way has."""
    acted = own.made + own.changed if own.state == ImportState.UNDOING else own.good
    return max(own.rows if own.state == ImportState.CHECKING else acted, own.handled, 1)


def _left(own: ContactImport, now: datetime) -> str:
    """How long the pass will take, if the rest goes as fast as what is done."""
    passed_s = (now - own.began_at).total_seconds()
    if not own.is_working or passed_s < RATE_AFTER_S or not own.handled:
        return ""
    return span(passed_s / own.handled * (_total(own) - own.handled))


def _rows_shown(request: StaffRequest, own: ContactImport) -> dict[str, object]:
    """A page of the rows with problems, or of those that could not be undone."""
    if own.is_working or own.is_forgotten:
        return {}
    if own.state == ImportState.UNDONE:
        rows = ImportRow.objects.filter(of=own).exclude(kept="").select_related("contact")
        return {"listing": read_page(rows, request.GET, keys=("number",))}
    listing = read_page(_bad_rows(own), request.GET, keys=("number",))
    problems = [shown for row in listing.rows for shown in _in_words(own, row)]
    return {"listing": listing, "problems": problems}


def _bad_rows(own: ContactImport) -> QuerySet[ImportRow]:
    return ImportRow.objects.filter(of=own, verdict=Verdict.PROBLEM)


def _in_words(own: ContactImport, row: ImportRow) -> Iterator[ShownProblem]:
    for problem in row.problems:
        place = problem["column"]
        column = own.columns[place]["name"] if place is not None else ""
        yield ShownProblem(row.number, column, problem["value"], *put_into_words(problem))


def _steps(state: ImportState | None) -> list[Step]:
    names = [_("File"), _("Match columns"), _("Check"), _("Import")]
    here = {
        None: 0,
        ImportState.MATCHING: 1,
        ImportState.CHECKING: 2,
        ImportState.CHECKED: 2,
        ImportState.FAILED: 2,
        ImportState.IMPORTING: 3,
    }.get(state, 4)
    return [
        Step(name, "done" if place < here else "here" if place == here else "ahead")
        for place, name in enumerate(names)
    ]


@page
@require_POST
def import_start(request: StaffRequest, import_id: str) -> HttpResponse:
    """Import the good rows."""
    start_import(actor=request.user.actor(), import_id=import_id, now=clock.now())
    return redirect("import", import_id=import_id)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_abandon(request: StaffRequest, import_id: str) -> HttpResponse:
    """Let go of an import, after asking."""
    return _ask(request, import_id, abandon_import, "abandon", _("The import is abandoned."))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def import_undo(request: StaffRequest, import_id: str) -> HttpResponse:
    """Take back what an import did, after asking."""
    return _ask(request, import_id, undo_import, "undo", "")


def _ask(request: StaffRequest, import_id: str, act: Act, verb: str, done: str) -> HttpResponse:
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    own = get_import(import_id)
    if request.method == "POST":
        try:
            act(actor=actor, import_id=import_id, now=clock.now())
        except DomainError as error:
            messages.error(request, error.message)
        else:
            if done:
                messages.success(request, done)
        return redirect("import", import_id=import_id)
    return dialog(request, f"contacts/imports/{verb}.html", {"own": own})


@page
@require_safe
def import_problems(request: StaffRequest, import_id: str) -> HttpResponseBase:
    """The rows with problems as a file of the same columns, and one that says why."""
    own = export_problems(actor=request.user.actor(), import_id=import_id)
    names = [column["name"] for column in own.columns]
    return csv_file(f"problems-{own.pk}.csv", _problem_lines(own, names))


def _problem_lines(own: ContactImport, names: list[str]) -> Iterator[list[str]]:
    yield [*names, _("Row"), _("Problem")]
    for row in each(_bad_rows(own).order_by("number", "id"), ("number", "id"), at_a_time=AT_A_TIME):
        said = [f"{one.column}: {one.problem}. {one.mend}" for one in _in_words(own, row)]
        padded = [*row.cells, *[""] * (len(names) - len(row.cells))]
        yield [*padded[: len(names)], str(row.number), " ".join(said).removeprefix(": ")]
