"""Partitions on a real database: each has a cursor, a transaction and a failure of its own, and the run's end tells the truth of all."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from syncsource import ledger
from syncsource.engine.executing import settle
from syncsource.engine.plan import Counts, Next, Outcome, Partitions
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError, RetryableError, StalledError, SyncError
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.database.model import Record

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed integer, note text)"


class Stores:
    """An upstream with a list of records for each store. ``asked`` are the slices that it was asked for."""

    def __init__(self, **records: list[Record]) -> None:
        self.records = records
        self.errors: dict[str, Exception] = {}
        self.asked: list[Slice] = []
        self.opened = self.closed = 0
        self.meanwhile: Callable[[str], None] = lambda partition: None

    def __call__(self) -> _Store:
        self.opened += 1
        return _Store(self)


class _Store:
    """One connection to it."""

    def __init__(self, stores: Stores) -> None:
        self._stores, self._closed = stores, False
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True

    def pages(self, part: Slice) -> Iterator[Page]:
        """The store's records, from the cursor on."""
        assert not self._closed
        self._stores.asked.append(part)
        self._stores.meanwhile(part.partition)
        found = [one for one in self._stores.records[part.partition] if part.since is None or one["changed"] >= int(part.since)]
        self.billed += len(found)
        yield Page([dict(one) for one in found])
        if part.partition in self._stores.errors:
            raise self._stores.errors[part.partition]

    def close(self) -> None:
        """Counted once."""
        self._stores.closed += not self._closed
        self._closed = True


def record(number: int, changed: int | None = None, **more: Any) -> Record:
    return {"id": number, "name": "a", "amount": 1, "changed": number if changed is None else changed, **more}


def partitioned(place: Place, *values: str, **more: Any) -> Engine:
    place.sql(CREATE)
    partitions = {**({"values": list(values)} if values else {}), "parallelism": 3, **more.pop("partitions", {})}
    return Engine(place, "t", partitions=partitions, **more)


def results(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(one.partition, one.result, one.reason) for one in outcome.by_partition]


def texts(engine: Engine, *partitions: str) -> list[str | None]:
    return [kept.text if (kept := engine.kept(partition)) else None for partition in partitions]


def test_one_cursor_shared_by_all_partitions_is_none_at_all(place: Place) -> None:
    """A late store must be read from its own cursor, not from the furthest one's."""
    engine = partitioned(place, "east", "west")
    stores = Stores(east=[record(1, 100)], west=[record(2, 5)])
    first = engine.run(stores)
    assert (first.result, first.full, first.cursor) == ("Succeeded", True, "5")
    assert texts(engine, "east", "west", "") == ["100", "5", None]
    stores.records["west"].append(record(3, 6))
    second = engine.run(stores)
    assert {part.partition: part.since for part in stores.asked[2:]} == {"east": "100", "west": "5"}
    assert (second.full, second.counts.inserted, sorted(engine.rows())) == (False, 1, [1, 2, 3])


def test_the_summary_that_people_want_to_read(place: Place) -> None:
    values = [f"store-{number}" for number in range(21)]
    engine = partitioned(place, *values)
    many = {value: [record(index * 10 + more) for more in range(1 if index < 14 else 18)] for index, value in enumerate(values)}
    stores = Stores(**{value: found[:7] for value, found in many.items()})
    engine.run(stores)
    stores.records[values[20]] += [record(5000 + number) for number in range(15)]
    outcome = engine.run(stores, full=True)
    assert outcome.message == "21/21 partitions, 15 new, 63 unchanged, 0 errors"
    assert outcome.partitions == Partitions(total=21, succeeded=21)
    assert outcome.document_reads == outcome.counts.read == 78
    assert [one.partition for one in outcome.by_partition] == values
    assert engine.progress[-1].partitions is not None
    assert engine.progress[-1].partitions.total == 21
    [run, _] = ledger.history(place.database.engine, f"{IDENTITY}/t")
    assert (run.result, run.message, run.document_reads) == ("Succeeded", outcome.message, 78)
    assert (run.partitions_total, run.partitions_succeeded, run.partitions_failed) == (21, 21, 0)
    assert stores.opened == stores.closed <= 12


