"""How the API's OpenAPI document is made: what a view's method takes and answers, and the envelope."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    Direction,
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from temphone.api.pagination import DEFAULT_LIMIT, MAX_LIMIT

F = TypeVar("F", bound=Callable[..., object])
Described = type[serializers.BaseSerializer[Any]] | serializers.BaseSerializer[Any]
Schema = dict[str, Any]

SOUND = "audio/wav"
PROBLEM: Schema = {
    "type": "object",
    "required": ["status", "message", "data", "code"],
    "properties": {
        "status": {"type": "string", "enum": ["error"]},
        "message": {"type": "string", "description": "What is wrong, and the mend; for people."},
        "data": {"type": "object", "nullable": True, "additionalProperties": True},
        "code": {"type": "string", "description": "For programs; docs/api.md lists them."},
        "errors": {
            "type": "object",
            "description": "What is wrong, per field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
MEANINGS = {
    "400": "Something in the request is malformed; `errors` names it.",
    "401": "No API key, or none that is in use.",
    "403": "The key's role, or its mode, does not allow it.",
    "404": "There is no such thing, or not for this key.",
    "409": "It is no longer in the state in which this may be done; `data` shows it where that helps.",
    "413": "The body is longer than 64 kB; that of a batch, than 4 MB.",
    "416": "Nothing of the range is in the file; `Content-Range` says how long it is.",
    "415": "The body is not application/json.",
    "422": "Well formed, but policy does not allow it; `code` says which.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "500": "It failed on our side, and nothing was half done. Retry.",
    "503": "What it needs is away. Retry.",
}
PAGE = (
    OpenApiParameter("limit", int, description=f"1 to {MAX_LIMIT}; {DEFAULT_LIMIT} if omitted."),
    OpenApiParameter("cursor", str, description="The `next_cursor` of the page before."),
)


def operation(
    name: str,
    *,
    data: Described,
    body: Described | None = None,
    status: int = 200,
    also: Mapping[int, Described | None] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[F], F]:
    """What a method takes and answers; ``also`` names further answers, refusals with None."""
    return extend_schema(
        operation_id=name,
        request=body,
        responses={status: data, **(also or {})},
        parameters=list(parameters),
        examples=list(examples),
    )


def sound(name: str, *, parameters: Sequence[OpenApiParameter]) -> Callable[[F], F]:
    """A method that answers with a WAV, and takes a range."""
    wav = OpenApiResponse(OpenApiTypes.BINARY, description="The sound.")
    part = OpenApiResponse(OpenApiTypes.BINARY, description="The part of it that `Range` names.")
    return extend_schema(
        operation_id=name,
        responses={(200, SOUND): wav, (206, SOUND): part, 403: None, 416: None, 503: None},
        parameters=[header("Range", "Which bytes, such as `bytes=0-65535`."), *parameters],
    )


def page_of(shape: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One page of a list."""
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "items": shape(many=True),
        "next_cursor": serializers.CharField(allow_null=True),
    }
    return inline_serializer(f"{shape.__name__}Page", fields)


def query(
    name: str, meaning: str = "", *, enum: Collection[str] | None = None, moment: bool = False
) -> OpenApiParameter:
    """A query parameter."""
    kind = OpenApiTypes.DATETIME if moment else OpenApiTypes.STR
    return OpenApiParameter(name, kind, description=meaning, enum=list(enum) if enum else None)


def header(name: str, meaning: str) -> OpenApiParameter:
    """A header that may be sent."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning)


def envelope(result: Schema, **_context: object) -> Schema:
    """Put every answer of the document into the envelope, and add the refusals that any method can make."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, methods in result["paths"].items():
        for method, described in methods.items():
            refusals = _refusals(path, method, described)
            for code in sorted({*described["responses"], *refusals}):
                answer = described["responses"].pop(code, {})
                described["responses"][code] = _problem(code) if code >= "400" else _success(answer)
    return result


def _refusals(path: str, method: str, described: Schema) -> set[str]:
    found = {"400", "401", "429", "500"}
    found |= {"413", "415"} if "requestBody" in described else set()
    found |= {"403"} if method != "get" else set()
    return found | ({"404"} if "{" in path else set())


def _problem(code: str) -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": MEANINGS[code], "content": content}


def _success(answer: Schema) -> Schema:
    for kind, media in answer["content"].items():
        if kind == SOUND:
            continue
        media["schema"] = {
            "type": "object",
            "required": ["status", "message", "data"],
            "properties": {
                "status": {"type": "string", "enum": ["success"]},
                "message": {"type": "string"},
                "data": media["schema"],
            },
        }
    return answer


class KeyExtension(OpenApiAuthenticationExtension):
    """The key, in the document."""

    target_class = "temphone.accounts.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, _auto_schema: AutoSchema) -> Schema:
        """``Authorization: Bearer sk_test_...``."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `sk_test_...` or `sk_live_...`.",
        }


class FieldExtension(OpenApiSerializerFieldExtension):
    """Our fields, in the document: each knows its own schema."""

    target_class = "temphone.api.fields.CheckedField"
    match_subclasses = True

    def map_serializer_field(self, _auto_schema: AutoSchema, _direction: Direction) -> Schema:
        """The field's schema."""
        return dict(self.target.schema)
