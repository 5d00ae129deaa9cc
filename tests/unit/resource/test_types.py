"""Durations and cron expressions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.resource.cron import check_cron, resolve_cron
from syncsource.resource.types import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("14d", 14 * 86400), ("250ms", 0.25), ("1d1h", 90000), ("0s", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, 10**11))
def test_a_duration_survives_its_text(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize("text", ["", "5", "5x", "-5m", "5 m", "1h 30m", "9999999999s", "\uff14m", "5m\n", "99999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|is longer than"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["*/5 * * * *", "H H * * *", "H/15 * * * *", "H(0-29) 3 * * 1-5", "0 0 1,15 * *", "H H(2-4) * * SUN"])
def test_cron_expressions(text: str) -> None:
    assert check_cron(text) == text


@given(st.uuids())
def test_h_is_one_value_for_one_uid(uid: object) -> None:
    first = resolve_cron("H H(2-4) * * H/3", str(uid))
    minute, hour, _, _, day = first.split()
    assert 0 <= int(minute) <= 59
    assert 2 <= int(hour) <= 4
    assert day in ("0-6/3", "1-6/3", "2-6/3")
    assert resolve_cron("H H(2-4) * * H/3", str(uid)) == first


def test_h_spreads() -> None:
    assert len({resolve_cron("H * * * *", str(number)) for number in range(1000)}) == 60


@pytest.mark.parametrize(
    "text", ["* * * *", "* * * * * *", "H(a) * * * *", "H/0 * * * *", "H/99 * * * *", "60 * * * *", "@daily", "* * * * MOO"]
)
def test_what_is_no_cron_expression(text: str) -> None:
    with pytest.raises(ValueError, match=r"cron|H|step"):
        check_cron(text)
