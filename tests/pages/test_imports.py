"""The pages on which people are imported, as a browser without JavaScript sees them."""

import csv
import re
from io import BytesIO, StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts import tasks
from contacts.actions.imports.asking import start_import
from contacts.models import Contact, ContactImport
from temphone import uploads
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import AuditEntry
from tests.builders import a_contact
from tests.contacts.builders import (
    PEOPLE,
    a_checked_import,
    an_import,
    an_imported_file,
    imported,
    matched,
    undone,
)
from tests.pages.conftest import EARLIER, htmx, text_of


@pytest.fixture
def manager(browse):
    return browse(Role.MANAGER)


def send(client, content: str | bytes = PEOPLE, name: str = "people.csv"):
    data = content.encode() if isinstance(content, str) else content
    return client.post("/contacts/import/", {"file": SimpleUploadedFile(name, data)})


def downloaded(response) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text)))


def test_a_file_is_uploaded_matched_checked_and_imported(manager):
    columns = send(manager).url
    page = text_of(manager, columns)
    assert "020 7183 8750" in page
    assert "Attribute “plan”" in page

    chosen = dict(re.findall(r'name="(column_\d)".*?value="(\w*)" selected', page, re.DOTALL))
    here = manager.post(columns, {**chosen, "country": "GB", "tag": "autumn", "updates": "on"}).url
    assert "every 1s" in text_of(manager, here)

    tasks.work_on_imports()
    checked = text_of(manager, here)
    assert "every 1s" not in checked
    assert "Import 2 rows" in checked
    assert "Not a phone number" in checked
    assert "07 12" in checked

    assert manager.post(f"{here}start/").url == here
    tasks.work_on_imports()
    assert "The contacts are here" in text_of(manager, here)
    assert {tuple(one.tags) for one in Contact.objects.all()} == {("autumn",)}
    assert "people.csv" in text_of(manager, "/contacts/import/")


def test_no_contacts_yet_offers_the_import_and_to_viewers_not(manager, browse):
    assert "/contacts/import/" in text_of(manager, "/contacts/")
    assert "/contacts/import/" not in text_of(browse(Role.VIEWER), "/contacts/")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"\x89PNG\0\0\0", "neither CSV nor XLSX"), (b"a,b\n", "no row beneath")],
)
def test_a_file_that_is_no_table_says_what_to_do(manager, content, said):
    response = send(manager, content)

    assert response.status_code == 200
    assert said in response.content.decode()
    assert not ContactImport.objects.exists()


def test_no_file_says_so(manager):
    assert "Choose a file." in manager.post("/contacts/import/", {}).content.decode()


def test_a_file_that_is_too_large_is_not_kept(manager, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1_000)
    monkeypatch.setattr("contacts.views.imports.MOST_BYTES", 1_000)

    assert "larger than" in send(manager, b"a,b\n" * 1_000).content.decode()


def test_columns_that_make_no_sense_are_refused_with_the_mend(manager):
    own = an_import()
    page = manager.post(f"/contacts/import/{own.pk}/columns/", {"column_0": "name"}).content.decode()

    assert "No column is the phone number" in page


def test_the_rows_with_problems_come_as_a_file_that_can_be_mended_and_sent_again(manager):
    own = a_checked_import(PEOPLE.replace("Moss & Daughters", "=1+1"))
    lines = downloaded(manager.get(f"/contacts/import/{own.pk}/problems/"))

    assert lines[0] == ["Name", "Phone", "Company", "Plan", "Row", "Problem"]
    assert lines[1][:5] == ["Eve Moss", "07 12", "'=1+1", "Silver", "4"]
    assert lines[1][5].startswith("Phone: Not a phone number.")
    again = an_import("\n".join(",".join(f'"{cell}"' for cell in line) for line in lines))
    assert again.matches == ["name", "phone", "company", "attribute", "", ""]


def test_no_cell_of_a_download_is_a_formula_and_a_number_stays_readable(manager):
    a_contact(first_name="=cmd|' /C calc'!A0", last_name="@SUM(1)", company="-1+2", phone="+34911234567")
    lines = downloaded(manager.get("/contacts/export/"))

    assert lines[1][:3] == ["'=cmd|' /C calc'!A0", "'@SUM(1)", "+34911234567"]
    assert lines[1][5] == "'-1+2"
    assert AuditEntry.objects.filter(action="contact.export").count() == 1