def test_a_first_run_of_which_a_partition_failed_is_no_full_one(place: Place) -> None:
    """Its retry goes on from the cursors of the others: what failed as a full run is tried again as one."""
    engine = partitioned(place, "east", "west")
    stores = Stores(east=[record(1, 100)], west=[record(2, 5)])
    stores.errors["west"] = RetryableError("the upstream answered 503", reason="HTTP503")
    first = engine.run(stores)
    assert (first.result, first.full) == ("Failed", False)
    stores.errors.clear()
    assert engine.run(stores).full is False
    assert {part.partition: part.since for part in stores.asked[2:]} == {"east": "100", "west": None}


def test_of_partitions_that_failed_nothing_stays_in_memory_but_what_is_told(place: Place) -> None:
    values = [str(number) for number in range(12)]
    engine = partitioned(place, *values, partitions={"parallelism": 1})
    stores = Stores(**{value: [record(1)] for value in values})
    stores.errors = {value: RetryableError("the upstream answered 503", reason="HTTP503") for value in values}
    open_ones: weakref.WeakSet[_Store] = weakref.WeakSet()
    most = 0

    def opened() -> _Store:
        nonlocal most
        open_ones.add(store := stores())
        most = max(most, len(open_ones))
        return store

    outcome = engine.run(opened)
    assert (outcome.document_reads, stores.closed) == (12, 12)
    assert most <= 2


def test_one_fails_and_the_others_commit(place: Place) -> None:
    engine = partitioned(place, "east", "west", "north")
    stores = Stores(east=[record(1)], west=[record(2)], north=[record(3)])
    stores.errors["west"] = RetryableError("the upstream answered 503", reason="HTTP503", after=90)
    plan = engine.plan()
    outcome = engine.execute(plan, stores)
    assert (outcome.result, outcome.reason, outcome.next, outcome.retry_after) == ("Failed", "PartitionsFailed", Next.RETRY, 90)
    assert outcome.message == "2/3 partitions, 2 new, 0 unchanged, 1 error: west: HTTP503: the upstream answered 503"
    assert results(outcome) == [("east", "Succeeded", ""), ("west", "Failed", "HTTP503"), ("north", "Succeeded", "")]
    assert sorted(engine.rows()) == [1, 3]
    assert texts(engine, "east", "west", "north") == ["1", None, "3"]
    [run] = ledger.history(place.database.engine, f"{IDENTITY}/t")
    assert (run.result, run.reason, run.inserted, run.partitions_failed) == ("Failed", "PartitionsFailed", 2, 1)
    settled = settle(plan)
    assert (settled.result, settled.counts, settled.partitions) == ("Failed", outcome.counts, outcome.partitions)
    stores.errors.clear()
    again = engine.run(stores)
    assert (again.result, again.message) == ("Succeeded", "3/3 partitions, 1 new, 2 unchanged, 0 errors")
    assert stores.opened == stores.closed


