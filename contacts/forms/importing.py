"""What staff choose about a file of people, and how its problems are put into words."""

from collections.abc import Mapping

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from contacts.actions.imports import columns
from contacts.forms.people import MENDS, zone_choices
from contacts.models import ContactImport
from temphone.lib import countries
from temphone.uploads import MOST_MB
from temphone.widgets import QuickSelect

TARGETS = (
    (columns.LEFT_OUT, _("Leave out")),
    ("name", _("Full name")),
    ("first_name", _("First name")),
    ("last_name", _("Last name")),
    ("phone", _("Phone")),
    ("timezone", _("Time zone")),
    ("language", _("Language")),
    ("company", _("Company")),
    ("tags", _("Tags")),
)
# Why a file cannot be read.
FILE_PROBLEMS = {
    "empty": _("The file is empty."),
    "no_rows": _("The file has a row of names, and no row beneath it."),
    "no_table": _("This is neither CSV nor XLSX. Save the table as one of them, then choose it again."),
    "old_excel": _("This is the old Excel format. Save it as XLSX, then choose it again."),
    "too_many_rows": _("The file has more than 200,000 rows. Cut it into several files."),
    "too_many_columns": _("The file has more than 100 columns. Leave out those that calls do not need."),
    "too_large_unpacked": _("The workbook is too large. Save its first sheet as CSV, then choose that."),
    "too_many_cells": _("The workbook has too many cells. Save its first sheet as CSV, then choose that."),
    "broken_csv": _("A quotation mark in the file is not closed. Save the file anew, then choose it again."),
    "broken_xlsx": _("The workbook cannot be read. Open it, save it anew as XLSX, then choose it again."),
    "file_lost": _("The file is not there any more. Choose it again."),
    "broke_off_xlsx": _(
        "Reading the workbook was tried several times, and never ended. "
        "Save its first sheet as CSV, then choose that."
    ),
    "broke_off_checking": _(
        "Checking the rows was tried several times, and failed each time; the worker's log says why. "
        "Nothing was imported."
    ),
    "broke_off_importing": _(
        "A batch of rows was tried several times, and failed each time; the worker's log says why. "
        "What was imported before stays, and can be undone. To go on, choose the file again."
    ),
    "broke_off_undoing": _(
        "A batch of rows was tried several times, and failed each time; the worker's log says why. "
        "Undo the import again to go on with the rest."
    ),
}
# What is wrong with a row, and the mend.
PROBLEMS = {
    "phone_missing": (_("No phone number"), _("Write one, or leave out the row.")),
    "phone_bad": (_("Not a phone number"), MENDS["phone"]),
    "phone_country": (
        _("No country"),
        _("Begin it with + and the country, or choose the country under Match columns."),
    ),
    "phone_rounded": (
        _("Digits are lost"),
        _("The spreadsheet has shortened it. Format the column as text, and write the number again."),
    ),
    "again": (_("Already in row {row}"), _("Keep one of the two rows.")),
    "zone_missing": (
        _("The number is used in several time zones"),
        _("Add a column with the time zone, or choose one under Match columns."),
    ),
    "zone_unknown": (_("Not a time zone"), _("Write a zone such as Europe/Madrid, or leave it empty.")),
    "erased": (_("This person was erased"), _("Nothing of the row is kept or imported.")),
    "too_long": (_("Longer than {most} characters"), _("Shorten it, or leave out the column.")),
}


def put_into_words(problem: Mapping[str, object]) -> tuple[str, str]:
    """A row's problem, and its mend."""
    said, mend = PROBLEMS[str(problem["code"])]
    return str(said).format_map(problem), str(mend)


def country_choices() -> list[tuple[str, str]]:
    """Every country that has phone numbers."""
    named = countries.with_codes(get_language() or "en").items()
    return [("", gettext("None: every number has its own")), *named]


def zone_or_none_choices() -> list[tuple[str, str]]:
    """Every zone, or none."""
    return [("", gettext("None: such rows are problems")), *zone_choices()[1:]]


class UploadForm(forms.Form):
    """A file of people."""

    file = forms.FileField(
        label=_("File"),
        help_text=format_lazy(
            _("CSV or XLSX, up to {most} MB and 200,000 rows. Nothing is imported yet."), most=MOST_MB
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={
            "required": _("Choose a file."),
            "missing": _("Choose a file."),
            "empty": FILE_PROBLEMS["empty"],
        },
    )


class MatchForm(forms.Form):
    """What the columns are, and what holds where a row says nothing."""

    country = forms.ChoiceField(
        required=False,
        choices=country_choices,
        label=_("Country of numbers without one"),
        help_text=_("For numbers that do not begin with +."),
        widget=QuickSelect,
    )
    timezone = forms.ChoiceField(
        required=False,
        choices=zone_or_none_choices,
        label=_("Time zone where the number tells none"),
        help_text=_("Many mobile numbers belong to several zones. Calls keep to this clock."),
        widget=QuickSelect,
    )
    tag = forms.CharField(
        required=False,
        max_length=50,
        label=_("Tag for all of them"),
        help_text=_("So that you find them again, such as november-recall."),
    )
    updates = forms.BooleanField(
        required=False,
        label=_("Update contacts that are there already"),
        help_text=_("By their number. Empty cells change nothing, tags are added."),
    )

    def __init__(self, own: ContactImport, data: Mapping[str, object] | None = None) -> None:
        chosen = {name: getattr(own, name) for name in ("country", "timezone", "tag", "updates")}
        super().__init__(data, initial=chosen)
        for place, column in enumerate(own.columns):
            attribute = columns.attribute_name(column["name"], place)
            named = _("Attribute “{name}”").format(name=attribute)
            self.fields[f"column_{place}"] = forms.ChoiceField(
                required=False,
                choices=[*TARGETS, (columns.ATTRIBUTE, named)],
                initial=own.matches[place],
                label=column["name"],
                widget=QuickSelect,
            )

    def clean_tag(self) -> str:
        """One tag: a comma would make two."""
        tag: str = self.cleaned_data["tag"].strip()
        if "," in tag:
            raise forms.ValidationError(_("Write one tag, without a comma."))
        return tag

    def matches(self) -> list[str]:
        """What each column is."""
        return [value for name, value in self.cleaned_data.items() if name.startswith("column_")]

    def choices(self) -> dict[str, object]:
        """The rest of what was chosen."""
        return {name: self.cleaned_data[name] for name in ("country", "timezone", "tag", "updates")}