def test_problems_are_paged_and_cost_the_same_however_many_there_are(manager):
    numbers = []
    for count in (3, 60):
        own = a_checked_import("\n".join(["Name,Phone", *(f"N{n},07 12" for n in range(count))]))
        with CaptureQueriesContext(connection) as queries:
            page = text_of(manager, f"/contacts/import/{own.pk}/")
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 12
    further = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert "N25" not in page
    assert ">27<" in text_of(manager, f"/contacts/import/{own.pk}/{further}")


def test_the_progress_is_a_fragment_that_polls_until_it_is_over(manager):
    own = a_checked_import()
    start_import(actor=SYSTEM, import_id=own.pk, now=EARLIER)
    address = f"/contacts/import/{own.pk}/"

    shown = htmx(manager, address)
    assert "0 of 2" in shown
    assert "every 1s" in shown
    assert "<h1>" not in shown

    tasks.work_on_imports()
    assert "every 1s" not in htmx(manager, address)


def test_an_import_is_abandoned_and_undone_by_asking_first(manager):
    own = matched(an_import())
    assert "Nothing was imported" in text_of(manager, f"/contacts/import/{own.pk}/abandon/")
    manager.post(f"/contacts/import/{own.pk}/abandon/")
    assert "The import was abandoned" in text_of(manager, f"/contacts/import/{own.pk}/")

    own = an_imported_file()
    assert "2 contacts that it made are deleted" in text_of(manager, f"/contacts/import/{own.pk}/undo/")
    manager.post(f"/contacts/import/{own.pk}/undo/")
    tasks.work_on_imports()
    assert "The import is undone" in text_of(manager, f"/contacts/import/{own.pk}/")
    assert not Contact.objects.exists()


def test_what_could_not_be_undone_is_listed(manager):
    a_contact(phone="+34911234567")
    own = an_imported_file()
    Contact.objects.filter(phone="+34911234567").update(first_name="Zoe")

    page = text_of(manager, f"/contacts/import/{undone(own).pk}/")
    assert "What could not be undone" in page
    assert "Changed since the import." in page


def test_who_downloads_problems_is_written_down(manager):
    own = a_checked_import()
    downloaded(manager.get(f"/contacts/import/{own.pk}/problems/"))

    assert AuditEntry.objects.get(action="import.export").target == own.pk


def test_downloads_are_read_in_steps_without_gap_or_repetition(manager, monkeypatch):
    monkeypatch.setattr("contacts.views.exports.AT_A_TIME", 2)
    monkeypatch.setattr("contacts.views.imports.AT_A_TIME", 2)
    people = {a_contact(last_name=name).pk for name in ("", "Lee", "Lee", "Lee", "Young")}
    own = a_checked_import("\n".join(["Name,Phone", *(f"N{n},07 12" for n in range(5))]))

    lines = downloaded(manager.get("/contacts/export/"))[1:]
    problems = downloaded(manager.get(f"/contacts/import/{own.pk}/problems/"))[1:]

    assert len(lines) == 5
    assert {line[-1] for line in lines} == people
    assert [line[0] for line in problems] == [f"N{n}" for n in range(5)]


def test_an_import_that_broke_off_says_so_and_can_be_undone(manager):
    own = an_imported_file()
    ContactImport.objects.filter(pk=own.pk).update(state="failed", problem="broke_off_importing")

    page = text_of(manager, f"/contacts/import/{own.pk}/")
    assert "The import broke off" in page
    assert "2" in page
    assert f"/contacts/import/{own.pk}/undo/" in page
    undone(own)
    assert not Contact.objects.exists()


def test_a_problem_that_came_up_at_the_import_is_shown_and_downloaded(manager):
    there = a_contact(phone="+447911123456")
    own = a_checked_import("Name,Phone,Plan\nAda Byron,+447911123456,Gold\n")
    there.delete()
    imported(own)

    assert "used in several time zones" in text_of(manager, f"/contacts/import/{own.pk}/")
    (line,) = downloaded(manager.get(f"/contacts/import/{own.pk}/problems/"))[1:]
    assert line[:4] == ["Ada Byron", "+447911123456", "Gold", "2"]


def test_two_columns_of_one_attribute_are_refused_by_name(manager):
    own = an_import("Name,Phone,Plan,plan!\nAda,+34911234567,Gold,Silver\n")
    sent = {f"column_{place}": what for place, what in enumerate(own.matches)}
    page = manager.post(f"/contacts/import/{own.pk}/columns/", sent).content.decode()

    assert "Two columns are the attribute plan." in page


def test_a_file_that_is_gone_is_shown_as_such(manager):
    own = an_import(BytesIO(PEOPLE.encode()))
    ContactImport.objects.filter(pk=own.pk).update(state="failed", problem="file_lost")

    assert "not there any more" in text_of(manager, f"/contacts/import/{own.pk}/")