def test_after_stop_no_further_one_begins(place: Place) -> None:
    engine = partitioned(place, "a", "b", "c", "d", partitions={"parallelism": 1, "onFailure": "Stop"})
    stores = Stores(a=[record(1)], b=[record(2)], c=[record(3)], d=[record(4)])
    stores.errors["b"] = PermanentError("no such store", reason="HTTP404")
    outcome = engine.run(stores)
    assert [part.partition for part in stores.asked] == ["a", "b"]
    assert outcome.message == "1/4 partitions, 1 new, 0 unchanged, 1 error, 2 not begun: b: HTTP404: no such store"
    assert (outcome.result, outcome.reason, outcome.next) == ("Failed", "PartitionsFailed", Next.SCHEDULE)
    assert outcome.partitions == Partitions(total=4, succeeded=1, failed=1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (StalledError("x", reason="AuthFailed"), StalledError("x", reason="AuthFailed"), ("AuthFailed", Next.STALL)),
        (StalledError("x", reason="AuthFailed"), PermanentError("x", reason="HTTP404"), ("PartitionsFailed", Next.SCHEDULE)),
        (StalledError("x", reason="AuthFailed"), None, ("PartitionsFailed", Next.SCHEDULE)),
        (PermanentError("x", reason="HTTP404"), RetryableError("x", reason="HTTP503"), ("PartitionsFailed", Next.RETRY)),
        (ZeroDivisionError("s3cr3t"), None, ("PartitionsFailed", Next.RETRY)),
    ],
)
def test_what_one_partition_waits_for_does_not_keep_the_others(
    sqlite: Place, one: Exception, other: SyncError | None, expected: tuple[str, Next]
) -> None:
    engine = partitioned(sqlite, "a", "b")
    stores = Stores(a=[record(1)], b=[record(2)])
    stores.errors = {"a": one, **({"b": other} if other else {})}
    outcome = engine.run(stores)
    assert (outcome.result, outcome.reason, outcome.next) == ("Failed", *expected)
    assert "s3cr3t" not in str(outcome)


def test_limits_are_those_of_a_partition(place: Place) -> None:
    engine = partitioned(place, "good", "bad", validation={"maxInvalid": 1})
    bad = [record(number, amount="lots") for number in (2, 3)]
    outcome = engine.run(Stores(good=[record(1), record(9, amount="lots")], bad=[*bad, record(4)]))
    assert results(outcome) == [("good", "Succeeded", ""), ("bad", "Failed", "TooManyInvalid")]
    assert (sorted(engine.rows()), engine.quarantined(), outcome.quarantined_total) == ([1], 1, 1)


def test_quarantine_is_told_for_all(place: Place) -> None:
    engine = partitioned(place, "a", "b")
    outcome = engine.run(Stores(a=[record(1, amount="lots")], b=[record(2, amount="few"), record(3)]))
    assert (outcome.result, outcome.reason) == ("Succeeded", "RecordsQuarantined")
    assert outcome.message == "2/2 partitions, 1 new, 2 quarantined, 0 unchanged, 0 errors; quarantined: 2 InvalidValue (amount)"
    assert outcome.quarantined_total == 2


def test_one_that_goes_away_keeps_its_rows_and_its_cursor(place: Place) -> None:
    engine = partitioned(place, "a", "b")
    stores = Stores(a=[record(1)], b=[record(2)])
    engine.run(stores)
    fewer = Engine(place, "t", partitions={"values": ["a"]})
    assert fewer.run(stores).message == "1/1 partitions, 0 new, 1 unchanged, 0 errors"
    assert (sorted(engine.rows()), texts(engine, "a", "b")) == ([1, 2], ["1", "2"])


def test_as_many_at_a_time_as_declared(place: Place) -> None:
    """Three wait for one another; a fourth at the same time would break the count."""
    engine = partitioned(place, *"abcdef")
    together, lock = threading.Barrier(3, timeout=20), threading.Lock()
    now, most = 0, 0

    def meanwhile(partition: str) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    stores = Stores(**{name: [record(number)] for number, name in enumerate("abcdef")})
    stores.meanwhile = meanwhile
    assert engine.run(stores).message == "6/6 partitions, 6 new, 0 unchanged, 0 errors"
    assert most == 3


def test_many_commit_side_by_side(place: Place) -> None:
    """On SQLite they queue: none waits so long that it fails."""
    values = [f"p{number}" for number in range(12)]
    engine = partitioned(place, *values, partitions={"parallelism": 12})
    stores = Stores(**{value: [record(number * 100 + more) for more in range(50)] for number, value in enumerate(values)})
    together = threading.Barrier(12, timeout=30)
    stores.meanwhile = lambda partition: together.wait() and None
    assert engine.run(stores).message == "12/12 partitions, 600 new, 0 unchanged, 0 errors"
    assert len(engine.rows()) == 600


