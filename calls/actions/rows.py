"""Rows written at once: what belongs together, in as few round trips as the database allows."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import AutoField, Field, Model

INSERT = "INSERT INTO {table} ({names}) VALUES ({places})"


def insert(*rows: Model) -> None:
    """Write new rows, each with all its columns but a number that the database gives.

    PostgreSQL takes them as one message. The ORM would build each statement anew, which costs more than
    what the database does with it.

    Raises:
        IntegrityError: a constraint does not allow one; the transaction is over.
    """
    statements = [_statement(type(row)) for row in rows]
    values = [_values(row) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("; ".join(statements), [value for each in values for value in each])
            return
        for statement, each in zip(statements, values, strict=True):
            cursor.execute(statement, each)


def insert_all(rows: Sequence[Model]) -> None:
    """Write many new rows of one model; the statement is the same for each, however many there are."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_statement(type(rows[0])), [_values(row) for row in rows])


@cache
def _columns(model: type[Model]) -> Sequence["Field[Any, Any]"]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


@cache
def _statement(model: type[Model]) -> str:
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in _columns(model))
    places = ", ".join("%s" for _ in _columns(model))
    return INSERT.format(table=model._meta.db_table, names=names, places=places)


def _values(row: Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in _columns(type(row))
    ]
