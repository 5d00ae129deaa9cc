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
        ("float", "1e3", 1000.0),
        ("float", Decimal("-0.0"), -0.0),
        ("integer", Decimal("1e30"), 10**30),
        ("decimal(5,2)", Decimal("-0.0"), Decimal("0.00")),
        ("decimal(5,2)", "-0", Decimal("0.00")),
        ("decimal(5,2)", "1e2", Decimal("100.00")),
        ("decimal(40,0)", "1234567890123456789012345678901234567890", Decimal("1234567890123456789012345678901234567890")),
        ("date", "9999-12-31", date(9999, 12, 31)),
        ("timestamp", "9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("time", "23:59", "23:59:00"),
        ("time", "12:00:00.2500000", "12:00:00.250000"),
        ("bytes", "AP8Q", b"\x00\xff\x10"),
        ("bytes", "_-8", b"\xff\xef"),
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
        ("integer", Decimal("1e999999999"), "is not an integer"),
        ("integer", "1_000", "'1_000' is not an integer"),
        ("integer", "\u0661", "is not an integer"),
        ("float", "nan", "'nan' is not a number"),
        ("float", "-Infinity", "is not a number"),
        ("float", "1e400", "is not a number within the range of a double"),
        ("float", Decimal("1e-400"), "is not a number within the range of a double"),
        ("decimal(5,2)", "1_0", "'1_0' is not a decimal(5,2)"),
        ("decimal(5,2)", Decimal("1e999999999"), "it has 1000000000 digits before the point"),
        ("date", "0000-01-01", "is not a date"),
        ("timestamp", "0000-01-01T00:00:00Z", "is not a timestamp"),
        ("timestamp", "9999-12-31T23:59:59-05:00", "is not a timestamp between the years 1 and 9999"),
        ("timestamp", "20260102T030405.1234567", "is not a timestamp of at most six decimals of a second"),
        ("timestamp", "2026-01-02T030405.1234567", "is not a timestamp of at most six decimals of a second"),
        ("time", "24:00", "'24:00' is not a time such as 12:00:00"),
        ("time", "12:00:00.1234567", "is not a time such as 12:00:00"),
        ("time", "12:00+07:00", "is not a time such as 12:00:00"),
        ("bytes", "AP8!", "'AP8!' is not bytes as base64"),
        ("bytes", 5, "5 is not bytes as base64"),
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
    st.sampled_from(
        ["1", " 2 ", "-0", "0.0", "1.50", "1e3", "1e400", "1e-400", "nan", "1_0", "\u0661", "true", "No", "12:30", "2026-W01-1"]
    ),
    st.sampled_from(["20260102T030405.1234567", "2026-01-02T030405.1234567", "2026-W05T00:00:00.1234567", "0000-01-01"]),
    st.times().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.dates().map(str),
    st.uuids().map(str),
)


@pytest.mark.parametrize("name", ["text", "integer", "float", "boolean", "decimal(12,3)", "date", "time", "timestamp", "json", "uuid"])
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
