"""Two operators on one SyncSource: what the first makes of a status that the second wrote about its run."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Announce, Cancel, Decision, ObjectSeen, RunEnded, Write
from syncsource.controller.core.observed import observe
from syncsource.engine.plan import Outcome
from syncsource.resource.status import CurrentRun
from tests.unit.controller.world import EVERY, INTERRUPTED, SUCCESS, World

FENCED: dict[str, Any] = {**INTERRUPTED, "reason": "Fenced"}


class Two:
    """A first operator whose run is under way, and a second one that is started beside it."""

    def __init__(self, left_behind: dict[str, Any]) -> None:
        self.world = World()
        self.world.create("a", schedule=EVERY)
        self.world.settle()
        self.first: Fleet = self.world.fleet
        self.run = self.world.only_run
        self.world.left_behind = left_behind
        self.world.restart()
        self.world.settle()

    def look(self) -> list[Decision]:
        """What the first operator does when it sees what the second wrote."""
        return self.first.on(ObjectSeen(observe(copy.deepcopy(self.world.objects["a"]))), self.world.now)

    def end(self, outcome: dict[str, Any]) -> list[Decision]:
        """What the first operator does when its own run ends."""
        return self.first.on(RunEnded(key="default/a", run=self.run, outcome=Outcome(run=self.run, **outcome)), self.world.now)

    def agree(self) -> bool:
        """Whether the first operator holds for true what the API server has."""
        source = self.first.source("default/a")
        return source is not None and not source.dirty and source.run is None and source.status == self.world.status("a")


@pytest.mark.parametrize("left_behind", [INTERRUPTED, SUCCESS])
def test_the_first_stops_its_run_and_leaves_status_to_the_second(left_behind: dict[str, Any]) -> None:
    two = Two(left_behind)
    decisions = two.look()
    assert Cancel(run=two.run) in decisions
    assert [(one.type, one.reason) for one in decisions if isinstance(one, Announce)] == [("Warning", "TakenOver")]
    assert not [one for one in decisions if isinstance(one, Write)]
    assert two.agree()
    assert two.end(FENCED) == []
    assert two.agree()


def test_the_retry_that_the_second_planned_stays() -> None:
    two = Two(INTERRUPTED)
    two.look()
    retry = two.world.status("a").next_retry_time
    assert retry is not None
    source = two.first.source("default/a")
    assert source is not None
    assert source.status.next_retry_time == retry
    two.world.wait_until_due()
    assert two.world.triggers == ["Create", "Retry"]


def test_a_run_of_the_second_is_not_taken_for_its_own() -> None:
    two = Two(INTERRUPTED)
    two.world.wait_until_due()
    assert two.world.status("a").current_run is not None
    assert Cancel(run=two.run) in two.look()
    assert two.end(SUCCESS) == []
    assert two.agree()


def test_the_end_of_a_run_gives_way_to_what_the_second_found_out() -> None:
    """The first's run had committed, and its status write meets that of the second, whose next run is under way."""
    two = Two(SUCCESS)
    two.world.annotate("a", requested="1")
    two.world.settle()
    assert [one for one in two.end(SUCCESS) if isinstance(one, Write)]
    assert not [one for one in two.look() if isinstance(one, Cancel | Write)]
    assert two.agree()
    assert two.world.status("a").current_run is not None


def test_its_own_writes_are_not_those_of_another() -> None:
    world = World()
    world.create("a", schedule=EVERY)
    world.settle()
    for _ in range(3):
        world.run(SUCCESS)
        world.wait_until_due()
    assert "TakenOver" not in world.reasons
    assert world.cancelled == set()


def test_a_write_of_its_own_that_is_seen_before_it_is_answered() -> None:
    world = World()
    world.create("a", schedule=EVERY)
    world.settle()
    world.end(world.only_run, SUCCESS)
    source = world.fleet.source("default/a")
    assert source is not None
    world.put_status("a", source.status)
    world.settle()
    assert "TakenOver" not in world.reasons
    assert world.status("a") == source.status


