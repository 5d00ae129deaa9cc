"""What a source remembers is kept beside its cursor, and believed only while the database is as a complete read left it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncsource import ledger
from syncsource.errors import RetryableError
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.database.model import Record

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed integer, note text)"


class Tagged:
    """An upstream with a version that it remembers. ``given`` are the states that it was given."""

    def __init__(self, *records: Record) -> None:
        self.records, self.version = list(records), "v1"
        self.given: list[str | None] = []
        self.breaks = False
        self.state: str | None = None
        self.unchanged, self.billed = False, 0

    def pages(self, part: Slice) -> Iterator[Page]:
        """Nothing where the state is the version."""
        self.given.append(part.state)
        self.unchanged = part.state == self.version
        self.state = None
        if not self.unchanged:
            yield Page([dict(one) for one in self.records])
        if self.breaks:
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
