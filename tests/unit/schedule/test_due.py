"""When a schedule comes due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.resource.spec import Schedule
from syncsource.schedule.due import describe, last_missed, next_due, whole_second


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def every(text: str) -> Schedule:
    return Schedule.model_validate({"every": text})


def cron(expression: str, zone: str | None = None) -> Schedule:
    return Schedule.model_validate({"cron": expression, **({"timeZone": zone} if zone else {})})


uids = st.uuids().map(str)
moments = st.integers(1_600_000_000_000, 2_200_000_000_000).map(lambda stamp: datetime.fromtimestamp(stamp / 1000, UTC))
intervals = st.integers(1, 7 * 86400).map(lambda seconds: every(f"{seconds}s"))


@given(intervals, uids, moments)
def test_every_comes_due_between_a_half_and_a_whole_interval_after_the_last_attempt(schedule: Schedule, uid: str, after: datetime) -> None:
    assert schedule.every is not None
    due = next_due(schedule, uid=uid, after=after)
    assert after < due <= whole_second(after + schedule.every)
    assert due > after + schedule.every / 2 - timedelta(seconds=1)
    assert due.microsecond == 0


@given(intervals, uids, moments, st.floats(0, 0.4))
def test_every_is_exact_once_it_runs_by_itself(schedule: Schedule, uid: str, after: datetime, late: float) -> None:
    assert schedule.every is not None
    first = next_due(schedule, uid=uid, after=after)
    second = next_due(schedule, uid=uid, after=first + late * schedule.every)
    assert abs(second - first - schedule.every) <= timedelta(seconds=1)


def test_every_spreads_what_was_created_together() -> None:
    created = at("2026-01-01T12:00:00Z")
    dues = sorted((next_due(every("1h"), uid=f"uid-{number}", after=created) - created).total_seconds() for number in range(3000))
    assert dues[0] < 1860
    assert dues[-1] > 3540
    assert max(b - a for a, b in pairwise(dues)) < 30


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        (cron("0 */2 * * *"), "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"),
        (cron("0 2 * * *"), "2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z"),
        (cron("0 9 * * *", "Asia/Jakarta"), "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"),
        (cron("0 0 29 2 *"), "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
    ],
)
def test_cron_comes_due_at_its_next_tick_in_its_zone(schedule: Schedule, after: str, due: str) -> None:
    assert next_due(schedule, uid="u", after=at(after)) == at(due)


def test_a_tick_that_daylight_saving_skips_comes_right_after_the_gap() -> None:
    gap = cron("30 2 * * *", "Europe/Berlin")
    assert next_due(gap, uid="u", after=at("2026-03-29T00:00:00+01:00")) == at("2026-03-29T03:00:00+02:00")


def test_a_tick_in_the_repeated_hour_comes_once() -> None:
    repeated = cron("30 2 * * *", "Europe/Berlin")
    first = next_due(repeated, uid="u", after=at("2026-10-25T00:00:00+02:00"))
    assert first == at("2026-10-25T02:30:00+02:00")
    assert next_due(repeated, uid="u", after=first) == at("2026-10-26T02:30:00+01:00")
    in_second_pass = at("2026-10-25T02:10:00+01:00")
    assert next_due(repeated, uid="u", after=in_second_pass) == at("2026-10-26T02:30:00+01:00")


def test_each_hour_of_a_day_with_a_repeated_hour_has_its_tick() -> None:
    hourly, tick, ticks = cron("0 * * * *", "Europe/Berlin"), at("2026-10-25T00:30:00+02:00"), []
    while tick < at("2026-10-25T05:00:00+01:00"):
        tick = next_due(hourly, uid="u", after=tick)
        ticks.append(tick)
    assert [b - a for a, b in pairwise(ticks)] == [timedelta(hours=1)] * (len(ticks) - 1)


@given(st.sampled_from(["*/5 * * * *", "30 2 * * *", "15 1,3 * * 0", "H H * * *"]), uids, moments)
def test_cron_is_always_later(expression: str, uid: str, after: datetime) -> None:
    for zone in ("UTC", "Europe/Berlin", "Australia/Lord_Howe"):
        assert next_due(cron(expression, zone), uid=uid, after=after) > after


@pytest.mark.parametrize(
    ("schedule", "due", "now", "missed"),
    [
        (every("5m"), "2026-01-01T00:00:00Z", "2026-01-01T00:04:59Z", None),
        (every("5m"), "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", "2026-01-01T00:00:00Z"),
        (every("5m"), "2026-01-01T00:00:00Z", "2026-01-01T01:03:00Z", "2026-01-01T00:55:00Z"),
        (cron("0 * * * *"), "2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z", None),
        (cron("0 * * * *"), "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T00:00:00Z"),
        (cron("0 * * * *"), "2026-01-01T00:00:00Z", "2026-01-03T05:30:00Z", "2026-01-03T04:00:00Z"),
    ],
)
def test_many_missed_times_coalesce_to_the_last(schedule: Schedule, due: str, now: str, missed: str | None) -> None:
    assert last_missed(schedule, uid="u", due=at(due), now=at(now)) == (at(missed) if missed else None)


def test_a_schedule_is_described_as_it_is_in_force() -> None:
    assert describe(every("5m"), uid="u") == "every 5m"
    assert describe(cron("*/5 * * * *", "Asia/Jakarta"), uid="u") == "*/5 * * * * (Asia/Jakarta)"
    assert describe(cron("0 2 * * *"), uid="u") == "0 2 * * * (UTC)"
    assert "H" not in describe(cron("H H * * *"), uid="u").removesuffix(" (UTC)")