def test_the_second_lets_go_where_the_first_tells_the_end_itself() -> None:
    world = World()
    world.create("a", schedule=EVERY)
    world.settle()
    first, run = world.fleet, world.only_run
    world.restart()
    while world.watch:
        world.deliver()
    assert run in world.left
    first.on(RunEnded(key="default/a", run=run, outcome=Outcome(run=run, **SUCCESS)), world.now)
    ended = first.source("default/a")
    assert ended is not None
    world.put_status("a", ended.status)
    while world.watch:
        world.deliver()
    world.settle()
    assert [entry.result for entry in world.status("a").history] == ["Succeeded"]
    assert "TakenOver" not in world.reasons
    world.now += timedelta(minutes=6)
    world.wait(seconds=1)
    assert world.triggers == ["Create", "Schedule"]


# A run that another operator began, and that is under way there.


def elsewhere(world: World, **current: Any) -> str:
    """Another operator's run of a, which this one sees."""
    run = CurrentRun(id="elsewhere", trigger="Request", generation=1, started_at=world.now)
    world.put_status("a", world.status("a").model_copy(update={"current_run": run, **current}))
    world.settle()
    return run.id


@pytest.fixture
def resting() -> World:
    world = World()
    world.create("a", schedule=EVERY, timeout="20m")
    world.settle()
    world.run(SUCCESS)
    return world


def test_it_is_left_alone(resting: World) -> None:
    elsewhere(resting)
    resting.annotate("a", requested="1")
    resting.wait(minutes=19)
    assert resting.triggers == ["Create"]
    assert (resting.cancelled, resting.left) == (set(), {})
    assert resting.status("a").current_run is not None


def test_the_next_run_follows_its_end(resting: World) -> None:
    elsewhere(resting)
    resting.annotate("a", requested="1")
    resting.settle()
    assert resting.triggers == ["Create"]
    resting.put_status("a", resting.status("a").model_copy(update={"current_run": None}))
    resting.settle()
    assert resting.triggers == ["Create", "Request"]


def test_one_that_has_outlasted_its_time_is_settled(resting: World) -> None:
    run = elsewhere(resting)
    resting.annotate("a", requested="1")
    resting.wait(minutes=20, seconds=59)
    assert resting.triggers == ["Create"]
    resting.wait(seconds=1)
    entry = resting.status("a").history[0]
    assert (entry.id, entry.result) == (run, "Interrupted")
    assert resting.triggers == ["Create", "Request"]


def test_one_of_a_spec_that_is_invalid_by_now_is_told_of_all_the_same(resting: World) -> None:
    elsewhere(resting)
    resting.edit("a", schedule={"cron": "61 * * * *"})
    resting.wait(minutes=30)
    assert resting.status("a").current_run is None
    assert [entry.result for entry in resting.status("a").history] == ["Interrupted", "Succeeded"]


def test_a_run_that_another_operator_was_quicker_to_begin_is_not_begun_here(resting: World) -> None:
    """Both saw the request; the other's start is seen before this one's is written."""
    resting.annotate("a", requested="1")
    while resting.watch:
        resting.deliver()
    [decided] = resting.starting
    resting_status = resting.status("a").model_copy(update={"last_handled_request_at": "1"})
    run = CurrentRun(id="elsewhere", trigger="Request", generation=1, started_at=resting.now)
    resting.put_status("a", resting_status.model_copy(update={"current_run": run}))
    while resting.watch:
        resting.deliver()
    resting.begin(decided)
    resting.settle()
    assert resting.triggers == ["Create"]
    current = resting.status("a").current_run
    assert current is not None
    assert current.id == "elsewhere"


def test_what_was_due_is_not_run_again_when_another_operator_has_done_it(resting: World) -> None:
    resting.annotate("a", requested="1")
    while resting.watch:
        resting.deliver()
    [decided] = resting.starting
    resting.put_status("a", resting.status("a").model_copy(update={"last_handled_request_at": "1"}))
    while resting.watch:
        resting.deliver()
    resting.begin(decided)
    resting.settle()
    assert resting.triggers == ["Create"]
