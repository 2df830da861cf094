"""No cell of what is downloaded is a formula to a spreadsheet, and none is lost on the way back."""

import io

import pytest

from temphone.lib.formulas import as_it_was, harmless
from temphone.lib.spreadsheets import read_head, read_rows

RISKY = [
    "=1+1",
    "+1",
    "+1+1",
    "+1 415",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    " =1+1",
    "  @x",
    "\N{NO-BREAK SPACE}-1",
    " \tx",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    " \N{FULLWIDTH COMMERCIAL AT}x",
]


@pytest.mark.parametrize("cell", RISKY)
def test_no_cell_is_a_formula(cell):
    assert harmless(cell) == f"'{cell}"
    assert harmless(f"a{cell}") == f"a{cell}"
    assert as_it_was(harmless(cell)) == cell


@pytest.mark.parametrize("cell", ["", " ", "+34911234567", "34", "a=b", "'tis", "\u00e9", "\u4e2d"])
def test_all_else_stays_as_it_is(cell):
    assert harmless(cell) == cell
    assert as_it_was(cell) == cell


def test_a_number_with_a_formula_behind_it_is_none():
    assert harmless("+34911234567\n=1+1").startswith("'")
    assert harmless("+34911234567+1").startswith("'")


@pytest.mark.parametrize("cell", ["=1+1", "-1", "@x"])
def test_what_is_downloaded_is_imported_as_it_was(cell):
    table = io.BytesIO(f"a,b\n{harmless(cell)},{harmless(f' {cell}')}\n".encode())

    assert list(read_rows(table, read_head(table).form)) == [(2, [cell, cell])]


@pytest.mark.parametrize("cell", ["\t", "\r\n", " \n "])
def test_an_empty_cell_comes_back_empty(cell):
    table = io.BytesIO(f'a,b\nx,"{harmless(cell)}"\n'.encode())

    assert list(read_rows(table, read_head(table).form)) == [(2, ["x"])]
