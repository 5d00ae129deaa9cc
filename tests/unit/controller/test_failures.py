"""What follows a failed run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.controller.world import CRON, EVERY, INTERRUPTED, MISMATCH, NO_SECRET, SUCCESS, TIMEOUT, UNAUTHORIZED, World

HOURLY = {"every": "1h"}


@pytest.fixture
def world() -> World:
    world = World()
    world.create("a", schedule=HOURLY, retry={"limit": 3, "backoff": "30s", "maxBackoff": "1m"})
    world.settle()
    return world


def test_a_failure_is_retried_with_backoff_that_people_see(world: World) -> None:
    world.run(TIMEOUT)
    status = world.status("a")
    assert status.next_retry_time == world.now + timedelta(seconds=30)
    assert status.consecutive_failures == 1
    assert world.told("a", "Ready") == ("False", "Timeout")
    assert world.told("a", "Syncing") == ("False", "BackingOff")
    waits = []
    for _ in range(3):
        before = world.now
        world.wait_until_due()
        waits.append((world.now - before).total_seconds())
        world.run(TIMEOUT)
    assert waits == [30, 60, 60]
    assert world.triggers == ["Create", "Retry", "Retry", "Retry"]
    assert world.reasons == ["Failed", "Failed", "Failed", "Stalled"]


def test_after_the_last_retry_it_is_stalled_but_the_schedule_goes_on(world: World) -> None:
    world.run(TIMEOUT)
    for _ in range(3):
        world.wait_until_due()
        world.run(TIMEOUT)
    assert world.told("a", "Stalled") == ("True", "RetriesExhausted")
    assert world.status("a").next_retry_time is None
    world.wait_until_due()
    assert world.triggers[-1] == "Schedule"
    world.run(TIMEOUT)
    assert world.status("a").next_retry_time is None
    world.wait_until_due()
    world.run(SUCCESS)
    assert world.condition("a", "Stalled") is None
    assert world.status("a").consecutive_failures == 0


def test_the_other_side_s_wait_is_honoured(world: World) -> None:
    world.run({**TIMEOUT, "retry_after": 7200.5})
    status = world.status("a")
    assert status.next_retry_time == world.now + timedelta(seconds=7201)
    assert status.next_run_time == status.next_retry_time
    world.wait(seconds=7200)
    assert world.triggers == ["Create"]
    world.wait(seconds=1)
    assert world.triggers == ["Create", "Retry"]


def test_while_it_backs_off_the_schedule_waits_for_the_retry() -> None:
    world = World()
    world.create("a", schedule={"every": "10s"})
    world.settle()
    world.run(TIMEOUT)
    world.wait(seconds=29)
    assert world.triggers == ["Create"]
    world.wait(seconds=1)
    assert world.triggers == ["Create", "Retry"]


def test_a_permanent_failure_is_not_retried_but_the_schedule_goes_on(world: World) -> None:
    world.run(MISMATCH)
    assert world.told("a", "Ready") == ("False", "SchemaMismatch")
    assert world.told("a", "Stalled") == ("True", "SchemaMismatch")
    assert world.told("a", "Syncing") == ("False", "WaitingForSchedule")
    world.wait_until_due()
    assert world.triggers == ["Create", "Schedule"]
    world.run(TIMEOUT)
    assert world.told("a", "Stalled") == ("True", "SchemaMismatch")
    world.wait_until_due()
    world.run(SUCCESS)
    assert world.condition("a", "Stalled") is None


def test_a_stall_waits_for_a_request(world: World) -> None:
    world.run(NO_SECRET)
    assert world.told("a", "Stalled") == ("True", "SecretNotFound")
    assert world.status("a").next_run_time is None
    world.wait(days=1)
    assert world.triggers == ["Create"]
    world.annotate("a", requested="1")
    world.settle()
    world.run(SUCCESS)
    assert world.condition("a", "Stalled") is None
    assert world.status("a").next_run_time is not None


def test_a_stall_waits_for_a_change_of_spec(world: World) -> None:
    world.run(NO_SECRET)
    world.edit("a", timeout="1m")
    world.settle()
    assert world.condition("a", "Stalled") is None
    assert world.triggers == ["Create"]
    assert world.status("a").next_run_time is not None


@pytest.mark.parametrize("outcome", [NO_SECRET, UNAUTHORIZED, TIMEOUT])
def test_a_secret_that_changes_ends_the_wait(world: World, outcome: dict[str, Any]) -> None:
    world.secret(listed=True)
    world.settle()
    world.run(outcome)
    world.secret("unrelated")
    world.settle()
    assert world.triggers == ["Create"]
    world.secret()
    world.settle()
    assert world.triggers == ["Create", "Retry"]


def test_a_secret_that_is_listed_again_changes_nothing(world: World) -> None:
    world.run(NO_SECRET)
    world.secret(listed=True)
    world.settle()
    assert world.triggers == ["Create"]


def test_a_secret_that_changes_during_the_run_makes_it_try_again_at_once(world: World) -> None:
    world.secret()
    world.settle()
    assert world.triggers == ["Create"]
    world.run(UNAUTHORIZED)
    assert world.triggers == ["Create", "Retry"]


def test_a_secret_that_changes_is_nothing_to_a_healthy_source(world: World) -> None:
    world.run(SUCCESS)
    world.secret()
    world.settle()
    assert world.triggers == ["Create"]


def test_a_run_that_fails_before_its_start_costs_one_write() -> None:
    world = World()
    world.create("a", schedule=EVERY)
    world.deliver()
    world.fail_start(next(iter(world.starting)), NO_SECRET)
    world.settle()
    assert world.writes == 1
    assert world.told("a", "Stalled") == ("True", "SecretNotFound")
    stalled = world.condition("a", "Stalled")
    assert stalled is not None
    assert stalled.message == "Secret db has no key url"
    assert world.status("a").history[0].result == "Failed"
    assert world.reasons == ["Stalled"]


def test_a_restart_looks_once_whether_the_secret_is_there_and_is_silent_if_not() -> None:
    world = World()
    world.create("a", schedule=EVERY)
    world.deliver()
    world.fail_start(next(iter(world.starting)), NO_SECRET)
    world.settle()
    before = world.status("a")
    world.restart()
    world.deliver()
    world.fail_start(next(iter(world.starting)), NO_SECRET)
    world.settle()
    assert world.status("a") == before
    assert (world.writes, world.reasons) == (1, ["Stalled"])


def test_quarantine_is_told(world: World) -> None:
    counts = SUCCESS["counts"]
    world.run({**SUCCESS, "counts": type(counts)(read=2, unchanged=1, quarantined=1), "quarantined_total": 7})
    assert world.told("a", "Ready") == ("True", "RecordsQuarantined")
    assert world.status("a").quarantined == 7
    assert world.reasons == ["RecordsQuarantined"]


def test_a_success_is_told_only_where_rows_or_the_state_changed(world: World) -> None:
    nothing = {**SUCCESS, "counts": type(SUCCESS["counts"])(read=2, unchanged=2)}
    world.run(nothing)
    assert world.reasons == ["Succeeded"]
    world.wait_until_due()
    world.run(nothing)
    assert world.reasons == ["Succeeded"]
    world.wait_until_due()
    world.run(SUCCESS)
    assert world.reasons == ["Succeeded", "Succeeded"]


def test_a_dead_worker_counts_as_a_failure(world: World) -> None:
    world.run({**INTERRUPTED, "reason": "WorkerDied"})
    assert world.status("a").consecutive_failures == 1
    assert world.status("a").history[0].result == "Interrupted"
    assert world.reasons == ["Interrupted"]
    assert world.told("a", "Syncing") == ("False", "BackingOff")


def test_history_keeps_ten() -> None:
    world = World()
    world.create("a", schedule=CRON)
    world.settle()
    for number in range(12):
        world.annotate("a", requested=str(number))
        world.settle()
        world.run(SUCCESS)
    history = world.status("a").history
    assert [entry.id for entry in history] == sorted((entry.id for entry in history), reverse=True)
    assert len(history) == 10
