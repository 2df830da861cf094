"""What is asked many times a second is answered from an index, on SQLite as it comes."""

import pytest
from django.db import connection
from django.db.models import Count

from calls.models import Attempt, Call
from contacts.models import Suppression
from temphone.webhooks.models import Delivery
from tests.builders import NOON

QUESTIONS = {
    "due calls": lambda: Call.objects.due(NOON),
    "overdue attempts": lambda: Attempt.objects.overdue(NOON),
    "legs to hang up": lambda: Attempt.objects.to_hang_up(NOON),
    "lines in use": lambda: (
        Attempt.objects.live().values_list("carrier", "gateway").annotate(Count("pk")).order_by()
    ),
    "numbers in use": lambda: Attempt.objects.live().filter(to__in=["+14155550100"]),
    "due deliveries": lambda: Delivery.objects.due(NOON),
    "suppressions": lambda: Suppression.objects.in_force(NOON).covering(["+14155550100"]),
}


@pytest.mark.django_db
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_table_is_read_whole(question):
    if connection.vendor == "sqlite":
        assert "SCAN" not in QUESTIONS[question]().explain()
        return
    # An empty table is read whole by any planner: so forbid it, and see that another way exists.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "Seq Scan" not in QUESTIONS[question]().explain()
