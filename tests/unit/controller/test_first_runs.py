"""When runs start: created, scheduled, requested, changed, resumed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.unit.controller.world import CRON, EVERY, START, SUCCESS, World, spec


@pytest.fixture
def world() -> World:
    return World()


def test_every_runs_at_creation(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    assert world.triggers == ["Create"]
    assert world.told("a", "Syncing") == ("True", "Running")
    assert world.told("a", "Ready") == ("Unknown", "NeverRan")
    assert world.writes == 1


def test_cron_runs_at_its_next_tick(world: World) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    assert world.triggers == []
    assert world.status("a").next_run_time == START + timedelta(hours=1)
    world.wait(minutes=59, seconds=59)
    assert world.triggers == []
    world.wait(seconds=1)
    assert world.triggers == ["Schedule"]


def test_no_schedule_runs_only_on_request(world: World) -> None:
    world.create("a")
    world.settle()
    world.wait(days=30)
    assert world.triggers == []
    assert world.told("a", "Syncing") == ("False", "Manual")
    world.annotate("a", requested="now")
    world.settle()
    assert world.triggers == ["Request"]
    assert world.status("a").last_handled_request_at == "now"


def test_a_run_costs_two_writes_and_leaves_the_object_at_rest(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    world.run(SUCCESS)
    assert world.writes == 2
    assert world.told("a", "Ready") == ("True", "Succeeded")
    assert world.told("a", "Syncing") == ("False", "WaitingForSchedule")
    ready = world.condition("a", "Ready")
    assert ready is not None
    assert ready.message == "3 read, 1 inserted, 0 updated, 2 unchanged in 1.0s"
    world.restart()
    world.settle()
    world.secret()
    world.secret()
    world.settle()
    assert world.writes == 2


def test_every_goes_on_at_its_interval(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    world.run(SUCCESS)
    starts = []
    for _ in range(4):
        world.wait_until_due()
        starts.append(world.now)
        world.run(SUCCESS)
    assert [b - a for a, b in pairwise(starts)] == [timedelta(minutes=5)] * 3
    assert world.triggers == ["Create"] + ["Schedule"] * 4
    assert world.writes == 10


def test_missed_runs_coalesce_to_one(world: World) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    world.wait(hours=7, minutes=30)
    assert world.triggers == ["Schedule"]
    assert world.status("a").last_missed_time == START + timedelta(hours=6)
    world.run(SUCCESS)
    assert world.triggers == ["Schedule"]
    assert world.status("a").next_run_time == START + timedelta(hours=8)


def test_a_run_that_outlasts_its_interval_is_followed_by_one(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    world.wait(minutes=30)
    assert world.triggers == ["Create"]
    world.run(SUCCESS)
    assert world.triggers == ["Create", "Schedule"]
    assert world.status("a").last_missed_time is not None


@pytest.mark.parametrize(
    "change",
    [
        {"source": {"http": {"baseURL": "http://other.example"}}},
        {"fields": [{"name": "id", "type": "text"}]},
        {"fields": [{"name": "id", "type": "text"}, {"name": "no", "type": "text"}], "keys": [{"fields": ["no"]}]},
        {"destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "other", "key": "url"}}, "table": "rows"}}},
    ],
)
def test_a_new_source_destination_fields_or_keys_run_at_once(world: World, change: dict[str, object]) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    world.wait(hours=1)
    world.run(SUCCESS)
    world.edit("a", **change)
    world.settle()
    assert world.triggers == ["Schedule", "SpecChange"]
    assert world.started[-1][1].run.generation == 2


@pytest.mark.parametrize(
    ("change", "ready"),
    [
        ({"schedule": {"every": "1m"}}, ("True", "Succeeded")),
        ({"suspend": True, "suspendReason": "x"}, ("True", "Succeeded")),
        ({"timeout": "1m"}, ("Unknown", "NeverRan")),
        ({"retry": {"limit": 1}}, ("Unknown", "NeverRan")),
        ({"write": {"onExisting": "Skip"}}, ("Unknown", "NeverRan")),
    ],
)
def test_other_changes_don_t_and_those_of_when_to_run_keep_the_last_result(world: World, change: dict[str, object], ready: object) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    world.wait(hours=1, minutes=30)
    world.run(SUCCESS)
    world.edit("a", **change)
    world.settle()
    assert world.triggers == ["Schedule"]
    assert world.told("a", "Ready") == ready
    condition = world.condition("a", "Ready")
    assert condition is not None
    assert condition.observed_generation == 2, "kubectl wait looks at it"


def test_a_new_spec_is_found_by_the_next_operator_too(world: World) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    world.wait(hours=1)
    world.run(SUCCESS)
    world.edit("a", fields=[{"name": "id", "type": "text"}])
    world.restart()
    world.settle()
    assert world.triggers == ["Schedule", "SpecChange"]


def test_a_new_spec_without_schedule_waits_for_its_request(world: World) -> None:
    world.create("a", {"syncsource.dev/requestedAt": "1"})
    world.settle()
    world.run(SUCCESS)
    world.edit("a", fields=[{"name": "id", "type": "text"}])
    world.settle()
    assert world.triggers == ["Request"]


def test_a_new_schedule_counts_from_the_last_attempt(world: World) -> None:
    world.create("a", schedule={"every": "1h"})
    world.settle()
    world.run(SUCCESS)
    world.wait(minutes=1)
    world.edit("a", schedule=EVERY)
    world.settle()
    due = world.status("a").next_run_time
    assert due is not None
    assert START + timedelta(minutes=2.5) <= due <= START + timedelta(minutes=5)


def test_resuming_runs_nothing_before_the_schedule_comes_due(world: World) -> None:
    world.create("a", schedule=CRON, suspend=True, suspendReason="moving house")
    world.settle()
    assert world.told("a", "Suspended") == ("True", "Suspended")
    world.wait(days=3, minutes=10)
    world.edit("a", suspend=False)
    world.settle()
    assert world.triggers == []
    assert world.condition("a", "Suspended") is None
    assert world.status("a").next_run_time == world.now.replace(minute=0) + timedelta(hours=1)


def test_resuming_every_counts_from_now(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    world.run(SUCCESS)
    world.edit("a", suspend=True)
    world.settle()
    assert world.status("a").next_run_time is None
    world.wait(days=1)
    world.edit("a", suspend=False)
    world.restart()
    world.settle()
    assert world.triggers == ["Create"]
    due = world.status("a").next_run_time
    assert due is not None
    assert world.now < due <= world.now + timedelta(minutes=5)


def test_a_suspended_source_does_not_run_when_it_was_created(world: World) -> None:
    world.create("a", schedule=EVERY, suspend=True)
    world.settle()
    world.wait(days=1)
    assert world.triggers == []


def test_an_invalid_spec_is_told_once_and_never_runs(world: World) -> None:
    world.create("a", schedule={"cron": "61 * * * *"})
    world.settle()
    world.restart()
    world.settle()
    assert (world.triggers, world.writes) == ([], 1)
    assert world.told("a", "Stalled") == ("True", "InvalidSpec")
    assert world.told("a", "Ready") == ("False", "InvalidSpec")
    assert world.reasons == ["Stalled"]
    world.edit("a", schedule=CRON)
    world.settle()
    assert world.condition("a", "Stalled") is None
    assert world.told("a", "Ready") == ("Unknown", "NeverRan")
    assert world.told("a", "Syncing") == ("False", "WaitingForSchedule")


def test_a_replaced_object_is_another_one(world: World) -> None:
    world.create("a", schedule=EVERY)
    world.settle()
    old = world.only_run
    world.delete("a", seen=False)
    world.create("a", schedule=EVERY)
    world.settle()
    assert old in world.cancelled
    assert world.triggers == ["Create"]
    world.end(old, SUCCESS)
    world.settle()
    assert world.triggers == ["Create", "Create"]
    assert world.objects["a"]["spec"] == spec(schedule=EVERY)


def test_a_run_never_starts_for_an_object_that_is_gone(world: World) -> None:
    world.create("a", schedule=CRON)
    world.settle()
    world.delete("a", seen=False)
    world.wait(hours=1)
    assert world.triggers == []
    assert list(world.fleet.sources) == []
