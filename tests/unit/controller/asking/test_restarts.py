"""SyncRuns: what restarts, other operators and the end of this one do to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncsource.controller.core.happening import RunsKnown, Stopping
from syncsource.engine.plan import Counts
from tests.unit.controller.runworld import DONE, STOPPED, RunWorld
from tests.unit.controller.world import EVERY, INTERRUPTED, SUCCESS


def test_what_waits_is_taken_up_after_a_restart_and_tells_so_no_second_time() -> None:
    world = RunWorld(slots=1)
    world.create("a", schedule=EVERY)
    world.settle()
    world.ask("u", "Undo")
    world.settle()
    assert world.phase("u") == ("Pending", "WaitingForRun")
    world.run(SUCCESS)
    world.acting.clear()
    world.runs["u"]["status"] = {"phase": "Pending"}
    world.restart()
    world.settle()
    assert world.under_way == ["u"]


def test_after_a_restart_the_order_is_that_of_creation_not_of_the_list(world: RunWorld) -> None:
    world.annotate("a", requested="1")
    world.settle()
    for name in ("z", "y"):
        world.ask(name, "Verify")
        world.now += timedelta(seconds=2)
    world.settle()
    world.run(SUCCESS)
    world.runs["z"]["status"] = {}
    world.restart()
    world.fleet.asking.hold()
    world.watch.reverse()
    while world.watch:
        world.deliver()
    assert world.to_begin == {}
    world.feed(RunsKnown())
    world.settle()
    assert world.under_way == ["z"]
    assert world.phase("y") == ("Pending", "WaitingForTurn")


# -- what a dead operator left


def test_of_an_action_that_writes_without_a_trace_nobody_knows_after_a_restart(world: RunWorld) -> None:
    world.ask("q", "DiscardQuarantined", all=True)
    world.settle()
    world.restart()
    world.settle()
    assert world.phase("q") == ("Failed", "Interrupted")
    assert "whether it was done is not known" in world.told_run("q").message


def test_an_action_that_left_no_trace_in_the_ledger_is_interrupted_by_a_restart(world: RunWorld) -> None:
    world.ask("v", "Verify")
    world.settle()
    world.restart()
    world.settle()
    assert (world.phase("v"), world.under_way) == (("Failed", "Interrupted"), [])
    assert "create another SyncRun" in world.told_run("v").message


@pytest.mark.parametrize(
    ("known", "phase"),
    [
        ({"result": "Succeeded", "message": "run r undone: 1 restored", "counts": Counts(updated=1)}, ("Succeeded", "Succeeded")),
        (INTERRUPTED, ("Failed", "Interrupted")),
    ],
)
def test_of_an_action_that_wrote_the_ledger_is_asked_after_a_restart(
    world: RunWorld, known: dict[str, object], phase: tuple[str, str]
) -> None:
    world.ask("u", "Undo")
    world.ask("v", "Undo")
    world.settle()
    world.restart()
    world.settle()
    assert (world.under_way, world.phase("u")) == ([], ("Running", "Running"))
    world.find_out_action(known)
    assert world.phase("u") == phase
    assert world.under_way == ["v"]


@pytest.mark.parametrize(("outcome", "phase"), [(SUCCESS, ("Succeeded", "Succeeded")), (INTERRUPTED, ("Failed", "Interrupted"))])
def test_a_run_that_a_dead_operator_left_ends_its_syncrun(world: RunWorld, outcome: dict[str, object], phase: tuple[str, str]) -> None:
    world.ask("s", "Sync")
    world.settle()
    world.left_behind = outcome
    world.restart()
    world.settle()
    assert world.phase("s") == phase


def test_a_run_that_ended_before_its_syncrun_was_told_is_found_in_the_history(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle()
    status = world.runs["s"]["status"]
    world.run(SUCCESS)
    world.runs["s"]["status"] = status
    world.restart()
    world.settle()
    told = world.told_run("s")
    assert (told.phase, told.message) == ("Succeeded", "3 read, 1 inserted, 0 updated, 2 unchanged in 1.0s")
    assert told.result is not None
    assert told.result.counts is not None
    assert told.result.counts.inserted == 1


def test_a_run_that_had_not_begun_is_interrupted(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle_until_a_run_starts()
    world.restart()
    world.settle()
    assert (world.phase("s"), world.running) == (("Failed", "Interrupted"), {})


def test_what_is_left_behind_of_a_source_that_is_gone_ends(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    world.delete("a")
    world.restart()
    world.settle()
    world.wait(seconds=6)
    assert world.phase("u") == ("Failed", "Interrupted")


def test_what_is_left_behind_waits_for_its_source_to_be_listed(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    world.restart()
    world.watch.reverse()
    world.settle()
    world.find_out_action(INTERRUPTED)
    assert world.phase("u") == ("Failed", "Interrupted")


# -- an operator that stops, and another one


def test_an_operator_that_stops_tells_what_it_stopped_and_leaves_what_waits(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.ask("v", "Undo")
    world.settle()
    run = next(iter(world.acting))
    world.feed(Stopping())
    assert world.cancelled == {run}
    world.end_action(STOPPED)
    assert (world.phase("u"), world.phase("v")) == (("Failed", "Interrupted"), ("Pending", "WaitingForTurn"))
    assert world.told_run("u").message.startswith("The operator stopped.")
    assert world.under_way == []


def test_what_another_operator_takes_is_left_to_it(world: RunWorld) -> None:
    world.ask("u", "Undo")
    while world.watch:
        world.deliver()
    world.put_run_status("u", phase="Running", run="theirs", startedAt=world.now.isoformat())
    world.settle()
    assert (world.under_way, world.phase("u")) == ([], ("Running", ""))
    world.ask("v", "Undo")
    world.settle()
    assert world.phase("v") == ("Pending", "WaitingForTurn")
    world.put_run_status("u", phase="Succeeded", run="theirs", completedAt=world.now.isoformat())
    world.settle()
    assert world.under_way == ["v"]


def test_another_operator_that_takes_longer_than_any_may_is_presumed_gone(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.put_run_status("u", phase="Running", run="theirs", startedAt=world.now.isoformat())
    world.watch.pop(0)
    world.settle()
    world.wait(minutes=10)
    assert world.left_actions == {}
    world.wait(minutes=2)
    assert list(world.left_actions) == ["theirs"]
    world.find_out_action(INTERRUPTED)
    assert world.phase("u") == ("Failed", "Interrupted")


def test_an_action_that_another_operator_settled_is_given_up(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    run = next(iter(world.acting))
    world.put_run_status("u", phase="Failed", reason="Interrupted", run=run, completedAt=world.now.isoformat())
    world.settle()
    assert world.cancelled == {run}
    world.end_action(DONE)
    assert world.phase("u") == ("Failed", "Interrupted")
