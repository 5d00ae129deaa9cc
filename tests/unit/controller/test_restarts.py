"""What survives: restarts in mid-run, stops, changes while a run is under way, and other operators."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncsource.controller.core.happening import RunProgressed, Stopping
from tests.unit.controller.world import CRON, EVERY, INTERRUPTED, START, SUCCESS, TIMEOUT, World

OTHER = [{"name": "id", "type": "text"}]


@pytest.fixture
def world() -> World:
    world = World()
    world.create("a", schedule=EVERY)
    world.settle()
    return world


def test_a_run_left_behind_becomes_interrupted_and_is_tried_again(world: World) -> None:
    left = world.only_run
    world.wait(seconds=40)
    world.restart()
    world.settle()
    entry = world.status("a").history[0]
    assert (entry.id, entry.result, entry.reason, entry.duration) == (left, "Interrupted", "Interrupted", "40.0s")
    assert world.status("a").current_run is None
    assert world.told("a", "Ready") == ("Unknown", "NeverRan")
    assert world.status("a").consecutive_failures == 0
    assert world.reasons == ["Interrupted"]
    assert world.triggers == ["Create"]
    world.wait(seconds=30)
    assert world.triggers == ["Create", "Retry"]


def test_a_run_left_behind_that_had_committed_is_told_as_it_was(world: World) -> None:
    left = world.only_run
    world.left_behind = SUCCESS
    world.restart()
    world.settle()
    entry = world.status("a").history[0]
    assert (entry.id, entry.result, entry.inserted) == (left, "Succeeded", 1)
    assert world.told("a", "Ready") == ("True", "Succeeded")
    assert world.status("a").current_run is None
    world.wait(seconds=60)
    assert world.triggers == ["Create"]


def test_nothing_runs_until_it_is_known_what_became_of_a_run(world: World) -> None:
    world.restart()
    world.annotate("a", requested="1")
    while world.watch:
        world.deliver()
    assert world.left
    assert not world.starting
    world.settle()
    assert world.triggers == ["Create", "Request"]


def test_runs_that_kill_the_operator_are_tried_ever_later(world: World) -> None:
    waits = []
    for _ in range(4):
        world.restart()
        world.settle()
        retry = world.status("a").next_retry_time
        assert retry is not None
        waits.append((retry - world.now).total_seconds())
        world.wait_until_due()
    assert waits[:3] == [30, 60, 120]


def test_the_next_run_survives(world: World) -> None:
    world.run(SUCCESS)
    due = world.status("a").next_run_time
    world.restart()
    world.settle()
    assert world.status("a").next_run_time == due
    world.wait(hours=2)
    assert world.triggers == ["Create", "Schedule"]


def test_a_retry_survives(world: World) -> None:
    world.run(TIMEOUT)
    world.restart()
    world.settle()
    assert world.triggers == ["Create"]
    world.wait(seconds=30)
    assert world.triggers == ["Create", "Retry"]


def test_a_thousand_overdue_start_as_slots_free_up_oldest_first_requests_before() -> None:
    world = World(slots=2)
    for number in range(20):
        world.create(f"s{number:02}", schedule=CRON)
        world.settle()
        world.now += timedelta(seconds=1)
    world.restart()
    world.now += timedelta(hours=3)
    world.annotate("s19", requested="1")
    world.settle()
    assert len(world.running) == 2
    order = []
    while world.running:
        id_ = min(world.running)
        order.append(world.running[id_].ref.name)
        world.end(id_, SUCCESS)
        world.settle()
    assert len(order) == 20
    assert "s19" in order[:3]
    assert len(set(order)) == 20


def test_waiting_for_a_slot_is_told_where_it_lasts() -> None:
    world = World(slots=1)
    world.create("a", schedule=EVERY)
    world.create("b", schedule=EVERY)
    world.settle()
    assert world.told("b", "Syncing") == ("False", "WaitingForSchedule")
    writes = world.writes
    world.wait(seconds=14)
    assert world.writes == writes
    world.wait(seconds=1)
    assert world.told("b", "Syncing") == ("False", "WaitingForSlot")
    assert world.writes == writes + 1
    world.run(SUCCESS)
    assert world.told("b", "Syncing") == ("True", "Running")


def test_progress_is_written_each_15_seconds_where_there_is_any(world: World) -> None:
    for read in range(1000):
        world.feed(RunProgressed(key="default/a", run=world.only_run, read=read))
        world.wait(seconds=0.06)
    assert world.writes == 1 + 4
    world.wait(seconds=15)
    writes = world.writes
    world.wait(seconds=300)
    assert world.writes == writes


def test_a_run_of_an_outdated_spec_is_cancelled_and_run_anew(world: World) -> None:
    old = world.only_run
    world.edit("a", fields=OTHER)
    world.settle()
    assert world.cancelled == {old}
    world.run(INTERRUPTED)
    entry = world.status("a").history[0]
    assert (entry.result, entry.reason, entry.generation) == ("Interrupted", "SpecChanged", 1)
    assert world.triggers == ["Create", "SpecChange"]
    assert world.started[-1][1].run.generation == 2


def test_a_requested_run_that_a_new_spec_cancelled_runs_anew_without_a_schedule() -> None:
    world = World()
    world.create("a", {"syncsource.dev/requestedAt": "1"})
    world.settle()
    world.edit("a", fields=OTHER)
    world.settle()
    world.run(INTERRUPTED)
    assert world.triggers == ["Request", "SpecChange"]


def test_another_change_of_spec_leaves_the_run_alone(world: World) -> None:
    world.edit("a", timeout="1h")
    world.settle()
    assert world.cancelled == set()
    world.run(SUCCESS)
    assert world.triggers == ["Create"]
    assert world.status("a").history[0].generation == 1
    assert world.told("a", "Ready") == ("Unknown", "NeverRan")


def test_stopping_interrupts_what_runs_and_starts_nothing(world: World) -> None:
    world.create("b", schedule=EVERY)
    world.settle()
    world.feed(Stopping())
    assert world.cancelled == set(world.running)
    world.create("c", schedule=EVERY)
    for id_ in list(world.running):
        world.end(id_, INTERRUPTED)
    world.settle()
    assert world.triggers == ["Create", "Create"]
    entry = world.status("a").history[0]
    assert (entry.result, entry.reason) == ("Interrupted", "OperatorStopped")
    assert world.status("a").consecutive_failures == 0
    assert world.status("a").next_retry_time == START + timedelta(seconds=30)


def test_what_another_operator_wrote_is_taken_over(world: World) -> None:
    world.run(SUCCESS)
    other = world.status("a").model_copy(update={"next_run_time": START + timedelta(hours=9)})
    world.put_status("a", other)
    world.settle()
    writes = world.writes
    world.wait(hours=8)
    assert world.triggers == ["Create"]
    assert world.writes == writes
    assert world.status("a").next_run_time == START + timedelta(hours=9)


def test_a_conflict_is_looked_at_before_the_next_try(world: World) -> None:
    world.end(world.only_run, SUCCESS)
    world.annotate("a", requested="1")
    world.write("default/a")
    world.settle()
    assert world.triggers == ["Create", "Request"]
    assert [entry.result for entry in world.status("a").history] == ["Succeeded"]


def test_a_deletion_cancels_the_run_and_leaves_nothing(world: World) -> None:
    run = world.only_run
    world.delete("a")
    world.settle()
    assert world.cancelled == {run}
    world.end(run, INTERRUPTED)
    world.settle()
    assert list(world.fleet.sources) == []
