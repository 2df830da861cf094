"""A kept connection to PostgreSQL: cheap to look at, and seen when it is gone."""

import pytest
from django.db import connection
from django.db.backends.postgresql import base

from temphone.accounts.models import ApiKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def fresh():
    """A connection that is looked at before its next statement, as at the start of each request."""
    connection.ensure_connection()
    connection.health_check_enabled, connection.health_check_done = True, False
    return connection


def test_a_connection_that_works_is_not_asked(fresh, monkeypatch):
    kept, asked = fresh.connection, []
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", asked.append)
    ApiKey.objects.count()
    assert fresh.connection is kept
    assert (fresh.health_check_done, asked) == (True, [])


def test_one_that_the_server_has_ended_is_made_anew(fresh):
    kept = fresh.connection
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept.info.backend_pid])
    other.close()
    assert ApiKey.objects.count() == 0
    assert fresh.connection is not kept


def test_one_that_was_closed_here_is_not_usable(fresh):
    fresh.connection.close()
    assert not fresh.is_usable()
    fresh.close()
