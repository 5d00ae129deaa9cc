"""When tables are verified, and what that does to status."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from syncsource.controller.core.happening import Stopping
from syncsource.resource import api
from syncsource.resource.status import Verification
from tests.unit.controller.world import ACCURATE, CRON, EVERY, MISMATCH, START, SUCCESS, TIMEOUT, UNAUTHORIZED, World

DAILY = {"verify": {"every": "1d"}}
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """One that has run, on request only, so that nothing but verifications comes due."""
    world = World()
    world.create("a", safety=DAILY, retry={"limit": 2, "backoff": "1m"})
    world.settle()
    world.annotate("a", requested="first")
    world.settle()
    world.run(SUCCESS)
    return world


def told(world: World, name: str = "a") -> Verification:
    found = world.status(name).verification
    assert found is not None
    return found


def pass_to_due(world: World) -> None:
    """Time passes until the verification is due."""
    due = told(world).next_time
    assert due is not None
    world.wait(seconds=(due - world.now).total_seconds())


def test_nothing_is_verified_before_the_first_run_that_succeeded() -> None:
    world = World()
    world.create("a", safety=DAILY, schedule={"cron": "0 0 1 * *"}, retry={"limit": 0})
    world.settle()
    world.wait(days=3)
    assert told(world).next_time is None
    world.annotate("a", requested="1")
    world.settle()
    world.run(MISMATCH)
    world.wait(days=3)
    assert world.verified == []
    world.annotate("a", requested="2")
    world.settle()
    world.run(SUCCESS)
    due = told(world).next_time
    assert due is not None
    assert world.now + DAY / 2 <= due <= world.now + DAY


def test_a_verification_costs_one_write_and_tells_what_it_found(world: World) -> None:
    writes, ready = world.writes, world.condition("a", "Ready")
    pass_to_due(world)
    began = world.now
    assert [verify.run.trigger for _, verify in world.verified] == ["Schedule"]
    assert world.writes == writes
    world.wait(minutes=2)
    world.verify(ACCURATE)
    assert world.writes == writes + 1
    status = world.status("a")
    assert (status.accuracy, told(world).time, told(world).last_attempt_time) == ("83.3333", world.now, began)
    assert (told(world).rows, told(world).different, told(world).extra, told(world).columns) == (3, 1, 2, {"name": 1})
    assert (told(world).result, told(world).next_time, told(world).schedule) == ("Succeeded", began + DAY, "every 1d")
    assert (world.condition("a", "Ready"), len(status.history)) == (ready, 1)
    assert world.reasons == ["Succeeded"], "that of the run"


def test_it_goes_on_at_its_interval(world: World) -> None:
    starts = []
    for _ in range(4):
        pass_to_due(world)
        starts.append(world.now)
        world.verify(ACCURATE)
    assert [later - earlier for earlier, later in pairwise(starts)] == [DAY] * 3


def test_many_that_were_made_together_spread_over_half_the_interval() -> None:
    world = World(slots=200)
    for number in range(200):
        world.create(f"s{number}", safety=DAILY, schedule={"every": "9d"})
    world.settle()
    for run in list(world.running):
        world.end(run, SUCCESS)
    world.settle()
    dues = [told(world, name).next_time for name in world.objects]
    quarters = {int((due - START - DAY / 2) / (DAY / 8)) for due in dues if due is not None}
    assert quarters == {0, 1, 2, 3}


def test_missed_ones_coalesce_to_one_after_a_restart(world: World) -> None:
    pass_to_due(world)
    world.verify(ACCURATE)
    last = told(world).last_attempt_time
    world.restart()
    world.settle()
    assert len(world.verified) == 1, "a restart is no reason"
    world.restart()
    world.wait(days=5, hours=1)
    assert len(world.verified) == 2
    world.verify(ACCURATE)
    assert len(world.verified) == 2
    due = told(world).next_time
    assert due is not None
    assert last is not None
    assert world.now + DAY / 2 <= due <= world.now + DAY


def test_one_that_an_operator_left_behind_is_due_again(world: World) -> None:
    pass_to_due(world)
    world.restart()
    world.settle()
    assert len(world.verified) == 2
    world.verify(ACCURATE)
    assert world.status("a").accuracy == "83.3333"


def test_none_while_suspended_and_none_at_once_after(world: World) -> None:
    pass_to_due(world)
    world.verify(ACCURATE)
    world.edit("a", suspend=True)
    world.settle()
    assert told(world).next_time is None
    world.wait(days=5)
    world.edit("a", suspend=False)
    world.settle()
    assert len(world.verified) == 1
    due = told(world).next_time
    assert due is not None
    assert world.now + DAY / 2 <= due <= world.now + DAY


def test_a_new_interval_counts_from_the_last_one_and_none_ends_it(world: World) -> None:
    pass_to_due(world)
    world.verify(ACCURATE)
    world.edit("a", safety={"verify": {"every": "1h"}})
    world.settle()
    assert world.told("a", "Ready") == ("True", "Succeeded"), "it says when, not what runs do"
    due = told(world).next_time
    assert due is not None
    assert world.now + timedelta(minutes=30) <= due <= world.now + timedelta(hours=1)
    world.edit("a", safety={})
    world.settle()
    assert (told(world).next_time, told(world).schedule, world.status("a").accuracy) == (None, None, "83.3333")


def test_runs_go_first_and_never_at_the_same_time() -> None:
    world = World(slots=2)
    world.create("a", safety={"verify": {"every": "1h"}}, schedule={"every": "1h"})
    world.settle()
    world.run(SUCCESS)
    world.wait(hours=2)
    assert (len(world.running), world.verified) == (1, [])
    world.run(SUCCESS)
    assert (len(world.running), len(world.verifying)) == (0, 1)
    world.wait(hours=2)
    assert (len(world.running), len(world.verifying)) == (0, 1), "a scheduled run waits for its end"
    world.verify(ACCURATE)
    assert (len(world.running), len(world.verifying)) == (1, 0)


def test_a_run_that_comes_due_goes_before_a_verification_that_waits_for_a_slot() -> None:
    world = World(slots=1)
    world.create("a", safety={"verify": {"every": "2s"}}, schedule=CRON)
    world.settle()
    world.wait(hours=1)
    world.create("b")
    world.annotate("b", requested="1")
    world.settle()
    world.run(SUCCESS)
    for _ in range(3):
        world.wait(minutes=1)
    assert ([key for key, _ in world.started], world.verified) == (["default/a", "default/b"], [])
    assert world.told("a", "Syncing") == ("False", "WaitingForSchedule"), "it is no run that waits for a slot"
    world.wait(hours=1)
    world.run(SUCCESS)
    assert ([key for key, _ in world.started], world.verified) == (["default/a", "default/b", "default/a"], [])
    world.run(SUCCESS)
    world.wait(seconds=3)
    assert len(world.verified) == 1


def test_runs_of_others_go_first_too() -> None:
    world = World(slots=1)
    for name in ("a", "b"):
        world.create(name)
    world.create("c", schedule={"cron": "5 * * * *"})
    world.settle()
    world.annotate("a", requested="1")
    world.settle()
    world.annotate("b", verify="1")
    world.settle()
    world.wait(minutes=10)
    world.run(SUCCESS)
    assert ([key for key, _ in world.started], world.verified) == (["default/a", "default/c"], [])
    world.run(SUCCESS)
    assert [key for key, _ in world.verified] == ["default/b"]


def test_a_requested_run_stops_it_and_it_is_due_again(world: World) -> None:
    pass_to_due(world)
    world.annotate("a", requested="now")
    world.settle()
    (id_,) = world.verifying
    assert world.cancelled == {id_}
    world.verify(TIMEOUT)
    assert (len(world.running), told(world).result) == (1, None)
    world.run(SUCCESS)
    assert len(world.verified) == 2
    world.verify(ACCURATE)
    assert world.status("a").accuracy == "83.3333"


@pytest.mark.parametrize("how", ["spec", "deletion"])
def test_what_it_compares_is_gone(world: World, how: str) -> None:
    pass_to_due(world)
    (id_,) = world.verifying
    if how == "spec":
        world.edit("a", fields=[{"name": "id", "type": "text"}])
    else:
        world.delete("a")
    world.settle()
    assert world.cancelled == {id_}
    world.verify(ACCURATE)
    assert len(world.verified) == (2 if how == "spec" else 1)


def test_a_failure_keeps_what_was_found_and_is_tried_again_as_a_run_is(world: World) -> None:
    pass_to_due(world)
    world.verify(ACCURATE)
    ready, found = world.condition("a", "Ready"), told(world)
    pass_to_due(world)
    began = world.now
    waits = []
    for _ in range(3):
        world.verify(TIMEOUT)
        due = told(world).next_time
        assert due is not None
        waits.append(due - world.now)
        pass_to_due(world)
    assert waits[:2] == [timedelta(minutes=1), timedelta(minutes=2)]
    assert world.now - began >= DAY / 2, "then the schedule goes on"
    assert (told(world).result, told(world).reason, told(world).message, told(world).failures) == (
        "Failed",
        "Timeout",
        "no answer in 30s",
        3,
    )
    assert (world.status("a").accuracy, told(world).time, told(world).rows) == ("83.3333", found.time, 3)
    assert (world.condition("a", "Ready"), world.status("a").consecutive_failures) == (ready, 0)
    assert world.reasons[1:] == ["VerificationFailed"] * 3
    assert world.events[-1].message == "Timeout: no answer in 30s"
    world.verify(ACCURATE)
    assert (told(world).result, told(world).reason, told(world).failures) == ("Succeeded", "", 0)


@pytest.mark.parametrize(
    ("outcome", "least"),
    [
        (MISMATCH, DAY / 2),
        ({**MISMATCH, "retry_after": 200_000.0}, timedelta(seconds=200_000)),
        ({**TIMEOUT, "retry_after": 700.0}, timedelta(seconds=700)),
    ],
)
def test_what_a_retry_would_not_mend_waits_for_the_schedule_and_for_what_was_asked(
    world: World, outcome: dict[str, Any], least: timedelta
) -> None:
    pass_to_due(world)
    world.verify(outcome)
    due = told(world).next_time
    assert due is not None
    assert least <= due - world.now <= max(least + timedelta(seconds=1), DAY)


def test_a_changed_secret_ends_the_wait_of_one_that_failed_and_runs_nothing(world: World) -> None:
    world.secret(listed=True)
    world.settle()
    world.secret()
    world.settle()
    assert world.verified == []
    pass_to_due(world)
    world.verify(UNAUTHORIZED)
    world.secret()
    world.settle()
    world.wait(seconds=1)
    assert len(world.verified) == 2
    world.verify(ACCURATE)
    world.secret()
    world.settle()
    assert (len(world.verified), world.triggers) == (2, ["Request"])


def test_a_request_verifies_at_once_whatever_the_schedule_says() -> None:
    world = World()
    world.create("a")
    world.settle()
    world.annotate("a", verify="1")
    world.settle()
    world.annotate("a", verify="2")
    world.annotate("a", verify="3")
    world.settle()
    assert world.status("a").last_handled_verify_at is None
    world.verify(ACCURATE)
    assert (world.status("a").last_handled_verify_at, len(world.verified)) == ("1", 2)
    world.verify(ACCURATE)
    assert (world.status("a").last_handled_verify_at, len(world.verified)) == ("3", 2)
    assert (world.triggers, told(world).next_time) == ([], None)
    world.restart()
    world.wait(days=9)
    assert len(world.verified) == 2


def test_a_request_while_suspended_is_refused_and_is_never_carried_out(world: World) -> None:
    world.edit("a", suspend=True, suspendReason="moving house")
    world.annotate("a", verify="1")
    world.settle()
    assert (told(world).result, told(world).reason) == ("Refused", "Suspended")
    message = "The request was refused and will not run later: Suspended: moving house."
    assert (told(world).message, world.events[-1].message, world.events[-1].reason) == (message, message, "Suspended")
    assert world.status("a").last_handled_verify_at == "1"
    world.edit("a", suspend=False)
    world.restart()
    world.settle()
    assert (world.verified, len(world.events)) == ([], 2)


def test_a_request_that_was_refused_while_one_was_under_way_stays_refused(world: World) -> None:
    world.annotate("a", verify="1")
    world.settle()
    world.edit("a", suspend=True)
    world.annotate("a", verify="2")
    world.settle()
    world.verify(ACCURATE)
    assert (world.status("a").last_handled_verify_at, world.status("a").accuracy) == ("2", "83.3333")
    world.edit("a", suspend=False)
    world.settle()
    assert (len(world.verified), world.reasons) == (1, ["Succeeded", "Suspended"])


def test_a_restored_object_does_not_carry_out_its_old_request() -> None:
    world = World()
    world.create("a", {api.VERIFY_REQUESTED_AT: "2025-01-01T00:00:00Z"})
    world.settle()
    assert (world.verified, world.status("a").last_handled_verify_at) == ([], "2025-01-01T00:00:00Z")


def test_stopping_leaves_it_to_the_next_operator(world: World) -> None:
    pass_to_due(world)
    (id_,) = world.verifying
    world.feed(Stopping())
    assert world.cancelled == {id_}
    writes = world.writes
    world.verify(TIMEOUT)
    assert (world.writes, told(world).result) == (writes, None)
    world.restart()
    world.settle()
    assert len(world.verified) == 2


def test_slots_are_for_both() -> None:
    world = World(slots=1)
    for name in ("a", "b"):
        world.create(name, schedule=EVERY)
    world.settle()
    world.run(SUCCESS)
    world.run(SUCCESS)
    for name in ("a", "b"):
        world.annotate(name, verify="1")
    world.settle()
    assert len(world.verifying) == 1
    world.verify(ACCURATE)
    assert len(world.verifying) == 1
    world.annotate("a", requested="1")
    world.settle()
    assert (len(world.running), len(world.verifying)) == (0, 1), "b's goes on: it is not b that was asked for"
    world.verify(ACCURATE)
    assert len(world.running) == 1
