"""Texts that are not written as JSON and ISO 8601 have them: date formats, decimal commas, words, encodings."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syncsource.records.columns import SLOWER, Unusual
from syncsource.records.types import FieldType, declared_type
from syncsource.resource.fields import FieldSpec


def kind(type_: str, **options: Any) -> FieldType:
    return declared_type(FieldSpec.model_validate({"name": "v", "type": type_, **options}))


def both(made: FieldType, value: Any) -> Any:
    """The value by itself, which must be what a column of it is, where that has a quick way."""
    one = made.convert(value)
    with suppress(*SLOWER):
        assert made.column([value, value]) == [one, one]
    return one


@pytest.mark.parametrize(
    ("type_", "formats", "value", "expected"),
    [
        ("date", ["%d/%m/%Y"], "28/02/2026", date(2026, 2, 28)),
        ("date", ["%d/%m/%Y"], "1/2/2026", date(2026, 2, 1)),
        ("date", ["%Y%m%d"], "00010101", date(1, 1, 1)),
        ("date", ["%d.%m.%Y", "%Y-%m-%d"], "2026-02-28", date(2026, 2, 28)),
        ("date", ["%d.%m.%Y %H:%M"], "28.02.2026 00:00", date(2026, 2, 28)),
        ("date", ["%d %b %Y"], "28 Feb 2026", date(2026, 2, 28)),
        ("date", ["epochSeconds"], 86400, date(1970, 1, 2)),
        ("time", ["%I:%M %p"], "3:05 PM", "15:05:00"),
        ("timestamp", ["%d/%m/%Y %H:%M:%S"], "28/02/2026 07:00:01", datetime(2026, 2, 28, 7, 0, 1, tzinfo=UTC)),
        ("timestamp", ["%d/%m/%Y %H:%M:%S.%f"], "28/02/2026 07:00:01.25", datetime(2026, 2, 28, 7, 0, 1, 250000, tzinfo=UTC)),
        ("timestamp", ["%d/%m/%Y %H:%M %z"], "28/02/2026 07:00 +0700", datetime(2026, 2, 28, tzinfo=UTC)),
        ("timestamp", ["epochSeconds"], 1767322800, datetime(2026, 1, 2, 3, 0, tzinfo=UTC)),
        ("timestamp", ["epochSeconds"], "-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("timestamp", ["epochSeconds"], Decimal("0.000001"), datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("timestamp", ["epochMilliseconds"], "1767322800123", datetime(2026, 1, 2, 3, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_dates_in_their_own_format(type_: str, formats: list[str], value: Any, expected: Any) -> None:
    assert both(kind(type_, formats=formats), value) == expected


def test_a_format_without_a_zone_is_in_the_fields_zone() -> None:
    jakarta = kind("timestamp", formats=["%Y-%m-%d %H:%M"], timeZone="Asia/Jakarta")
    assert both(jakarta, "2026-01-02 07:00") == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "formats", "value"),
    [
        ("date", ["%d/%m/%Y"], "02/28/2026"),
        ("date", ["%d/%m/%Y"], "01/01/0000"),
        ("date", ["%d/%m/%Y"], "2802-2026/"),
        ("date", ["%d/%m/%Y"], "\u0662\u0668-02-2026"),
        ("date", ["%d/%m/%Y %H:%M"], "28/02/2026 00:01"),
        ("date", ["epochSeconds"], 86401),
        ("timestamp", ["%Y-%m-%d %H:%M:%S.%f"], "2026-01-02 03:04:05.1234567"),
        ("timestamp", ["epochSeconds"], Decimal("0.0000001")),
        ("timestamp", ["epochSeconds"], True),
        ("timestamp", ["epochSeconds"], Decimal("1e999999999")),
        ("timestamp", ["epochSeconds"], 10**15),
        ("timestamp", ["epochMilliseconds"], "1e3"),
    ],
)
def test_dates_that_do_not_fit_are_refused_with_the_format(type_: str, formats: list[str], value: Any) -> None:
    with pytest.raises(ValueError, match=f"in the format {formats[0]}"):
        both(kind(type_, formats=formats), value)


@pytest.mark.parametrize(
    ("type_", "formats", "said"),
    [
        ("date", ["%Q"], "%Q is none of them"),
        ("date", ["dd/mm/yyyy"], "is not a format"),
        ("date", ["%d/%m"], "has no year (%Y), which a date needs"),
        ("time", ["%d"], "has no hour (%H), which a time needs"),
        ("time", ["epochSeconds"], "has no time of day alone"),
        ("timestamp", ["%Y-%m-%d %"], "is not a format"),
    ],
)
def test_a_format_that_can_not_work_is_refused(type_: str, formats: list[str], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        kind(type_, formats=formats)
    assert said in str(caught.value)


@given(st.dates(), st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%m-%d-%Y", "%Y.%m.%d"]))
def test_every_date_comes_back_in_every_format(day: date, text: str) -> None:
    written = text.replace("%Y", f"{day.year:04}").replace("%m", f"{day.month:02}").replace("%d", f"{day.day:02}")
    assert kind("date", formats=[text]).column([written, None]) == [day, None]


@pytest.mark.parametrize(
    ("type_", "separators", "value", "expected"),
    [
        ("decimal(12,2)", (",", "."), "1.234.567,89", Decimal("1234567.89")),
        ("decimal(12,2)", (",", "."), "1234567,89", Decimal("1234567.89")),
        ("decimal(12,2)", (",", None), "-0,5", Decimal("-0.50")),
        ("decimal(12,2)", (",", " "), "1\u00a0234\u202f567,8", Decimal("1234567.80")),
        ("decimal(12,2)", (None, ","), "1,234.5", Decimal("1234.50")),
        ("decimal(12,2)", (",", "."), Decimal("1.5"), Decimal("1.50")),
        ("integer", (None, "."), "12.345.678", 12345678),
        ("integer", (",", None), 7, 7),
        ("float", (",", None), "0,5", 0.5),
    ],
)
def test_decimal_commas_and_thousands(type_: str, separators: tuple[str | None, str | None], value: Any, expected: Any) -> None:
    decimal, thousands = separators
    made = both(kind(type_, decimalSeparator=decimal, thousandsSeparator=thousands), value)
    assert (made, type(made)) == (expected, type(expected))


@pytest.mark.parametrize("value", ["1.23", "1.234.56", "12.34,5", "1,2,3", "1 234", "abc", "", "1.234\n5", "1,\u0665"])
def test_numbers_with_other_separators_are_refused_not_guessed(value: str) -> None:
    made = kind("decimal(12,2)", decimalSeparator=",", thousandsSeparator=".")
    with pytest.raises(ValueError, match="is not a "):
        made.convert(value)
    with pytest.raises(SLOWER):
        made.column(["1,5", value])


def test_a_long_column_with_one_wrong_number_is_refused_at_once() -> None:
    made = kind("decimal(12,2)", decimalSeparator=",", thousandsSeparator=".")
    with pytest.raises(Unusual):
        made.column(["123"] * 20_000 + ["x"])


def test_words_for_true_and_false() -> None:
    made = kind("boolean", trueWords=["Ja", "J"], falseWords=["Nein"])
    assert made.column(["Ja", "j", "NEIN", None]) == [True, True, False, None]
    assert both(made, " ja ") is True
    with pytest.raises(ValueError, match="'yes' is not true or false"):
        made.convert("yes")


@given(st.binary())
def test_bytes_come_back_from_hex_and_base64(content: bytes) -> None:
    made = kind("bytes", encoding="hex")
    assert [made.convert(content.hex()), made.convert("0x" + content.hex()), made.convert("\\x" + content.hex().upper())] == [content] * 3


@pytest.mark.parametrize("value", ["0", "0g", "0x0x00", "\u0661\u0661"])
def test_what_is_no_hex_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not bytes as hex"):
        kind("bytes", encoding="hex").convert(value)


def test_a_local_time_that_a_clock_change_skips_or_repeats() -> None:
    """A skipped one is as much later, a repeated one is the first."""
    berlin = kind("timestamp", timeZone="Europe/Berlin")
    assert both(berlin, "2026-03-29T02:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert both(berlin, "2026-10-25T02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
