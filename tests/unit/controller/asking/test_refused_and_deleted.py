"""SyncRuns that are not done, or not to their end: refused, without a source, deleted; and finished ones, whose time is over."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.controller.runworld import DONE, STOPPED, RunWorld

INVALID = {"keys": [{"fields": ["nothing"]}], "schedule": {"cron": "99 * * * *"}}


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


# -- without a source


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


def test_a_run_whose_source_goes_before_it_begins_ends(world: RunWorld) -> None:
    world.ask("s", "Sync")
    world.settle_until_a_run_starts()
    world.delete("a")
    world.settle()
    assert world.running == {}
    world.wait(seconds=6)
    assert world.phase("s") == ("Failed", "SourceNotFound")


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
