"""Instants in answers."""

import pytest

from tests.api.client import data
from tests.builders import a_contact


@pytest.mark.django_db
def test_a_year_before_1000_is_written_with_four_digits(live_program):
    body = {
        "purpose": "marketing",
        "kind": "written",
        "source": "form",
        "captured_at": "0519-01-16T05:10:04Z",
    }
    answer = live_program.post(f"/contacts/{a_contact().pk}/consents", body)
    assert data(answer)["captured_at"] == "0519-01-16T05:10:04Z"
