"""Numbers and texts arrive digit for digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.decoding import decoded
from syncsource.sources.rest.redaction import Redaction
from tests.upstream import Reply, in_turn

CALL = Call("GET", httpx.URL("http://127.0.0.1/"), timedelta(seconds=1), Redaction([]))


def through(body: bytes) -> Any:
    return decoded(Received(CALL, 200, httpx.Headers({"content-length": str(len(body))}), body)).body


def scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from scalars(part)
    else:
        yield value


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: any(mark in f"{number}" for mark in ".E"))
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**60), 10**60) | DECIMALS | TEXTS,
    lambda parts: st.lists(parts) | st.dictionaries(TEXTS, parts),
)


@settings(deadline=None, max_examples=60)
@given(BODIES)
def test_whatever_is_written_is_read(body: Any) -> None:
    found = through(_json(body).encode())
    assert _json(found) == _json(body)
    assert not any(isinstance(value, float) for value in scalars(found))


def _json(value: Any) -> str:
    """JSON with numbers as Python writes them, without a library that might turn them into floats."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_json(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 2**64),
        ("-9223372036854775809", -(2**63) - 1),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("1.10", Decimal("1.10")),
        ("0.1000000000000000055511151231257827021181583404541015625", Decimal("0.1000000000000000055511151231257827021181583404541015625")),
        ("1e400", Decimal("1E+400")),
        ("-0.0", Decimal("-0.0")),
        ("1E2", Decimal("1E+2")),
    ],
)
def test_numbers(serve: Any, read: Any, text: str, value: Any) -> None:
    (found,) = read(serve(in_turn(Reply(f"[{text}]".encode()))).url)
    assert (type(found), str(found)) == (type(value), str(value))


def test_a_byte_order_mark_is_no_part_of_the_json(serve: Any, read: Any) -> None:
    assert read(serve(in_turn(Reply(b'\xef\xbb\xbf[{"id": 1}]'))).url) == [{"id": 1}]


def test_json_counts_whatever_its_content_type(serve: Any, read: Any) -> None:
    assert read(serve(in_turn(Reply(b"[1]", headers={"Content-Type": "text/html"}))).url) == [1]


def test_records_are_all_there_in_their_order(serve: Any, read: Any) -> None:
    records = [{"id": number % 7, "gone": None} for number in range(5000)] + [None, [], "x"]
    assert read(serve(in_turn(Reply({"a": {"b-c": records}}))).url, records='a."b-c"') == records
