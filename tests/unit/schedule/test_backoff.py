"""How long a failed run waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.resource.spec import Retry
from syncsource.schedule.backoff import asked_delay, retry_delay

RETRY = Retry.model_validate({"backoff": "30s", "maxBackoff": "10m"})


@pytest.mark.parametrize(("failures", "seconds"), [(0, 30), (1, 30), (2, 60), (3, 120), (5, 480), (6, 600), (10**6, 600)])
def test_it_doubles_up_to_the_limit(failures: int, seconds: int) -> None:
    assert retry_delay(RETRY, failures=failures) == timedelta(seconds=seconds)


@given(st.integers(1, 200), st.floats(0, 1e12))
def test_it_is_never_shorter_than_asked_for(failures: int, asked: float) -> None:
    wait = retry_delay(RETRY, failures=failures, at_least=asked)
    assert wait >= retry_delay(RETRY, failures=failures)
    assert wait.total_seconds() >= min(asked, 30 * 86400) - 0.001


@pytest.mark.parametrize("nothing", [None, 0, -5])
def test_nothing_asked_for_is_no_wait(nothing: float | None) -> None:
    assert asked_delay(nothing) == timedelta(0)
