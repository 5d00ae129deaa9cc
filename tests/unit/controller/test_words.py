"""Texts for people, ids, and versions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.controller.core import messages
from syncsource.controller.core.versions import older
from syncsource.controller.identifying import run_id
from syncsource.controller.kube.waiting import Backoffs
from syncsource.engine.plan import Counts, Outcome, Partitions
from tests.unit.controller.world import START


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.85, "850ms"), (0.9999, "1.0s"), (4.12, "4.1s"), (59.94, "59.9s"), (59.97, "1m"), (64, "1m4s"), (3720, "1h2m")],
)
def test_durations(seconds: float, text: str) -> None:
    assert messages.duration(seconds) == text


def test_counts_name_what_happened_and_always_what_changed() -> None:
    done = Counts(read=12000, inserted=15, updated=3, unchanged=11980, quarantined=2)
    assert messages.counts(done, 4.1) == "12,000 read, 15 inserted, 3 updated, 11,980 unchanged, 2 quarantined in 4.1s"
    assert messages.counts(Counts(), 0.002) == "0 read, 0 inserted, 0 updated, 0 unchanged in 2ms"


def test_a_run_with_partitions_is_told_by_its_summary() -> None:
    message = "21/21 partitions, 15 new, 142 unchanged, 0 errors"
    done = Outcome(run="r", result="Succeeded", message=message, partitions=Partitions(total=21, succeeded=21), seconds=12.3)
    assert messages.result(done) == f"{message} in 12.3s"


def test_messages_are_short_enough_for_events() -> None:
    assert len(messages.result(Outcome(run="r", result="Failed", message="x" * 5000))) == 1024


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_ids_sort_as_their_times_do(first: int, later: int) -> None:
    earlier = run_id(START + timedelta(milliseconds=first))
    assert earlier < run_id(START + timedelta(milliseconds=first + later))
    assert len(earlier) == 13


def test_versions_are_numbers() -> None:
    assert older("9", than="10")
    assert not older("10", than="10")
    assert not older("abc", than="10")


def test_backoffs_double_up_to_a_limit_and_start_anew() -> None:
    backoffs = Backoffs(1, 5)
    for _ in range(2):
        waits = iter(backoffs)
        assert [next(waits) for _ in range(5)] == [1, 2, 4, 5, 5]
