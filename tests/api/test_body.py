import json

import pytest

from calls.models import Call
from tests.api.client import a_body, code, message
from tests.builders import a_contact

pytestmark = pytest.mark.django_db
SCHEDULED = "/calls/scheduled"


def raw(**fields: object) -> bytes:
    return json.dumps({**a_body(a_contact().pk), **fields}, ensure_ascii=False).encode()


def padded(length: int) -> bytes:
    """A valid body of so many bytes."""
    body = raw()
    return body[:-1] + b" " * (length - len(body)) + b"}"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "must be valid JSON"),
        (b"{'a': 1}", "must be valid JSON"),
        (b'{"a": 1} x', "must be valid JSON"),
        (b'{"a": 01}', "must be valid JSON"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "must be valid JSON"),
        (b"\xef\xbb\xbf{}", "must be valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "must not contain NaN or Infinity"),
        (b'{"a": -Infinity}', "must not contain NaN or Infinity"),
        (b'{"a": 1e999}', "must not contain numbers beyond the range of a double"),
        (b'{"a": "\xff"}', "must be valid UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "must be valid UTF-8"),
        ('{"a": "ü"}'.encode("latin-1"), "must be valid UTF-8"),
        ('{"a": "ü"}'.encode("utf-16"), "must be valid UTF-8"),
        (b'{"a": "\\u0000"}', "must not contain NUL characters"),
        (b'{"metadata": {"a\\u0000": 1}}', "must not contain NUL characters"),
        (b'{"a": ["\\ud800"]}', "must not contain lone surrogates"),
        (b'{"a\\udc00": 1}', "must not contain lone surrogates"),
        (b'{"a": [[[[[]]]]]}', "must not be nested deeper than 5 levels"),
        (b'{"a": ' + b"[" * 60_000 + b"}", "must not be nested deeper than 5 levels"),
        (b'{"a": ' + b'{"a": ' * 5_000 + b"1" + b"}" * 5_001, "must not be nested deeper than 5 levels"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_it_refuses_what_is_no_plain_json_object(program, body, problem):
    answer = program.post(SCHEDULED, body)
    assert (answer.status_code, code(answer)) == (400, "invalid_body")
    assert message(answer) == f"Request body {problem}."


def test_a_pair_of_surrogates_is_one_character(program):
    answer = program.post(SCHEDULED, raw(initial_message="Hi").replace(b"Hi", b"\\ud83d\\ude00"))
    assert (answer.status_code, json.loads(answer.content)["data"]["initial_message"]) == (201, "😀")


def test_five_levels_are_accepted(program):
    assert program.post(SCHEDULED, raw(metadata={"a": {"b": {"c": ["d"]}}})).status_code == 201


def test_64_kb_are_read_and_not_one_byte_more(program):
    assert program.post(SCHEDULED, padded(64 * 1024)).status_code == 201
    answer = program.post(SCHEDULED, padded(64 * 1024 + 1))
    assert (answer.status_code, message(answer)) == (413, "Request body must not exceed 64 kB.")
    assert Call.objects.count() == 1


def test_of_two_equal_names_the_last_counts(program):
    body = raw().replace(b"{", b'{"contact_id": "ctc_nobody", ', 1)
    assert program.post(SCHEDULED, body).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/vnd.api+json",
        "application/jsonp",
        "nonsense",
        "x" * 300,
        "",
    ],
)
def test_another_content_type_is_415(program, content_type):
    answer = program.post(SCHEDULED, raw(), **{"Content-Type": content_type})
    assert (answer.status_code, message(answer)) == (415, "Content-Type must be application/json.")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_is_accepted(program, content_type):
    assert program.post(SCHEDULED, raw(), **{"Content-Type": content_type}).status_code == 201


def test_the_type_is_looked_at_before_the_size(program):
    answer = program.post(SCHEDULED, padded(100_000), **{"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_no_body_lacks_what_is_required(program):
    answer = program.post(SCHEDULED)
    assert (answer.status_code, message(answer)) == (400, "Field 'contact_id' is required.")


def test_a_body_in_chunks_is_refused_and_not_taken_for_none(program):
    answer = program.post(SCHEDULED, raw(), **{"Transfer-Encoding": "chunked"})
    assert (answer.status_code, code(answer)) == (411, "length_required")
