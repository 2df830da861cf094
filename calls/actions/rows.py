"""Rows written at once: what belongs together, in as few round trips as the database allows."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TextField,
)

PLAIN = (BooleanField, CharField, ForeignKey, IntegerField, TextField)
INSERT = "INSERT INTO {table} ({names}) VALUES ({places})"
# From a JSON list of lists of texts: what is the same in all rows goes over once.
INSERT_ALIKE = "INSERT INTO {table} ({names}) SELECT {places} FROM {each}(%s) AS texts"
EACH = {"postgresql": "json_array_elements", "sqlite": "json_each"}
TEXT = {"postgresql": "texts.value ->> {place}", "sqlite": "json_extract(texts.value, '$[{place}]')"}


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


def insert_alike(pattern: Model, names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """Write many new rows like the pattern, each with texts of its own in the columns ``names``.

    For hundred thousands: the database makes the rows, and we but what tells them apart.
    """
    text = TEXT[connection.vendor]
    own = {name: text.format(place=place) for place, name in enumerate(names)}
    columns = _columns(type(pattern))
    same = [value for field, value in zip(columns, _values(pattern), strict=True) if field.column not in own]
    statement = INSERT_ALIKE.format(
        table=pattern._meta.db_table,
        names=_quoted(type(pattern)),
        places=", ".join(own.get(str(field.column), "%s") for field in columns),
        each=EACH[connection.vendor],
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*same, json.dumps(texts)])


@cache
def _columns(model: type[Model]) -> Sequence["Field[Any, Any]"]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


@cache
def _statement(model: type[Model]) -> str:
    places = ", ".join("%s" for _ in _columns(model))
    return INSERT.format(table=model._meta.db_table, names=_quoted(model), places=places)


def _quoted(model: type[Model]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in _columns(model))


def _values(row: Model) -> list[Any]:
    model = type(row)
    values = list(_attributes(model)(row))
    for place, field in _to_be_prepared(model):
        values[place] = field.get_db_prep_save(field.pre_save(row, add=True), connection)
    return values


@cache
def _attributes(model: type[Model]) -> Callable[[Model], tuple[Any, ...]]:
    return attrgetter(*(field.attname for field in _columns(model)))


@cache
def _to_be_prepared(model: type[Model]) -> list[tuple[int, "Field[Any, Any]"]]:
    """The columns whose values the database does not take as they are, such as JSON; and their places."""
    return [(place, field) for place, field in enumerate(_columns(model)) if not isinstance(field, PLAIN)]
