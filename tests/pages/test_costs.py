"""What calls cost, as their pages tell it."""

import csv
import re
from decimal import Decimal

import pytest
from django.utils import translation

from calls.models import Attempt, Call, Price
from temphone.accounts.actors import Role
from temphone.templatetags.ui import money
from tests.builders import NOON, a_trunk
from tests.pages.conftest import a_finished_call, text_of

NBSP = "\N{NO-BREAK SPACE}"


def over(trunk=None, duration_s: int = 64) -> Call:
    call = a_finished_call()
    Attempt.objects.filter(call=call).update(trunk=trunk, duration_s=duration_s)
    return call


@pytest.fixture
def trunk(db):
    trunk = a_trunk()
    Price.objects.create(trunk=trunk, since=NOON, per_minute="0.0085")
    return trunk


def test_a_calls_page_tells_about_what_it_cost(browse, trunk):
    page = text_of(browse(), f"/calls/{over(trunk).pk}/")
    assert f'<dd class="sub">about 0.0170{NBSP}USD</dd>' in page
    assert f"1:04 · 0.0170{NBSP}USD" in page
    assert "USD" not in text_of(browse(), f"/calls/{over().pk}/")


def test_the_list_of_calls_that_are_over_has_it_beneath_the_length(browse, trunk):
    over(trunk, 6_000)
    over()
    for view in ("completed", "all"):
        page = text_of(browse(), f"/calls/?view={view}")
        assert re.findall(r'1:40:00</span><span class="sub">([^<]*)</span>', page) == [f"0.85{NBSP}USD"]
    assert "USD" not in text_of(browse(), "/calls/?view=attention")


def test_an_export_has_amount_and_currency(browse, trunk, settings):
    settings.CURRENCY = "EUR"
    over(trunk)
    over()
    response = browse(Role.OPERATOR).get("/calls/export/?view=completed")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert sorted((row["cost"], row["currency"]) for row in rows) == [("", ""), ("0.01700", "EUR")]


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0", "0.00"),
        ("0.5", "0.50"),
        ("0.0085", "0.0085"),
        ("0.00004", "0.00"),
        ("0.12345", "0.1234"),
        ("1.2345", "1.23"),
        ("1234.5", "1,234.50"),
    ],
)
def test_an_amount_is_told_to_the_hundredth_or_more_exactly_where_it_is_small(amount, told):
    assert money(Decimal(amount)) == f"{told}{NBSP}USD"


def test_an_amount_is_in_the_readers_language():
    with translation.override("es"):
        assert money(Decimal("1234.5")) == f"1{NBSP}234,50{NBSP}USD"