def test_a_run_that_takes_over_fences_the_rest(place: Place) -> None:
    engine = partitioned(place, "a", "b", "c", partitions={"parallelism": 1})
    stores = Stores(a=[record(1)], b=[record(2)], c=[record(3)])
    stores.meanwhile = lambda partition: _take_over(engine) if partition == "b" else None
    outcome = engine.run(stores)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Fenced")
    assert [part.partition for part in stores.asked] == ["a", "b"]
    assert (sorted(engine.rows()), texts(engine, "a", "b")) == ([1], ["1", None])


def _take_over(engine: Engine) -> None:
    database = engine.place.database.engine
    now = ledger.history(database, f"{IDENTITY}/t")[0].started_at
    ledger.acquire(database, f"{IDENTITY}/t", run=uuid4().hex, trigger="Request", generation=1, started_at=now)


def test_a_cancelled_run_tells_what_it_had_committed(place: Place) -> None:
    engine, stop = partitioned(place, "a", "b", "c", partitions={"parallelism": 1}), Stop()
    stores = Stores(a=[record(1)], b=[record(2)], c=[record(3)])
    stores.meanwhile = lambda partition: stop() if partition == "b" else None
    plan = engine.plan()
    outcome = engine.execute(plan, stores, stop)
    assert (outcome.result, outcome.reason, outcome.counts.inserted) == ("Interrupted", "Cancelled", 1)
    assert outcome.message == "the run was cancelled; committed before: 1/3 partitions, 1 new, 0 unchanged, 0 errors, 2 not begun"
    assert outcome.partitions == settle(plan).partitions == Partitions(total=3, succeeded=1)
    assert (sorted(engine.rows()), texts(engine, "a", "b", "c")) == ([1], ["1", None, None])


def test_what_a_process_that_is_gone_had_committed_is_settled(place: Place) -> None:
    engine = partitioned(place, "a", "b", partitions={"parallelism": 1})
    plan, settled = engine.plan(), []
    stores = Stores(a=[record(1)], b=[record(2)])
    stores.meanwhile = lambda partition: settled.append(settle(plan)) if partition == "b" else None
    engine.execute(plan, stores)
    [outcome] = settled
    assert (outcome.result, outcome.next, outcome.reason) == ("Interrupted", Next.RETRY, "Interrupted")
    assert (outcome.counts, outcome.partitions) == (Counts(read=1, inserted=1), Partitions(total=2, succeeded=1))
    assert results(outcome) == [("a", "Succeeded", "")]
    assert sorted(engine.rows()) == [1]


def test_a_delay_between_starts_ends_with_the_run(sqlite: Place) -> None:
    engine, stop = partitioned(sqlite, "a", "b", partitions={"delay": "10d"}), Stop()
    stores = Stores(a=[record(1)], b=[record(2)])
    stores.meanwhile = lambda partition: stop() if partition == "a" else None
    assert engine.run(stores, stop=stop).reason == "Cancelled"
    assert [part.partition for part in stores.asked] == ["a"]


def test_a_message_of_a_partition_holds_no_secret(sqlite: Place) -> None:
    engine = partitioned(sqlite, "a", "b")
    stores = Stores(a=[], b=[])
    stores.errors["a"] = RetryableError(f"can't open {engine.url}", reason="HTTP500")
    outcome = engine.run(stores)
    assert (outcome.by_partition[0].result, engine.url in str(outcome)) == ("Failed", False)
    assert engine.url not in str(ledger.partition_records(sqlite.database.engine, outcome.run))
    assert engine.url not in ledger.history(sqlite.database.engine, f"{IDENTITY}/t")[0].message
