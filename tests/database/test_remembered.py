"""What a source remembers is kept beside its cursor, and believed only while the database is as a complete read left it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from syncsource import ledger
from syncsource.errors import RetryableError
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.database.model import Record
from tests.database.test_partitions import Stores

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed integer, note text)"


class Tagged:
    """An upstream with a version that it remembers. ``given`` are the states that it was given."""

    def __init__(self, *records: Record) -> None:
        self.records, self.version = list(records), "v1"
        self.given: list[str | None] = []
        self.breaks, self.broken = False, "none"
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True

    def pages(self, part: Slice) -> Iterator[Page]:
        """Nothing where the state is the version. Of a partition that is a number, its record only."""
        self.given.append(part.state)
        self.unchanged = part.state == self.version
        self.state = None
        if not self.unchanged:
            yield Page([dict(one) for one in self.records if part.partition in ("", "a", "b", str(one["id"]))])
        if self.breaks or part.partition == self.broken:
            raise RetryableError("the upstream broke off", reason="ConnectionLost")
        self.state = self.version

    def close(self) -> None:
        """Nothing to give back."""


def record(number: int, **more: object) -> Record:
    return {"id": number, "name": "a", "amount": 1, "changed": number, **more}


@pytest.fixture(params=[True, False], ids=["incremental", "whole"])
def engine(place: Place, request: pytest.FixtureRequest) -> Engine:
    place.sql(CREATE)
    return Engine(place, "t", **({} if request.param else {"incremental": None}))


def test_an_unchanged_source_writes_nothing_and_says_so(engine: Engine) -> None:
    upstream = Tagged(record(1))
    first = engine.run(upstream)
    kept = engine.kept()
    assert kept is not None
    assert kept.state == "v1"
    engine.place.sql("UPDATE t SET name = 'mine'")
    again = engine.run(upstream)
    assert (again.result, again.message, again.counts.read) == ("Succeeded", "the source is unchanged", 0)
    assert (again.cursor, engine.kept(), again.full) == (first.cursor, kept, False)
    assert engine.rows()[1]["name"] == "mine"
    [run, _] = ledger.history(engine.place.database.engine, f"{IDENTITY}/t")
    assert (run.result, run.message) == ("Succeeded", "the source is unchanged")
    assert upstream.given == [None, "v1"]


def test_a_full_run_is_given_nothing_to_remember(engine: Engine) -> None:
    upstream = Tagged(record(1))
    engine.run(upstream)
    engine.place.sql("UPDATE t SET name = 'mine'")
    outcome = engine.run(upstream, full=True)
    assert (outcome.full, outcome.counts.updated, upstream.given) == (True, 1, [None, None])


def test_a_table_that_was_emptied_is_filled_again(engine: Engine) -> None:
    upstream = Tagged(record(1))
    engine.run(upstream)
    engine.place.sql("DELETE FROM t")
    engine.run(upstream)
    assert (upstream.given, sorted(engine.rows())) == ([None, None], [1])


def test_records_in_quarantine_are_read_again(engine: Engine) -> None:
    upstream = Tagged(record(1), record(2, amount="lots"))
    engine.run(upstream)
    assert engine.run(upstream).quarantined_total == 1
    upstream.records[1]["amount"] = 3
    assert engine.run(upstream, full=True).quarantined_total == 0
    engine.run(upstream)
    assert upstream.given == [None, None, None, "v1"]


def test_another_spec_is_given_nothing_to_remember(engine: Engine) -> None:
    upstream = Tagged(record(1))
    engine.run(upstream)
    other = Engine(engine.place, "t", **{**engine.spec, "source": {"http": {"baseURL": "http://other"}}})
    other.run(upstream)
    assert upstream.given == [None, None]


def test_a_failed_run_remembers_nothing_new(engine: Engine) -> None:
    upstream = Tagged(record(1))
    engine.run(upstream)
    kept = engine.kept()
    upstream.version, upstream.breaks = "v2", True
    assert engine.run(upstream).result == "Failed"
    assert engine.kept() == kept
    upstream.breaks = False
    engine.run(upstream)
    assert upstream.given == [None, "v1", "v1"]
    assert (kept := engine.kept()) is not None
    assert kept.state == "v2"


def test_each_partition_remembers_its_own(place: Place) -> None:
    place.sql(CREATE)
    engine, upstream = Engine(place, "t", partitions={"values": ["a", "b"]}), Tagged(record(1))
    engine.run(upstream)
    outcome = engine.run(upstream)
    assert outcome.message == "2/2 partitions, 0 new, 0 unchanged, 0 errors"
    assert [one.message for one in outcome.by_partition] == ["the source is unchanged"] * 2
    assert upstream.given == [None, None, "v1", "v1"]


def test_an_emptied_table_is_filled_again_by_all_partitions(place: Place) -> None:
    """By the time that the second one begins, the table has the rows of the first; and even a run later."""
    place.sql(CREATE)
    engine = Engine(place, "t", partitions={"values": ["1", "2", "3"]}, incremental=None)
    upstream = Tagged(record(1), record(2), record(3))
    engine.run(upstream)
    place.sql("DELETE FROM t")
    upstream.broken = "3"
    assert engine.run(upstream).result == "Failed"
    assert sorted(engine.rows()) == [1, 2]
    upstream.broken = "none"
    engine.run(upstream)
    assert sorted(engine.rows()) == [1, 2, 3]
    assert upstream.given == [None] * 6 + ["v1", "v1", None]


@pytest.mark.parametrize("partitions", [None, {"values": ["1", "2"]}])
def test_a_table_that_was_dropped_is_filled_again_whatever_the_cursor(place: Place, partitions: dict[str, list[str]] | None) -> None:
    reference = {"secretKeyRef": {"name": "db", "key": "url"}}
    engine = Engine(place, "t", partitions=partitions, destination={"sql": {"urlFrom": reference, "table": "t", "createTable": True}})
    stores = {"": [record(1), record(2)], "1": [record(1)], "2": [record(2)]}
    engine.run(Stores(**stores))
    place.sql("DROP TABLE t")
    outcome = engine.run(Stores(**stores))
    assert (outcome.full, outcome.counts.inserted) == (True, 2)
