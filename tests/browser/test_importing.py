import re

import pytest
from playwright.sync_api import expect

from contacts import tasks
from contacts.models import Contact, ContactImport
from tests.browser.conftest import both_looks
from tests.contacts.builders import PEOPLE

pytestmark = pytest.mark.browser


@both_looks
def test_a_file_is_imported_while_one_watches(window, look, tmp_path):
    """The page shows by itself that the worker is done, and then asks no more."""
    shown = window(look)
    page = shown.open("/contacts/import/")
    (tmp_path / "people.csv").write_text(PEOPLE)
    page.get_by_label("File").set_input_files(tmp_path / "people.csv")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_label("Name", exact=True)).to_have_value("name")
    page.get_by_label("Country of numbers without one").select_option("GB")
    page.get_by_role("button", name="Check the rows").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    tasks.work_on_imports()
    problem = page.get_by_role("row", name=re.compile("07 12"))
    expect(problem).to_contain_text("Write the number with its country")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    assert "07 12" in download.value.path().read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("0 of 2")).to_be_visible()
    tasks.work_on_imports()
    expect(page.get_by_role("heading", name="The contacts are here")).to_be_visible()
    expect(page.locator("#import")).to_have_attribute("hx-trigger", re.compile("^refresh$"))
    assert Contact.objects.count() == ContactImport.objects.get().made == 2

    page.get_by_role("link", name="Undo the import").click()
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    tasks.work_on_imports()
    expect(page.get_by_role("heading", name="The import is undone")).to_be_visible()
    shown.assert_sound()
