"""Fields of request bodies. Each says in one sentence what it accepts, in the specification's words."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, cast

from rest_framework import serializers
from rest_framework.request import Request

from temphone.lib import phone
from temphone.lib.clock import parse_timestamp, zone
from temphone.lib.errors import Invalid

Schema = dict[str, object]


class Shape(serializers.Serializer[Any]):
    """Fields by name. A name that a serializer keeps for itself has an underscore after it: ``source_``."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields by the names that programs see."""
        return {name.removesuffix("_"): field for name, field in super().get_fields().items()}


class Body(Shape):
    """A request's body. Unknown fields are ignored."""

    @classmethod
    def read(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The values, by their names in actions; raises as ``check``."""
        # The parser lets nothing but an object pass.
        return cls.check(cast("Mapping[str, object]", request.data), partial=partial)

    @classmethod
    def check(cls, body: Mapping[str, object], *, partial: bool = False) -> dict[str, Any]:
        """The values, by their names in actions. With ``partial``, nothing is required.

        Raises:
            Invalid: some are bad; the first, in the order of the fields, is the message.
        """
        values: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for name, field in cls._checked().items():
            if name in body:
                try:
                    values[str(field.source)] = field.read(body[name], body)
                except Invalid as error:
                    errors[name] = [error.message]
            elif field.required and not partial:
                errors[name] = [f"Field '{name}' is required."]
        if errors:
            raise Invalid(next(iter(errors.values()))[0], fields=errors)
        return values

    @classmethod
    @cache
    def _checked(cls) -> dict[str, "CheckedField"]:
        # DRF copies a serializer's fields for each use, which costs more than all our checks.
        return {name: cast("CheckedField", field) for name, field in cls().fields.items()}


class CheckedField(serializers.Field[Any, Any, Any, Any]):
    """A field with one message, ``expected``, for whatever is wrong with its value. It keeps no state."""

    expected = ""
    schema: Schema = {}

    def __init__(self, *, required: bool = True, source: str | None = None, allow_null: bool = False) -> None:
        super().__init__(required=required, source=source, allow_null=allow_null)

    def read(self, data: object, _body: Mapping[str, object]) -> object:
        """What the value means in this body.

        Raises:
            Invalid: it is not accepted.
        """
        if data is None and self.allow_null:
            return None
        try:
            return self.value(data)
        except (TypeError, ValueError) as error:
            raise Invalid.field(str(self.field_name), self.expected) from error

    def value(self, data: object) -> object:
        """What the value means.

        Raises:
            TypeError, ValueError: it is not accepted.
        """
        raise NotImplementedError


def text(data: object) -> str:
    """The value if it is text.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(data, str):
        raise TypeError
    return data


class TextField(CheckedField):
    """Text within bounds; where it must not be empty, spaces alone count as empty."""

    def __init__(self, *, least: int = 0, most: int, required: bool = True) -> None:
        super().__init__(required=required)
        self.least, self.most = least, most
        bounds = f"of {least} to {most:,}" if least else f"of at most {most:,}"
        self.expected = f"must be a text {bounds} characters."
        self.schema = {"type": "string", "minLength": least, "maxLength": most}

    def value(self, data: object) -> str:
        """The text as sent."""
        value = text(data)
        if len(value) > self.most or len(value.strip()) < self.least:
            raise ValueError
        return value


class IdField(CheckedField):
    """The id of something; whether there is such a thing is found later."""

    expected = "must be a string."
    schema = {"type": "string"}

    def value(self, data: object) -> str:
        """The id as sent."""
        return text(data)


class IntegerField(CheckedField):
    """An integer within bounds; a boolean is none, nor is 90.0."""

    def __init__(self, *, least: int, most: int, required: bool = True, source: str | None = None) -> None:
        super().__init__(required=required, source=source)
        self.least, self.most = least, most
        self.expected = f"must be an integer between {least} and {most}."
        self.schema = {"type": "integer", "minimum": least, "maximum": most}

    def value(self, data: object) -> int:
        """The integer."""
        if isinstance(data, bool) or not isinstance(data, int):
            raise TypeError
        if not self.least <= data <= self.most:
            raise ValueError
        return data


class BooleanField(CheckedField):
    """True or false, and nothing that is like them."""

    expected = "must be a boolean."
    schema = {"type": "boolean"}

    def value(self, data: object) -> bool:
        """The boolean."""
        if not isinstance(data, bool):
            raise TypeError
        return data


class WordField(CheckedField):
    """One of a few words."""

    def __init__(self, words: Sequence[str], *, required: bool = True) -> None:
        super().__init__(required=required)
        self.words = list(words)
        self.expected = f"must be one of {', '.join(words)}."
        self.schema = {"type": "string", "enum": self.words}

    def value(self, data: object) -> str:
        """The word."""
        word = text(data)
        if word not in self.words:
            raise ValueError
        return word


class ZoneField(CheckedField):
    """An IANA zone."""

    expected = "must be a valid IANA timezone."
    schema = {"type": "string", "example": "America/Los_Angeles"}

    def value(self, data: object) -> str:
        """Its key."""
        return zone(text(data)).key


class PhoneField(CheckedField):
    """A phone number as people write it."""

    expected = "must be a valid E.164 phone number."
    schema = {"type": "string", "example": "+1-415-555-0199"}

    def value(self, data: object) -> str:
        """The number as sent."""
        number = text(data)
        _must_be_number(number)
        return number


@lru_cache(maxsize=1_000)  # callers show few numbers, again and again
def _must_be_number(text: str) -> None:
    phone.to_e164(text)


class InstantField(CheckedField):
    """An instant; UTC unless it says otherwise."""

    expected = "must be a valid ISO-8601 timestamp."
    schema = {"type": "string", "format": "date-time"}

    def value(self, data: object) -> datetime:
        """The instant."""
        return parse_timestamp(text(data), zone_name="UTC")


class ObjectField(CheckedField):
    """A JSON object of limited size."""

    schema = {"type": "object", "additionalProperties": True}

    def __init__(self, *, kilobytes: int, required: bool = True) -> None:
        super().__init__(required=required)
        self.most = kilobytes * 1024
        self.expected = f"must be a JSON object of at most {kilobytes} kB."

    def value(self, data: object) -> Mapping[str, object]:
        """The object."""
        if not isinstance(data, dict):
            raise TypeError
        if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > self.most:
            raise ValueError
        return data


class WordsField(CheckedField):
    """A list of short texts."""

    schema = {"type": "array", "items": {"type": "string"}}

    def __init__(self, *, most: int, length: int, required: bool = True) -> None:
        super().__init__(required=required)
        self.most, self.length = most, length
        self.expected = f"must be a list of at most {most} texts of 1 to {length} characters."

    def value(self, data: object) -> list[str]:
        """The texts, each once, in their order."""
        if not isinstance(data, list):
            raise TypeError
        words = [text(word) for word in data]
        if len(words) > self.most or not all(word.strip() and len(word) <= self.length for word in words):
            raise ValueError
        return list(dict.fromkeys(words))
