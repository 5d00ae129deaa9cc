"""Cursors: the source's text, compared by meaning, never rounded up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.records.cursors import cap, higher, highest, look_back, meaning


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([None, None], None),
        ([0, None], "0"),
        ([""], ""),
        ([False], "false"),
        ([9, 10], "10"),
        (["9", "10"], "10"),
        (["2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"], "2026-01-02T03:04:06Z"),
        (["2026-01-02T03:04:05+07:00", "2026-01-01T23:00:00Z"], "2026-01-01T23:00:00Z"),
        (["2026-01-02T03:04:05.9Z", "2026-01-02T03:04:05.123456789Z"], "2026-01-02T03:04:05.9Z"),
        (["2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05.123456789Z"], "2026-01-02T03:04:05.1234567890Z"),
        (["2026-01-02", "2026-01-02T00:00:01"], "2026-01-02T00:00:01"),
        (["b", "a"], "b"),
        (["2026-01-02T03:04:05Z", "N/A", "", 9], "2026-01-02T03:04:05Z"),
        (["N/A", "2026-01-02"], "2026-01-02"),
        (["", 9, "9"], "9"),
        (["5a", 17], "5a"),
        (["65e012345678901234567890", "65e012345678901234567891"], "65e012345678901234567891"),
    ],
)
def test_the_highest_is_kept_as_the_source_wrote_it(values: list[object], expected: str | None) -> None:
    assert highest(values) == expected


def test_an_absent_cursor_never_wins() -> None:
    assert higher(None, "0") == "0"
    assert higher("", None) == ""
    assert higher(None, None) is None


@pytest.mark.parametrize(
    ("text", "by", "expected"),
    [
        ("2026-01-02T03:04:05Z", timedelta(minutes=10), "2026-01-02T02:54:05Z"),
        ("2026-01-02T03:04:05.123456789+07:00", timedelta(minutes=10), "2026-01-02T02:54:05.123456789+07:00"),
        ("2026-01-02 03:04:05", timedelta(days=2), "2025-12-31 03:04:05"),
        ("2026-01-02T03:04:05Z", timedelta(milliseconds=1), "2026-01-02T03:04:04Z"),
        ("2026-01-02", timedelta(minutes=10), "2026-01-01"),
        ("0001-01-01T00:00:00Z", timedelta(minutes=10), "0001-01-01T00:00:00Z"),
        ("0001-01-01 00:05:00.5+07:00", timedelta(minutes=10), "0001-01-01 00:00:00.5+07:00"),
        ("0001-01-02", timedelta(days=3), "0001-01-01"),
        ("12345", timedelta(0), "12345"),
    ],
)
def test_lookback_keeps_the_form_and_rounds_down(text: str, by: timedelta, expected: str) -> None:
    assert look_back(text, by) == expected


def test_lookback_of_what_is_no_instant_says_so() -> None:
    with pytest.raises(ValueError, match="the cursor '12345' is not an instant"):
        look_back("12345", timedelta(minutes=1))


def test_a_cursor_of_the_future_is_capped_in_its_own_form() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert cap("2027-01-01T00:00:00.999+07:00", now) == "2026-01-02T10:04:05.000+07:00"
    assert cap("2026-01-02T03:04:05.677Z", now) == "2026-01-02T03:04:05.677Z"
    assert cap("2026-01-02T10:04:06", now, ZoneInfo("Asia/Jakarta")) == "2026-01-02T10:04:05"
    assert cap("99999999999", now) == "99999999999"


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9000, 1, 1)), st.timedeltas(timedelta(0), timedelta(days=300)))  # noqa: DTZ001
def test_lookback_is_never_later_than_asked(moment: datetime, by: timedelta) -> None:
    text = moment.isoformat(timespec="microseconds") + "Z"
    earlier = datetime.fromisoformat(look_back(text, by))
    exact = moment.replace(tzinfo=UTC) - by
    assert exact - timedelta(seconds=1) <= earlier <= exact


@given(st.lists(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(lambda m: m.isoformat() + "Z"), min_size=1))  # noqa: DTZ001
def test_the_fast_way_finds_the_same(texts: list[str]) -> None:
    assert meaning(highest(texts) or "") == max(map(meaning, texts))
