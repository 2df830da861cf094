"""What calls cost: by the tariff that their trunk had when they were dialled."""

from datetime import timedelta
from decimal import Decimal

import pytest

from calls.actions.trunks import change_trunk, create_trunk
from calls.models import Attempt, Price, Prices, Tariff, Trunk, TrunkKind, tariff_of
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import AuditEntry
from tests.builders import NOON, a_call, a_trunk
from tests.pages.conftest import an_attempt

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def a_price(trunk: Trunk, per_minute: str | None = "0.012", *, since=NOON, billed_by_s: int = 60) -> Price:
    return Price.objects.create(trunk=trunk, since=since, per_minute=per_minute, billed_by_s=billed_by_s)


def a_dial(trunk: Trunk | None, duration_s: int | None = 61, *, at=NOON, **columns) -> Attempt:
    ended = {"state": "ended", "outcome": "message_delivered", "carrier": "sip", **columns}
    return an_attempt(a_call(), trunk=trunk, duration_s=duration_s, created_at=at, **ended)


@pytest.mark.parametrize(
    ("billed_by_s", "duration_s", "cost"),
    [
        (60, 0, "0"),
        (60, 1, "0.6"),
        (60, 60, "0.6"),
        (60, 61, "1.2"),
        (30, 61, "0.9"),
        (6, 61, "0.66"),
        (1, 61, "0.61"),
        (1, 7_200, "72"),
    ],
)
def test_what_has_begun_is_charged_in_full(billed_by_s, duration_s, cost):
    tariff = Tariff(per_minute=Decimal("0.6"), billed_by_s=billed_by_s)
    assert tariff.cost(duration_s) == Decimal(cost)


def test_a_dial_costs_what_its_trunk_charged_when_it_was_made():
    trunk = a_trunk()
    a_price(trunk, "0.010")
    a_price(trunk, "0.020", since=NOON + HOUR)
    a_price(trunk, None, since=NOON + 2 * HOUR)
    costs = [
        Prices().of_attempt(a_dial(trunk, at=NOON + ahead))
        for ahead in (-HOUR, timedelta(), HOUR - timedelta(seconds=1), HOUR, 2 * HOUR)
    ]
    assert costs == [None, Decimal("0.020"), Decimal("0.020"), Decimal("0.040"), None]


def test_nothing_is_told_of_what_costs_nothing_or_goes_on():
    trunk = a_trunk()
    a_price(trunk)
    prices = Prices()
    unanswered = a_dial(trunk, None, outcome="no_answer", answered_at=None)
    assert prices.of_attempt(unanswered) == 0
    assert prices.of_attempt(a_dial(None)) is None
    assert prices.of_attempt(a_dial(a_trunk(name="Another"))) is None
    assert prices.of_attempt(a_dial(trunk, None, state="answered", outcome=None)) is None
    assert prices.of_attempt(a_dial(trunk, None, state="ringing", outcome=None, answered_at=None)) is None
    assert prices.of_attempts([]) is None
    assert prices.of_attempts([a_dial(trunk), unanswered]) == Decimal("0.024")
    assert prices.of_attempts([a_dial(trunk), a_dial(None)]) is None


def test_what_nobody_knows_the_end_of_is_not_told_to_be_free():
    trunk = a_trunk()
    a_price(trunk)
    prices = Prices()
    unknown = a_dial(trunk, 0, outcome="unknown")
    assert prices.of_attempt(unknown) is None
    assert prices.of_attempt(a_dial(trunk, None)) is None  # answered, and nobody knows how long
    assert prices.of_attempts([a_dial(trunk), unknown]) is None
    assert prices.of_attempt(a_dial(trunk, 0)) == Decimal("0.012")  # answered for less than half a second


def test_the_last_price_that_was_written_holds_whatever_the_clocks_said():
    values = {"name": "Provider", "host": "sip.example.com"}
    trunk = create_trunk(actor=SYSTEM, kind=TrunkKind.SIP, values=values, now=NOON)
    for per_minute, now in ((1, NOON + HOUR), (2, NOON)):
        tariff = Tariff(per_minute=Decimal(per_minute))
        change_trunk(actor=SYSTEM, trunk_id=trunk.pk, values=values, tariff=tariff, now=now)
    assert tariff_of(trunk).per_minute == 2
    assert Prices().of_attempt(a_dial(trunk, 60, at=NOON + HOUR)) == 2


def test_all_are_told_of_by_one_query(django_assert_num_queries):
    dials = []
    for number in range(5):
        trunk = a_trunk(name=f"Trunk {number}")
        a_price(trunk)
        dials.append(a_dial(trunk))
    with django_assert_num_queries(1):
        assert Prices().of_attempts(dials) == Decimal("0.120")


def test_another_price_holds_from_then_on_and_is_audited():
    tariff = Tariff(per_minute=Decimal("0.01"), billed_by_s=6)
    values = {"name": "Provider", "host": "sip.example.com"}
    trunk = create_trunk(actor=SYSTEM, kind=TrunkKind.SIP, values=values, tariff=tariff, now=NOON)

    def change(tariff: Tariff | None, hours: int) -> None:
        change_trunk(actor=SYSTEM, trunk_id=trunk.pk, values=values, tariff=tariff, now=NOON + hours * HOUR)

    change(tariff, 1)
    change(None, 2)
    assert (tariff_of(trunk), trunk.prices.count()) == (tariff, 1)

    change(Tariff(), 3)
    assert tariff_of(trunk) == Tariff()
    assert [price.since for price in trunk.prices.in_order()] == [NOON, NOON + 3 * HOUR]
    changes = AuditEntry.objects.filter(action="trunk.change").order_by("id")
    assert [entry.details["fields"] for entry in changes] == [[], [], ["price"]]


def test_a_trunk_without_a_price_has_none():
    values = {"name": "Provider", "host": "sip.example.com"}
    trunk = create_trunk(actor=SYSTEM, kind=TrunkKind.SIP, values=values, tariff=Tariff(), now=NOON)
    assert (tariff_of(trunk), Price.objects.exists()) == (Tariff(), False)
    assert not Prices()
