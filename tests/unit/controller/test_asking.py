"""SyncRuns: whose turn it is, who is refused, and what restarts and other operators do to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncsource.controller.core.happening import RunsKnown, Stopping
from syncsource.engine.plan import Counts
from tests.unit.controller.runworld import DONE, RunWorld
from tests.unit.controller.world import ACCURATE, EVERY, INTERRUPTED, SUCCESS, TIMEOUT

STOPPED = {"result": "Interrupted", "reason": "Cancelled", "message": "the run was cancelled"}
INVALID = {"keys": [{"fields": ["nothing"]}], "schedule": {"cron": "99 * * * *"}}


@pytest.fixture
def world() -> RunWorld:
    """One SyncSource, on request only."""
    world = RunWorld()
    world.create("a")
    world.settle()
    return world


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
    while not world.starting:
        if world.watch:
            world.deliver()
        for run in list(world.to_begin):
            world.begin_action(run)
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


# -- refusals


def test_while_suspended_runs_are_refused_and_actions_are_not(world: RunWorld) -> None:
    world.edit("a", suspend=True, suspendReason="stock-taking")
    for name, action in (("s", "Sync"), ("f", "FullRefresh"), ("u", "Undo")):
        world.ask(name, action)
    world.settle()
    assert [world.phase(name) for name in "sf"] == [("Failed", "Suspended")] * 2
    assert "stock-taking" in world.told_run("s").message
    assert world.under_way == ["u"]
    world.end_action(DONE)
    world.edit("a", suspend=False)
    world.settle()
    assert world.running == {}


def test_an_invalid_source_refuses_all(world: RunWorld) -> None:
    world.edit("a", **INVALID)
    world.ask("u", "Undo")
    world.settle()
    assert world.phase("u") == ("Failed", "InvalidSpec")
    assert "SyncSource a: " in world.told_run("u").message


def test_what_the_schema_would_not_take_is_refused_by_the_operator_too(world: RunWorld) -> None:
    world.ask("q", "DiscardQuarantined")
    world.settle()
    assert world.phase("q") == ("Failed", "InvalidSpec")
    assert world.told_run("q").message == "spec: say which records or conflicts: ids, or all: true, and not both"


def test_a_source_that_is_not_there_is_waited_for_and_looked_for() -> None:
    world = RunWorld()
    world.ask("u", "Undo")
    world.settle()
    assert world.phase("u") == ("Pending", "WaitingForSource")
    world.wait(seconds=4)
    world.create("a")
    world.settle()
    assert world.under_way == ["u"]
    world.end_action(DONE)
    world.ask("v", "Undo", source="nobody")
    world.settle()
    world.wait(seconds=6)
    assert world.phase("v") == ("Failed", "SourceNotFound")
    assert "nobody" in world.told_run("v").message


def test_a_source_that_the_watch_has_not_told_of_yet_is_found() -> None:
    world = RunWorld()
    world.create("a")
    world.watch.clear()
    world.ask("u", "Undo")
    world.settle()
    world.wait(seconds=6)
    assert world.under_way == ["u"]


def test_a_source_that_is_deleted_takes_its_syncruns_along(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.ask("v", "Undo")
    world.settle()
    run = next(iter(world.acting))
    world.delete("a")
    world.settle()
    assert world.cancelled == {run}
    world.end_action(STOPPED)
    assert world.phase("u") == ("Failed", "SourceNotFound")
    world.wait(seconds=6)
    assert world.phase("v") == ("Failed", "SourceNotFound")


# -- deletion, time


def test_one_that_is_deleted_while_it_waits_is_never_done(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.ask("v", "Undo")
    world.settle()
    world.delete_run("v")
    world.settle()
    world.end_action(DONE)
    assert (world.acting, world.under_way) == ({}, [])


def test_one_that_is_deleted_while_it_is_done_is_stopped(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.ask("v", "Undo")
    world.settle()
    run = next(iter(world.acting))
    world.delete_run("u")
    world.settle()
    assert (world.cancelled, world.under_way) == ({run}, ["u"])
    world.end_action(STOPPED)
    assert world.under_way == ["v"]


def test_a_run_whose_syncrun_is_deleted_is_stopped_and_not_tried_again(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle()
    world.delete_run("s")
    world.settle()
    assert world.cancelled == {world.only_run}
    world.run(STOPPED)
    status = world.status("a")
    assert (status.history[0].result, status.history[0].reason) == ("Interrupted", "SyncRunDeleted")
    assert status.next_retry_time is None


def test_one_that_is_deleted_before_its_beginning_is_written_frees_its_slot() -> None:
    world = RunWorld(slots=1)
    world.create("a")
    world.ask("s", "Sync")
    while world.watch:
        world.deliver()
    world.delete_run("s")
    world.settle()
    world.ask("t", "Sync")
    world.settle()
    assert (world.phase("t"), len(world.running)) == (("Running", "Running"), 1)


def test_finished_ones_go_when_their_time_is_over(world: RunWorld) -> None:
    world.ask("u", "Undo", ttl="10m")
    world.settle()
    world.end_action(DONE)
    world.wait(minutes=9, seconds=59)
    assert world.expired == []
    world.wait(seconds=1)
    assert (world.expired, world.runs) == (["u"], {})


def test_the_time_of_finished_ones_passes_while_no_operator_is_there(world: RunWorld) -> None:
    world.ask("u", "Undo", ttl="10m")
    world.ask("v", "Undo", ttl="3h")
    world.settle()
    world.end_action(DONE)
    world.end_action(DONE)
    writes = world.run_writes
    world.now += timedelta(hours=2)
    world.restart()
    world.settle()
    world.wait(seconds=0)
    assert (world.expired, list(world.runs), world.run_writes) == (["u"], ["v"], writes)


# -- restarts


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


def test_of_an_action_that_writes_without_a_trace_nobody_knows_after_a_restart(world: RunWorld) -> None:
    world.ask("q", "DiscardQuarantined", all=True)
    world.settle()
    world.restart()
    world.settle()
    assert world.phase("q") == ("Failed", "Interrupted")
    assert "whether it was done is not known" in world.told_run("q").message


def test_what_is_left_behind_of_a_source_that_is_gone_ends(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    world.delete("a")
    world.restart()
    world.settle()
    world.wait(seconds=6)
    assert world.phase("u") == ("Failed", "Interrupted")


def test_a_run_whose_source_goes_before_it_begins_ends(world: RunWorld) -> None:
    world.ask("s", "Sync")
    while not world.starting:
        if world.watch:
            world.deliver()
        for run in list(world.to_begin):
            world.begin_action(run)
    world.delete("a")
    world.settle()
    assert world.running == {}
    world.wait(seconds=6)
    assert world.phase("s") == ("Failed", "SourceNotFound")


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
    while not world.starting:
        if world.watch:
            world.deliver()
        for run in list(world.to_begin):
            world.begin_action(run)
    world.restart()
    world.settle()
    assert (world.phase("s"), world.running) == (("Failed", "Interrupted"), {})


def test_what_is_left_behind_waits_for_its_source_to_be_listed(world: RunWorld) -> None:
    world.ask("u", "Undo")
    world.settle()
    world.restart()
    world.watch.reverse()
    world.settle()
    world.find_out_action(INTERRUPTED)
    assert world.phase("u") == ("Failed", "Interrupted")


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


# -- another operator


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


def test_what_is_left_in_quarantine_and_of_conflicts_is_told_by_the_source(world: RunWorld) -> None:
    world.ask("q", "DiscardQuarantined", all=True)
    world.settle()
    world.end_action({"result": "Succeeded", "message": "2 discarded", "found": {"discarded": 2, "quarantined": 5}})
    world.ask("c", "ResolveConflict", all=True, resolve="Source")
    world.settle()
    world.end_action({"result": "Succeeded", "message": "1 resolved", "found": {"conflicts": 3}})
    assert (world.status("a").quarantined, world.status("a").conflicts) == (5, 3)
    assert world.reasons[-2:] == ["DiscardQuarantined", "ResolveConflict"]
