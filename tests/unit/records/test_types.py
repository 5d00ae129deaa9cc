"""Every type: what it takes, what it refuses, and that nothing is rounded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.records.types import field_type

decode = msgspec.json.Decoder(float_hook=Decimal).decode


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("text", "a\tb", "a\tb"),
        ("text", 12345678901234567890123, "12345678901234567890123"),
        ("text", Decimal("1.10"), "1.10"),
        ("text", True, "true"),
        ("text", {"b": [1], "a": None}, '{"a":null,"b":[1]}'),
        ("integer", 2**80, 2**80),
        ("integer", Decimal("5.0"), 5),
        ("integer", " 42 ", 42),
        ("float", Decimal("0.1"), 0.1),
        ("float", 3, 3.0),
        ("boolean", False, False),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("decimal(5,2)", Decimal("999.99"), Decimal("999.99")),
        ("decimal(5,2)", 7, Decimal("7.00")),
        ("decimal(5,2)", "1.500", Decimal("1.50")),
        ("decimal(38,0)", 10**37, Decimal(10**37)),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("date", "2026-02-28T00:00:00", date(2026, 2, 28)),
        ("timestamp", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("timestamp", "2026-01-02 03:04:05.123456+0700", datetime(2026, 1, 1, 20, 4, 5, 123456, tzinfo=UTC)),
        ("timestamp", "2026-01-02T03:04:05.1234560Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("json", {"b": Decimal("1.10"), "a": [True]}, '{"a":[true],"b":1.10}'),
        ("json", "x", '"x"'),
        ("uuid", "6FA459EA-EE8A-3CA4-894E-DB77E160355E", "6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ],
)
def test_what_a_type_makes_of_a_value(type_: str, value: Any, expected: Any) -> None:
    made = field_type(type_).convert(value)
    assert made == expected
    assert type(made) is type(expected)
    assert str(made) == str(expected)


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("text", "a\x00b", "is not a text without NUL characters"),
        ("integer", True, "true is not an integer"),
        ("integer", Decimal("1.5"), "1.5 is not an integer"),
        ("integer", "1e3", "'1e3' is not an integer"),
        ("integer", "", "'' is not an integer"),
        ("float", "abc", "'abc' is not a number"),
        ("float", Decimal("1e999"), "is not a number within the range of a double"),
        ("boolean", "maybe", "'maybe' is not true or false"),
        ("boolean", 2, "2 is not true or false"),
        ("decimal(5,2)", Decimal("1.005"), "1.005 is not a decimal(5,2): it has 1 digits before the point and 3 after it"),
        ("decimal(5,2)", 1000, "1000 is not a decimal(5,2): it has 4 digits before the point and 0 after it"),
        ("decimal(5,2)", "NaN", "'NaN' is not a decimal(5,2)"),
        ("decimal(5,2)", True, "true is not a decimal(5,2)"),
        ("date", "2026-02-30", "'2026-02-30' is not a date (day is out of range for month)"),
        ("date", "28.02.2026", "'28.02.2026' is not a date such as 2026-01-31"),
        ("date", "2026-02-28T10:00:00Z", "is not a date such as 2026-01-31"),
        ("timestamp", "yesterday", "'yesterday' is not a timestamp such as 2026-01-31T12:00:00Z"),
        ("timestamp", 1767322800, "1767322800 is not a timestamp such as 2026-01-31T12:00:00Z"),
        ("timestamp", "2026-01-02T03:04:05.1234567Z", "is not a timestamp of at most six decimals of a second"),
        ("timestamp", "2026-13-02T03:04:05Z", "is not a timestamp"),
        ("timestamp", "0001-01-01T00:00:00+10:00", "is not a timestamp between the years 1 and 9999"),
        ("uuid", "6fa459ea", "'6fa459ea' is not a UUID"),
        ("uuid", 7, "7 is not a UUID"),
    ],
)
def test_what_a_type_refuses(type_: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        field_type(type_).convert(value)
    assert message in str(caught.value)


def test_a_value_is_shown_without_control_characters_and_short() -> None:
    with pytest.raises(ValueError, match="is not an integer") as caught:
        field_type("integer").convert("\x1b]52;c;aGk=\x07" + "x" * 500)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 100


def test_timestamps_without_a_zone_are_in_the_fields_zone() -> None:
    jakarta = field_type("timestamp", "Asia/Jakarta")
    assert jakarta.convert("2026-01-02T07:00:00") == datetime(2026, 1, 2, tzinfo=UTC)
    assert jakarta.convert("2026-01-02T07:00:00Z") == datetime(2026, 1, 2, 7, tzinfo=UTC)


@given(st.integers(-(10**40), 10**40), st.integers(0, 9))
def test_decimals_of_json_arrive_digit_for_digit(digits: int, scale: int) -> None:
    text = f"{'-' if digits < 0 else ''}{abs(digits) // 10**scale}.{abs(digits) % 10**scale:0{max(scale, 1)}d}"
    value = decode(text)
    made = field_type("decimal(60,10)").convert(value)
    assert made == Decimal(text)


@given(st.integers())
def test_integers_of_any_size_arrive_exactly_as_text_and_number(number: int) -> None:
    assert field_type("integer").convert(json.dumps(number)) == number
    assert field_type("text").convert(number) == str(number)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-9, minutes=-30))])))
def test_instants_arrive_to_the_microsecond(moment: datetime) -> None:
    if datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC):
        assert field_type("timestamp").convert(moment.isoformat()) == moment


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.text(),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.dates().map(str),
    st.uuids().map(str),
)


@pytest.mark.parametrize("name", ["text", "integer", "float", "boolean", "decimal(12,3)", "date", "timestamp", "json", "uuid"])
@given(data=st.data())
def test_a_column_is_what_its_values_are(name: str, data: st.DataObject) -> None:
    """The fast way through a column and the way value by value can't differ."""
    kind = field_type(name)
    values = data.draw(st.lists(VALUES, max_size=6))
    try:
        whole = kind.column(values)
    except Exception:
        return
    assert whole == [None if value is None else kind.convert(value) for value in values]
