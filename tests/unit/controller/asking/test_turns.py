"""SyncRuns: whose turn it is, and what is told of what they did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.controller.runworld import DONE, STOPPED, RunWorld
from tests.unit.controller.world import ACCURATE, EVERY, SUCCESS, TIMEOUT


def test_an_action_costs_two_writes_and_tells_what_it_did(world: RunWorld) -> None:
    writes = world.writes
    world.ask("u", "Undo")
    world.settle()
    assert (world.under_way, world.phase("u")) == (["u"], ("Running", "Running"))
    began = world.now
    world.wait(seconds=30)
    world.end_action(DONE)
    told = world.told_run("u")
    assert (told.phase, told.reason, told.message, told.duration) == ("Succeeded", "Succeeded", "done", "1.0s")
    assert (told.started_at, told.completed_at, told.source_generation) == (began, world.now, 1)
    assert told.result is not None
    assert told.result.counts is not None
    assert told.result.counts.updated == 2
    assert [(one.type, one.status, one.reason) for one in told.conditions] == [("Complete", "True", "Succeeded")]
    assert (world.run_writes, world.writes) == (2, writes)
    world.wait(minutes=59)
    assert (world.run_writes, world.expired) == (2, [])


def test_a_failure_is_told_by_both_conditions(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    world.end_action({"result": "Failed", "reason": "NotFound", "message": "no run"})
    assert world.phase("u") == ("Failed", "NotFound")
    assert [(one.type, one.status, one.reason) for one in world.told_run("u").conditions] == [
        ("Complete", "False", "NotFound"),
        ("Failed", "True", "NotFound"),
    ]
    assert "UndoFailed" in world.reasons


def test_those_of_one_source_go_one_after_the_other_in_order_of_creation(world: RunWorld) -> None:
    for name in ("z", "y", "x"):
        world.ask(name, "Verify")
        world.now += timedelta(milliseconds=1)
    world.create("b")
    world.ask("w", "Verify", source="b")
    world.settle()
    assert world.under_way == ["z", "w"]
    assert [world.phase(name) for name in "yx"] == [("Pending", "WaitingForTurn")] * 2
    world.end_action(DONE)
    assert world.under_way == ["w", "y"]
    world.end_action(DONE, list(world.acting)[1])
    assert world.under_way == ["w", "x"]


def test_an_action_waits_for_the_run_and_the_run_for_the_action(world: RunWorld) -> None:
    world.annotate("a", requested="1")
    world.settle()
    world.ask("u", "Undo")
    world.settle()
    assert (world.under_way, world.phase("u")) == ([], ("Pending", "WaitingForRun"))
    world.run(SUCCESS)
    assert world.under_way == ["u"]
    world.annotate("a", requested="2")
    world.settle()
    assert world.running == {}
    world.end_action(DONE)
    assert len(world.running) == 1
    assert world.run_writes == 3


def test_an_action_waits_for_a_slot() -> None:
    world = RunWorld(slots=1)
    world.create("a")
    world.create("b", schedule=EVERY)
    world.settle()
    world.ask("v", "Verify")
    world.settle()
    assert world.phase("v") == ("Pending", "WaitingForSlot")
    world.run(SUCCESS)
    assert world.under_way == ["v"]


def test_a_scheduled_verification_makes_way(world: RunWorld) -> None:
    world.annotate("a", requested="1", verify="1")
    world.settle()
    world.run(SUCCESS)
    (verification,) = world.verifying
    world.ask("u", "Undo")
    world.settle()
    assert world.cancelled == {verification}
    world.end_verification(verification, STOPPED)
    world.settle()
    assert world.under_way == ["u"]
    world.end_action(DONE)
    world.verify(ACCURATE)
    assert world.status("a").accuracy == "83.3333"


def test_what_is_left_in_quarantine_and_of_conflicts_is_told_by_the_source(world: RunWorld) -> None:
    world.ask("q", "DiscardQuarantined", all=True)
    world.settle()
    world.end_action({"result": "Succeeded", "message": "2 discarded", "found": {"discarded": 2, "quarantined": 5}})
    world.ask("c", "ResolveConflict", all=True, resolve="Source")
    world.settle()
    world.end_action({"result": "Succeeded", "message": "1 resolved", "found": {"conflicts": 3}})
    assert (world.status("a").quarantined, world.status("a").conflicts) == (5, 3)
    assert world.reasons[-2:] == ["DiscardQuarantined", "ResolveConflict"]


# -- runs of the source


@pytest.mark.parametrize(("action", "full"), [("Sync", False), ("FullRefresh", True)])
def test_a_run_of_the_source_is_one_as_by_request(world: RunWorld, action: str, full: bool) -> None:
    world.ask("s", action)
    world.settle()
    assert world.phase("s") == ("Running", "Running")
    assert (world.triggers, world.started[0][1].run.full) == (["Request"], full)
    id_ = world.only_run
    assert world.told_run("s").run == id_
    world.run(SUCCESS)
    told = world.told_run("s")
    assert (told.phase, told.run, world.status("a").history[0].id) == ("Succeeded", id_, id_)
    assert told.message == "3 read, 1 inserted, 0 updated, 2 unchanged in 1.0s"
    assert told.result is not None
    assert told.result.counts is not None
    assert (told.result.counts.inserted, told.result.full) == (1, False)
    assert world.run_writes == 2


def test_a_run_that_can_not_begin_at_once_is_begun_anew(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle_until_a_run_starts()
    world.edit("a", timeout="7m")
    world.settle()
    assert (len(world.running), world.phase("s")) == (1, ("Running", "Running"))
    world.run(SUCCESS)
    assert (world.phase("s"), world.started[0][1].run.generation) == (("Succeeded", "Succeeded"), 2)


def test_a_failed_run_fails_its_syncrun_and_the_source_goes_on_as_ever(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle()
    world.run(TIMEOUT)
    assert world.phase("s") == ("Failed", "Timeout")
    assert world.status("a").next_retry_time is not None


def test_a_run_takes_the_requests_by_annotation_with_it(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.annotate("a", requested="1", full="1")
    world.settle()
    assert [start.run.full for _, start in world.started] == [True]
    world.run(SUCCESS)
    assert world.running == {}
    assert world.status("a").last_handled_full_refresh_at == "1"
