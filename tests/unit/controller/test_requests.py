"""What annotations ask for, and how each request is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from syncsource.controller.core.requests import Requests, read_requests
from syncsource.resource import api
from syncsource.resource.status import SyncSourceStatus
from tests.unit.controller.world import CRON, INTERRUPTED, START, SUCCESS, World

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    world = World()
    world.create("a", schedule=CRON)
    world.settle()
    return world


def handled(world: World) -> tuple[str | None, str | None]:
    status = world.status("a")
    return status.last_handled_request_at, status.last_handled_full_refresh_at


def test_absence_asks_for_nothing() -> None:
    assert not read_requests({}, created=CREATED).pending(SyncSourceStatus())
    assert not read_requests({api.FULL_REFRESH_AT: "1"}, created=CREATED).pending(SyncSourceStatus())


@pytest.mark.parametrize("value", ["", "0", "1", "now", "2026-05-01T00:00:00Z", "x" * 128])
def test_any_new_value_asks(value: str) -> None:
    requests = read_requests({api.REQUESTED_AT: value}, created=CREATED)
    assert requests == Requests(run=value)
    assert requests.pending(SyncSourceStatus())
    assert not requests.pending(SyncSourceStatus(last_handled_request_at=value))


def test_long_values_are_kept_as_their_hash() -> None:
    value = "é" * 65
    assert read_requests({api.REQUESTED_AT: value}, created=CREATED).run == sha256(value.encode()).hexdigest()


@pytest.mark.parametrize(
    ("value", "outdated"),
    [
        ("2025-12-31T23:59:59Z", True),
        ("2026-01-01T00:59:59+01:00", True),
        ("2026-01-01T00:00:00Z", False),
        ("2025-12-31", False),
        ("1", False),
    ],
)
def test_a_time_before_the_creation_is_outdated(value: str, outdated: bool) -> None:
    assert read_requests({api.REQUESTED_AT: value}, created=CREATED).outdated is outdated


def test_a_restored_object_does_not_run_its_old_request(world: World) -> None:
    world.create("b", {api.REQUESTED_AT: "2025-01-01T00:00:00Z", api.FULL_REFRESH_AT: "2025-01-01T00:00:00Z"})
    world.settle()
    assert world.triggers == []
    assert world.status("b").last_handled_request_at == "2025-01-01T00:00:00Z"
    assert world.status("b").last_handled_full_refresh_at == "2025-01-01T00:00:00Z"


def test_a_request_runs_at_once_and_is_handled_at_the_start(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    assert world.triggers == ["Request"]
    assert handled(world) == ("1", None)
    world.run(SUCCESS)
    assert world.triggers == ["Request"]


def test_requests_while_running_make_one_more_run(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    for value in ("2", "3", "4"):
        world.annotate("a", requested=value)
        world.settle()
    assert handled(world) == ("1", None)
    world.run(SUCCESS)
    assert world.triggers == ["Request", "Request"]
    assert handled(world) == ("4", None)
    world.run(SUCCESS)
    assert world.triggers == ["Request", "Request"]


def test_a_request_while_suspended_is_refused_and_never_runs(world: World) -> None:
    world.edit("a", suspend=True, suspendReason="moving house")
    world.annotate("a", requested="1", full="1")
    world.settle()
    (entry,) = world.status("a").history
    assert (entry.result, entry.reason, entry.trigger) == ("Refused", "Suspended", "Request")
    assert entry.message == "The request was refused and will not run later: Suspended: moving house."
    assert handled(world) == ("1", "1")
    assert world.reasons == ["Suspended"]
    world.edit("a", suspend=False)
    world.settle()
    world.restart()
    world.settle()
    assert world.triggers == []


def test_a_follow_up_is_refused_where_the_source_was_suspended_meanwhile(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    world.annotate("a", requested="2")
    world.edit("a", suspend=True)
    world.settle()
    world.run(SUCCESS)
    assert world.triggers == ["Request"]
    assert [entry.result for entry in world.status("a").history] == ["Succeeded", "Refused"]


def test_a_request_for_an_invalid_spec_is_refused(world: World) -> None:
    world.edit("a", schedule={"cron": "61 * * * *"})
    world.annotate("a", requested="1")
    world.settle()
    assert world.status("a").history[0].reason == "InvalidSpec"
    world.edit("a", schedule=CRON)
    world.settle()
    assert world.triggers == []


def test_a_full_refresh_needs_the_same_value(world: World) -> None:
    world.annotate("a", requested="1", full="1")
    world.settle()
    assert world.started[-1][1].run.full
    assert handled(world) == ("1", "1")
    world.run(SUCCESS)
    world.annotate("a", full="2")
    world.settle()
    assert world.triggers == ["Request"]
    world.annotate("a", requested="2")
    world.settle()
    assert [start.run.full for _, start in world.started] == [True, True]


def test_a_full_refresh_that_comes_after_its_request_counts_once(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    world.annotate("a", full="1")
    world.settle()
    world.run(SUCCESS)
    assert [start.run.full for _, start in world.started] == [False, True]
    world.run(SUCCESS)
    assert world.triggers == ["Request", "Request"]
    assert handled(world) == ("1", "1")


def test_removed_annotations_ask_for_nothing(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    world.run(SUCCESS)
    world.objects["a"]["metadata"]["annotations"].clear()
    world._changed(world.objects["a"])
    world.settle()
    assert world.triggers == ["Request"]
    assert handled(world) == ("1", None)


def test_an_older_event_that_comes_late_asks_for_nothing(world: World) -> None:
    world.annotate("a", requested="1")
    late = world.watch.pop()
    world.annotate("a", requested="2")
    world.settle()
    world.run(SUCCESS)
    world.feed(late)
    world.settle()
    assert world.triggers == ["Request"]


def test_what_replaces_an_unfinished_full_refresh_is_full(world: World) -> None:
    world.annotate("a", requested="1", full="1")
    world.settle()
    world.restart()
    world.settle()
    world.wait(seconds=31)
    assert [(start.run.trigger, start.run.full) for _, start in world.started] == [("Request", True), ("Retry", True)]
    world.run(INTERRUPTED)
    assert world.now > START


def test_a_request_that_comes_while_a_run_is_prepared_is_answered_by_it(world: World) -> None:
    world.annotate("a", requested="1")
    world.deliver()
    assert world.starting
    world.annotate("a", requested="2")
    world.settle()
    assert handled(world) == ("2", None)
    world.run(SUCCESS)
    assert world.triggers == ["Request"]


def test_but_a_full_refresh_is_not_answered_by_a_run_that_is_none(world: World) -> None:
    world.annotate("a", requested="1")
    world.deliver()
    world.annotate("a", requested="2", full="2")
    world.settle()
    assert handled(world) == ("1", None)
    world.run(SUCCESS)
    assert [start.run.full for _, start in world.started] == [False, True]


def test_other_metadata_asks_for_nothing(world: World) -> None:
    world.annotate("a", requested="1")
    world.settle()
    world.run(SUCCESS)
    writes, metadata = world.writes, world.objects["a"]["metadata"]
    metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
    metadata["labels"] = {"revision": "5f2c"}
    metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}]
    world._changed(world.objects["a"])
    world.settle()
    assert (world.triggers, world.writes) == (["Request"], writes)
