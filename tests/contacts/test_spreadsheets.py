"""Tables that people upload: whatever their program wrote, and whatever somebody wrote to break us."""

import io
import zipfile

import pytest

from temphone.lib import spreadsheets
from temphone.lib.spreadsheets import AS_CSV, BadTable, Form, read_head, read_rows, write_rows
from tests.contacts.builders import a_workbook

TABLE = "Name;Phone\nHännah, A.;+46 8 123 456 78\n"


def read(table: io.BytesIO) -> list[tuple[int, list[str]]]:
    return list(read_rows(table, read_head(table).form))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_common_encoding_is_read(encoding):
    assert read(io.BytesIO(TABLE.encode(encoding))) == [(2, ["Hännah, A.", "+46 8 123 456 78"])]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed(sign):
    table = f'"a, b; c"{sign}d\n"1, 2; 3"{sign}4\n'

    assert read(io.BytesIO(table.encode())) == [(2, ["1, 2; 3", "4"])]


def test_a_file_that_names_its_delimiter_is_believed():
    assert read(io.BytesIO(b"sep=;\na;b\n1,5;2\n")) == [(3, ["1,5", "2"])]


def test_blank_rows_are_left_out_and_all_others_keep_their_numbers():
    assert read(io.BytesIO(b'a,b\n\n1,"two\nlines"\n,\n3,\n')) == [(3, ["1", "two\nlines"]), (5, ["3"])]


def test_a_file_without_names_of_columns_loses_no_row():
    head = read_head(io.BytesIO(b"+34911234567,Ada\n+34911234568,Bob\n"))

    assert (head.columns, head.rows, head.form.header) == (["Column 1", "Column 2"], 2, 0)


def test_a_workbook_gives_its_first_sheet_with_all_digits_and_no_formula():
    table = a_workbook(["Phone", "Sum", "Day"], [14155550100, "=1+1", None], [None], ["+1 415", None, "x"])

    assert read(table) == [(2, ["14155550100"]), (4, ["+1 415", "", "x"])]


def test_a_workbook_is_the_same_as_csv():
    table, text = a_workbook(["Name", "Phone"], ["Ada", "+34"], [None], ['"B,ob"', "1"]), io.StringIO()
    found = read(table)

    write_rows(found, text)

    again = io.BytesIO(text.getvalue().encode())
    assert list(read_rows(again, Form(**{**AS_CSV, "header": 1}))) == found


def test_reading_goes_on_behind_any_row():
    table = io.BytesIO(b"a\n1\n2\n3\n")

    assert list(read_rows(table, read_head(table).form, after=3)) == [(4, ["3"])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n,,\n", "empty"),
        (b"a,b\n", "no_rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "no_table"),
        (b"%PDF-1.4 x", "no_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (b"PK\x03\x04 not a zip", "broken_xlsx"),
        (b'a,b\n"' + b"x" * 200_000, "broken_csv"),
        (b",".join(b"c%d" % n for n in range(101)) + b"\n1\n", "too_many_columns"),
    ],
)
def test_what_is_no_table_says_why(content, code):
    with pytest.raises(BadTable) as refused:
        read(io.BytesIO(content))
    assert refused.value.code == code


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 3)
    assert len(read(io.BytesIO(b"a\n1\n2\n3\n"))) == 3
    with pytest.raises(BadTable, match="too_many_rows"):
        read(io.BytesIO(b"a\n1\n2\n3\n4\n"))


def test_a_workbook_that_would_unpack_to_more_than_allowed_is_not_unpacked():
    bomb, book = io.BytesIO(), a_workbook(["Phone"], ["1"])
    with zipfile.ZipFile(book) as good, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bad:
        for part in good.infolist():
            bad.writestr(part, good.read(part))
        bad.writestr("xl/sharedStrings.xml", b" " * (spreadsheets.MOST_TEXTS + 1))

    with pytest.raises(BadTable, match="too_large_unpacked"):
        read_head(bomb)


def test_a_workbook_of_more_tags_than_can_be_read_in_time_is_not_read(monkeypatch):
    table = a_workbook(["Phone", "Name"], ["1", "Ada"])
    assert read(table)
    monkeypatch.setattr(spreadsheets, "MOST_TAGS", 10)

    with pytest.raises(BadTable, match="too_many_cells"):
        read_head(table)


def test_a_workbook_with_a_part_that_is_broken_is_refused():
    broken, book = io.BytesIO(), a_workbook(["Phone"], ["1"])
    with zipfile.ZipFile(book) as good, zipfile.ZipFile(broken, "w") as bad:
        for part in good.infolist():
            bad.writestr(part, b"<sheet" if "sheet1" in part.filename else good.read(part))

    with pytest.raises(BadTable, match="broken_xlsx"):
        read_head(broken)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_that_is_longer_than_a_glance_is_still_open_afterwards(encoding):
    table = io.BytesIO(("Näme\n" + "Ada\n" * 500).encode(encoding))

    assert read_head(table).rows == len(read(table)) == 500


def test_no_cell_has_what_no_database_keeps():
    table = a_workbook(["Name"], ["A_xD800_d_x0000_a"])

    ((_, (cell,)),) = read(table)
    assert cell.encode()
    assert "\0" not in cell


def test_what_was_guarded_against_spreadsheets_comes_back_as_it_was():
    assert read(io.BytesIO(b"a,b\n'=1+1,'tis\n")) == [(2, ["=1+1", "'tis"])]
