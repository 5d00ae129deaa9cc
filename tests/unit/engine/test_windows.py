"""Where the windows of a long history begin and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.engine.windows import spans
from syncsource.records.cursors import meaning

END = datetime(2026, 3, 1, 12, 30, 15, 999999, tzinfo=UTC)


def found(first: str, size: timedelta, zone: str = "UTC") -> list[tuple[str | None, str | None, bool]]:
    return [(span.since, span.until, span.last) for span in spans(first, size, END, ZoneInfo(zone))]


def test_each_begins_where_the_one_before_ends_and_the_last_at_the_run_s_start() -> None:
    assert found("2026-01-01T00:00:00Z", timedelta(days=30)) == [
        ("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", False),
        ("2026-01-31T00:00:00Z", "2026-03-01T12:30:15Z", True),
    ]


@pytest.mark.parametrize(
    ("first", "zone", "until"),
    [
        ("2026-02-28T23:30:15.123456789+07:00", "UTC", "2026-03-01T19:30:15.000000000+07:00"),
        ("2026-02-28 12:30:15", "Asia/Jakarta", "2026-03-01 19:30:15"),
        ("2026-02-28T12:30:15", "UTC", "2026-03-01T12:30:15"),
        ("2026-02-28", "UTC", "2026-03-02"),
        ("2026-02-28", "Pacific/Kiritimati", "2026-03-03"),
    ],
)
def test_precision_or_zone_lost_in_the_cursor_is_not_ours(first: str, zone: str, until: str) -> None:
    """The bound has the cursor's own form and zone, rounded down; a date's is the day after, so that today is within."""
    assert found(first, timedelta(days=10), zone) == [(first, until, True)]


def test_dates_go_by_whole_days() -> None:
    assert found("2026-02-27", timedelta(hours=40)) == [
        ("2026-02-27", "2026-02-28", False),
        ("2026-02-28", "2026-03-01", False),
        ("2026-03-01", "2026-03-02", True),
    ]


def test_those_that_ended_a_window_s_size_ago_are_closed() -> None:
    """A record may come late in a younger one, though none was there when it was read."""
    first = "2026-02-01T12:30:15Z"
    assert [span.closed for span in spans(first, timedelta(days=10), END, UTC)] == [True, False, False]
    assert [span.closed for span in spans(first, timedelta(days=14), END, UTC)] == [True, False]


@pytest.mark.parametrize("first", ["2026-03-01T12:30:15Z", "9999-12-31T23:59:59Z", "2026-03-02", "9999-12-31"])
def test_a_cursor_of_the_future_is_read_from_without_an_end(first: str) -> None:
    assert found(first, timedelta(days=3650)) == [(first, None, True)]


@pytest.mark.parametrize("first", ["17", "", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_instant_says_so(first: str) -> None:
    with pytest.raises(ValueError, match="is neither an instant nor a date"):
        list(spans(first, timedelta(days=1), END, UTC))


@given(
    past=st.timedeltas(timedelta(days=-1), timedelta(days=60)),
    size=st.timedeltas(timedelta(hours=5), timedelta(days=90)),
    form=st.sampled_from(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f+0530"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
)
def test_no_instant_is_left_out_and_none_is_read_twice(past: timedelta, size: timedelta, form: str, zone: str) -> None:
    info, first = ZoneInfo(zone), (END - past).strftime(form)
    found = list(spans(first, size, END, info))
    assert [span.last for span in found] == [False] * (len(found) - 1) + [True]
    assert [span.since for span in found[1:]] == [span.until for span in found[:-1]]
    edges = [span.since for span in found] + ([found[-1].until] if found[-1].until else [])
    assert sorted(edges, key=lambda text: meaning(text or "", info)) == edges
    assert found[0].since == first
