"""What the documents name as shown by a test is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(
    {
        (page.name, path)
        for page in (ROOT / "docs").glob("*.md")
        for path in re.findall(r"`((?:tests/)?\w+/test_\w+\.py|(?:tests/)?proofs/\w+\.py)`", page.read_text())
    }
)


@pytest.mark.parametrize(("page", "path"), NAMED, ids=[f"{page} {path}" for page, path in NAMED])
def test_a_test_that_a_page_names_exists(page, path):
    assert (ROOT / "tests" / path.removeprefix("tests/")).exists()


def test_pages_name_tests():
    assert len(NAMED) > 10
