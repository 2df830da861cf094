"""Cells of tables that leave the house: no spreadsheet is to take one for a formula."""

import re

# Full-width ones too: where people write Chinese or Japanese, spreadsheets take them for the same.
WIDE = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
BEGINS = tuple(f"=+-@{WIDE}")
BREAKS = ("\t", "\r", "\n")
PHONE = re.compile(r"\+[0-9]{7,15}")  # of digits alone, there is nothing to be worked out
# As ``harmless`` writes what it changes.
GUARDED = re.compile(rf"'\s*[{re.escape(''.join(BEGINS))}]|' *[\t\r\n]")


def harmless(text: str) -> str:
    """The text; behind an apostrophe where a spreadsheet would take it for a formula. A number stays.

    Spaces before it count for nothing: some programs cut them.
    """
    if PHONE.fullmatch(text):
        return text
    risky = text.lstrip().startswith(BEGINS) or text.lstrip(" ").startswith(BREAKS)
    return f"'{text}" if risky else text


def as_it_was(text: str) -> str:
    """The text without the apostrophe that ``harmless`` has put before it."""
    return text[1:] if GUARDED.match(text) else text
