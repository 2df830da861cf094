"""A Range header is read as RFC 9110 has it."""

import pytest

from temphone.lib.byte_ranges import NotSatisfiable, asked_for

SIZE = 10_000
# The examples of RFC 9110, section 14.1.2, and what surrounds them.
SATISFIED = {
    "bytes=0-499": (0, 499),
    "bytes=500-999": (500, 999),
    "bytes=-500": (9_500, 9_999),
    "bytes=9500-": (9_500, 9_999),
    "bytes=0-0": (0, 0),
    "bytes=-1": (9_999, 9_999),
    "bytes=0-": (0, 9_999),
    "bytes=9999-9999": (9_999, 9_999),
    "bytes=9999-": (9_999, 9_999),
    "bytes=0-9999": (0, 9_999),
    "bytes=0-10000": (0, 9_999),
    "bytes=0-99999999999": (0, 9_999),
    "bytes=-10000": (0, 9_999),
    "bytes=-99999999999": (0, 9_999),
    "bytes=00-0499": (0, 499),
    "BYTES=0-499": (0, 499),
    "Bytes=0-499": (0, 499),
    "bytes= 0-499": (0, 499),
    "bytes=,0-499": (0, 499),
    "bytes=0-499 ,\t,": (0, 499),
}
IGNORED = [
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=a-b",
    "bytes=500-499",
    "bytes=5",
    "bytes=--5",
    "bytes=+5-6",
    "bytes=0 - 5",
    "bytes=0-5-",
    "bytes=0x0-5",
    "bytes=\u0663-5",
    "bytes =0-5",
    "items=0-5",
    "seconds=0-5",
    "0-5",
    "bytes:0-5",
    "bytes=" + "9" * 5_000 + "-",
    "bytes=0-0,-1",
    "bytes=0-499,500-999",
    "bytes=0-499,,9000-20000",
]
UNSATISFIABLE = ["bytes=10000-", "bytes=10000-10001", "bytes=99999999999-", "bytes=-0"]


@pytest.mark.parametrize(("header", "span"), SATISFIED.items())
def test_a_range_is_found(header, span):
    assert asked_for(header, size=SIZE, most=SIZE) == span


@pytest.mark.parametrize("header", IGNORED)
def test_what_is_malformed_foreign_or_manifold_is_ignored(header):
    assert asked_for(header, size=SIZE, most=SIZE) is None


@pytest.mark.parametrize("header", UNSATISFIABLE)
def test_what_lies_outside_is_not_satisfiable(header):
    with pytest.raises(NotSatisfiable):
        asked_for(header, size=SIZE, most=SIZE)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_nothing_can_be_had_of_nothing(header):
    with pytest.raises(NotSatisfiable):
        asked_for(header, size=0, most=SIZE)


def test_of_a_range_without_an_end_a_piece_is_given():
    assert asked_for("bytes=0-", size=SIZE, most=1_000) == (0, 999)
    assert asked_for("bytes=9500-", size=SIZE, most=1_000) == (9_500, 9_999)
    # Whoever names an end, or asks for the end, gets it.
    assert asked_for("bytes=0-4999", size=SIZE, most=1_000) == (0, 4_999)
    assert asked_for("bytes=-5000", size=SIZE, most=1_000) == (5_000, 9_999)
