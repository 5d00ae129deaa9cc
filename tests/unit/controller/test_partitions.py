"""What status tells of partitions, of documents that are billed, and of where the data are."""

from __future__ import annotations

from syncsource.engine.plan import Counts, Next, Partitions
from syncsource.resource.status import PartitionCounts
from tests.unit.controller.world import EVERY, SUCCESS, TIMEOUT, World

MESSAGE = "20/21 partitions, 15 new, 142 unchanged, 1 error: 17: HTTP503: the upstream answered 503"
FAILED = {
    "result": "Failed",
    "next": Next.RETRY,
    "reason": "PartitionsFailed",
    "message": MESSAGE,
    "partitions": Partitions(total=21, succeeded=20, failed=1),
    "counts": Counts(read=157, inserted=15, unchanged=142),
    "cursor": "2026-01-01T00:00:00Z",
}


def ran(outcome: dict[str, object]) -> World:
    world = World()
    world.create("a", schedule=EVERY)
    world.settle()
    world.run(outcome)
    return world


def test_a_run_of_which_a_partition_failed_is_never_green() -> None:
    world = ran(FAILED)
    status = world.status("a")
    assert world.told("a", "Ready") == ("False", "PartitionsFailed")
    assert status.last_run is not None
    assert status.last_run.partitions == status.history[0].partitions == PartitionCounts(total=21, succeeded=20, failed=1)
    assert (status.last_run.changed, status.history[0].message, status.cursor) == (15, MESSAGE, "2026-01-01T00:00:00Z")
    assert world.triggers == ["Create"]
    assert status.next_retry_time is not None


def test_a_run_without_partitions_tells_of_none() -> None:
    entry = ran(SUCCESS).objects["a"]["status"]["history"][0]
    assert entry.keys() & {"partitions", "documentReads"} == set()


def test_billed_documents_are_told() -> None:
    last = ran({**SUCCESS, "document_reads": 12}).objects["a"]["status"]["lastRun"]
    assert last["documentReads"] == 12


def test_the_place_of_the_data_is_told_with_the_first_status() -> None:
    world = World()
    world.create("a", suspend=True)
    world.settle()
    assert world.status("a").source == "http: http://upstream.example/v1"
    world.edit("a", source={"http": {"baseURL": "http://other.example"}})
    world.settle()
    assert world.status("a").source == "http: http://other.example"
    world.edit("a", source={"http": {"baseURL": 5}})
    world.settle()
    assert world.status("a").source == "http: http://other.example"


def test_a_failure_of_the_whole_run_tells_no_partitions() -> None:
    assert ran(TIMEOUT).status("a").history[0].partitions is None
