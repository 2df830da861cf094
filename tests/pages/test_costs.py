"""What calls cost, as their pages tell it."""

import csv
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
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
        told = re.findall(r'1:40:00</span><span class="sub" title="About[^"]*">([^<]*)</span>', page)
        assert told == [f"0.85{NBSP}USD"]
    Call.objects.update(status="failed", outcome="unknown")
    Attempt.objects.update(outcome="rejected")
    with CaptureQueriesContext(connection) as queries:
        page = text_of(browse(), "/calls/?view=attention")
    assert "1:40:00" not in page
    assert "USD" not in page
    assert not [query for query in queries if "calls_price" in query["sql"]]


def test_what_many_calls_cost_takes_no_more_queries_than_what_one_did(browse, trunk):
    client = browse()
    asked = []
    for _ in range(2):
        over(trunk)
        with CaptureQueriesContext(connection) as queries:
            page = text_of(client, "/calls/?view=completed")
        asked.append(len(queries))
    assert page.count("USD") == 2
    assert asked[0] == asked[1]


def test_a_call_that_goes_on_says_nothing_of_what_it_costs(browse, trunk):
    call = over(trunk)
    Call.objects.filter(pk=call.pk).update(status="scheduled", outcome=None)
    assert (
        "about"
        not in text_of(browse(), f"/calls/{call.pk}/")
        .partition('<dl class="card strip">')[2]
        .partition("</dl>")[0]
    )


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
        ("0.12345", "0.1234"),
        ("1.2345", "1.23"),
        ("1234.5", "1,234.50"),
    ],
)
def test_an_amount_is_told_to_the_hundredth_or_more_exactly_where_it_is_small(amount, told):
    assert money(Decimal(amount)) == f"{told}{NBSP}USD"


def test_what_is_hardly_anything_is_not_told_to_be_nothing():
    assert money(Decimal("0.00004")) == f"less than 0.0001{NBSP}USD"


def test_an_amount_is_in_the_readers_language():
    with translation.override("es"):
        assert money(Decimal("1234.5")) == f"1{NBSP}234,50{NBSP}USD"
