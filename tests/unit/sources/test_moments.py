"""Instants in requests: forms, zones and rounding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.sources.rest.moments import written

JAKARTA = ZoneInfo("Asia/Jakarta")
LATE = "2026-01-31T17:30:00.123456789Z"


@pytest.mark.parametrize(
    ("form", "down", "up"),
    [
        ("iso8601", "2026-02-01T00:30:00.123456789+07:00", "2026-02-01T00:30:00.123456789+07:00"),
        ("date", "2026-02-01", "2026-02-02"),
        ("epochSeconds", "1769880600", "1769880601"),
        ("epochMilliseconds", "1769880600123", "1769880600124"),
        ("%Y-%m-%dT%H:%M:%S", "2026-02-01T00:30:00", "2026-02-01T00:30:01"),
        ("%Y-%m-%d %H:%M", "2026-02-01 00:30", "2026-02-01 00:31"),
        ("%d.%m.%Y %H", "01.02.2026 00", "01.02.2026 01"),
        ("%Y%j", "2026032", "2026033"),
        ("%Y-%m-%d %H:%M:%S.%f%z", "2026-02-01 00:30:00.123456+0700", "2026-02-01 00:30:00.123457+0700"),
    ],
)
def test_a_start_is_rounded_down_and_an_end_up(form: str, down: str, up: str) -> None:
    """traps: precision or zone lost in the cursor."""
    assert written(LATE, form, zone=JAKARTA) == down
    assert written(LATE, form, zone=JAKARTA, up=True) == up


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("2026-01-31", "iso8601", "2026-01-31T00:00:00Z"),
        ("2026-01-31", "date", "2026-01-31"),
        ("2026-01-31 00:00:00", "date", "2026-01-31"),
        ("1969-12-31T23:59:59.5Z", "epochSeconds", "-1"),
        ("0999-01-01T00:00:00Z", "%Y-%m-%d", "0999-01-01"),
        ("2026-01-31T00:00:00+07:00", "iso8601", "2026-01-30T17:00:00Z"),
    ],
)
def test_what_fits_is_not_rounded(text: str, form: str, found: str) -> None:
    assert written(text, form) == found
    if form != "epochSeconds":
        assert written(text, form, up=True) == found


def test_a_text_without_a_zone_is_in_the_records_and_written_in_the_requests() -> None:
    assert written("2026-02-01 00:30:00", "iso8601", source=JAKARTA) == "2026-01-31T17:30:00Z"
    assert written("2026-02-01", "iso8601", source=JAKARTA) == "2026-01-31T17:00:00Z"


@pytest.mark.parametrize("text", ["42", "yesterday", "", "2026-13-01T00:00:00Z"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="is not an instant"):
        written(text, "date")


def test_the_ends_of_time() -> None:
    with pytest.raises(ValueError, match="can't be written as date"):
        written("9999-12-31T23:30:00Z", "date", up=True)
    with pytest.raises(ValueError, match="can't be written as iso8601"):
        written("9999-12-31T23:30:00Z", "iso8601", zone=JAKARTA)


@settings(deadline=None, max_examples=60)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone stands beside
    st.sampled_from(["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M%z", "%Y-%m-%d%z"]),
)
def test_down_is_never_later_and_up_never_earlier(moment: datetime, form: str) -> None:
    low, high = (datetime.strptime(written(moment.isoformat(), form, up=up), form) for up in (False, True))  # noqa: DTZ007 - with %z
    assert low <= moment <= high
    assert moment - low < timedelta(days=1) >= high - low
