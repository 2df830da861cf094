"""All people as a file."""

import json
from collections.abc import Iterator

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts.actions.exporting import export_contacts
from contacts.models import Contact
from temphone.csv_files import csv_file
from temphone.keyset import each
from temphone.lib import clock
from temphone.pages import StaffRequest, page

AT_A_TIME = 500
BY_NAME = ("last_name", "first_name", "id")
COLUMNS = ("first_name", "last_name", "phone", "timezone", "language", "company")


@page
@require_safe
def contact_export(request: StaffRequest) -> HttpResponseBase:
    """Everybody as CSV, which can be imported again but for its attributes."""
    people = export_contacts(actor=request.user.actor())
    return csv_file(
        f"contacts-{clock.now():%Y-%m-%d}.csv", _lines(each(people, BY_NAME, at_a_time=AT_A_TIME))
    )


def _lines(people: Iterator[Contact]) -> Iterator[list[str]]:
    names = [_("First name"), _("Last name"), _("Phone"), _("Time zone"), _("Language"), _("Company")]
    yield [*names, _("Tags"), _("Attributes"), _("Contact id")]
    for one in people:
        attributes = json.dumps(one.attributes, ensure_ascii=False) if one.attributes else ""
        texts = [str(getattr(one, column)) for column in COLUMNS]
        yield [*texts, ", ".join(map(str, one.tags)), attributes, one.pk]
