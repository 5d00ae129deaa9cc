"""The engine against the model of one run: whatever happens in whatever order, the database holds what the model says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from syncsource import ledger
from syncsource.destinations import applying, companions, images
from syncsource.engine import undoing
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine, Upstream
from tests.database.model import Model, Policies, Record

EXAMPLES = 200 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 15

records = st.fixed_dictionaries(
    {
        "id": st.sampled_from([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, None]),
        "name": st.sampled_from(["a", "A", "ä\t\\N'", "", None]),
        "amount": st.sampled_from([0, 1, 2, 3, 0, 1, 2, 3, None, None, "lots"]),
        "changed": st.sampled_from([*range(10), None]),
    }
)


writing = st.builds(
    Policies,
    on_missing=st.sampled_from(["Insert", "Insert", "Skip"]),
    on_existing=st.sampled_from(["Update", "Merge"]),
    on_absent=st.sampled_from(["Ignore", "Ignore", "SoftDelete", "Delete"]),
    resolve=st.sampled_from(["Manual", "Source", "Destination"]),
    protect=st.sampled_from([frozenset(), frozenset(), frozenset({"name"})]),
    max_changed=st.sampled_from([None, None, 3]),
)
policies = st.sampled_from([writing, writing, writing, st.just(Policies(on_existing="Skip"))]).flatmap(lambda one: one)


class Promises(RuleBasedStateMachine):
    """Records change upstream, people edit rows, runs succeed, break off, are cancelled and undone; engine and model must agree."""

    place: Place

    @initialize(
        policies=policies,
        max_invalid=st.sampled_from([None, None, 1]),
        upstream=st.lists(records, max_size=8),
    )
    def begin(self, policies: Policies, max_invalid: int | None, upstream: list[Record]) -> None:
        """An empty table with a column that is not mapped."""
        table = f"t{uuid4().hex[:12]}"
        columns = "id bigint PRIMARY KEY, name text, amount bigint, changed bigint, note text, gone boolean NOT NULL DEFAULT false"
        self.place.sql(f"CREATE TABLE {table} ({columns})")
        ledger.prepare(self.place.database.engine)
        validation = {} if max_invalid is None else {"maxInvalid": max_invalid}
        safety = {"undo": {"keep": "1d"}, **({} if policies.max_changed is None else {"maxChanged": policies.max_changed})}
        self.engine = Engine(self.place, table, write=policies.write, validation=validation, safety=safety)
        self.model = Model(policies=policies, max_invalid=max_invalid)
        self.upstream, self.changes = upstream, 0

    @rule(record=records)
    def upstream_gains(self, record: Record) -> None:
        """A record, perhaps one more of the same key."""
        self.upstream.append(record)

    @rule(record=records, data=st.data())
    def upstream_changes(self, record: Record, data: st.DataObject) -> None:
        """One record becomes another."""
        if self.upstream:
            self.upstream[data.draw(st.integers(0, len(self.upstream) - 1))] = record

    @rule(key=st.integers(1, 6), column=st.sampled_from(["name", "note"]), value=st.sampled_from(["mine", None]))
    def person_edits(self, key: int, column: str, value: str | None) -> None:
        """A mapped column, or one that is not."""
        self.model.person_edits(key, column, value)
        literal = "NULL" if value is None else f"'{value}'"
        self.place.sql(f"UPDATE {self.engine.table} SET {column} = {literal} WHERE id = {key}")

    @rule(key=st.integers(1, 6), gone=st.booleans())
    def person_marks(self, key: int, gone: bool) -> None:
        """A row as deleted, or as not deleted."""
        self.model.person_edits(key, "gone", gone)
        self.place.sql(f"UPDATE {self.engine.table} SET gone = {gone} WHERE id = {key}")

    @rule(key=st.integers(1, 8))
    def person_types_in(self, key: int) -> None:
        """A row of their own."""
        if key not in self.model.state.table:
            self.model.person_types_in(key)
            self.place.sql(f"INSERT INTO {self.engine.table} (id, name, note) VALUES ({key}, 'typed', 'mine')")

    @rule(key=st.integers(1, 8))
    def person_deletes(self, key: int) -> None:
        """Whosever row it is."""
        self.model.person_deletes(key)
        self.place.sql(f"DELETE FROM {self.engine.table} WHERE id = {key}")

    @rule(gone=st.integers(0, 7))
    def upstream_loses(self, gone: int) -> None:
        """A record."""
        del self.upstream[gone : gone + 1]

    @rule()
    def somebody_undoes_the_last_run(self) -> None:
        """What was foreseen is done, and is what the model says."""
        expected = self.model.undo()
        if expected is None:
            with pytest.raises(PermanentError, match="of no run it is kept"):
                undoing.foresee(self.engine.plan(), None, Stop())
            return
        foreseen = undoing.foresee(self.engine.plan(), None, Stop())
        _, done = undoing.undo(self.engine.plan(), foreseen.run, Stop())
        assert done == foreseen
        assert (foreseen.restored, foreseen.removed, foreseen.reinserted, foreseen.left) == expected

    @rule(full=st.booleans())
    def runs(self, full: bool) -> None:
        """A run to its end: the counts are the model's, and they add up."""
        outcome = self.engine.run(Upstream(self.upstream), full=full)
        expected = self.model.run(self.upstream, full=full)
        if isinstance(expected, str):
            assert (outcome.result, outcome.reason) == ("Failed", expected), outcome
        else:
            assert outcome.result == "Succeeded", outcome
            assert msgspec.to_builtins(outcome.counts) == asdict(expected)
            assert outcome.conflicts_total == len(self.model.state.conflicts)
            assert expected.read == expected.inserted + expected.updated + expected.unchanged + expected.skipped + expected.quarantined

    @rule()
    def runs_twice(self) -> None:
        """The same once more changes nothing, and says so."""
        first = self.engine.run(Upstream(self.upstream), full=True)
        self.model.run(self.upstream, full=True)
        if first.result == "Succeeded":
            again = self.engine.run(Upstream(self.upstream), full=True)
            assert (again.counts.inserted, again.counts.updated, again.counts.deleted, again.counts.conflicts) == (0, 0, 0, 0)

    @rule(full=st.booleans())
    def everything_changes(self, full: bool) -> None:
        """All records, alike, to what none of them was, and a run reads them."""
        self.changes += 1
        self.upstream = [{**record, "amount": 10 + self.changes} for record in self.upstream]
        self.runs(full)

    @rule(full=st.booleans(), pages=st.integers(0, 3))
    def upstream_breaks_off(self, full: bool, pages: int) -> None:
        """In mid-read, or after the last page."""
        outcome = self.engine.run(Upstream(self.upstream, breaks_after=pages), full=full)
        assert (outcome.result, outcome.reason) == ("Failed", "ConnectionLost")
        assert isinstance(self.model.run(self.upstream, full=full, fails=True), str)

    @rule(full=st.booleans())
    def another_run_takes_over(self, full: bool) -> None:
        """While this one reads: it must not commit."""
        upstream = _Overtaken(self.upstream, lambda: _take_over(self.engine))
        outcome = self.engine.run(upstream, full=full)
        stopped = self.model.run(self.upstream, full=full, fails=True)
        assert (outcome.result, outcome.reason) in (("Interrupted", "Fenced"), ("Failed", stopped)), outcome

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        """Rows, cursor and quarantine, after every step."""
        if hasattr(self, "engine"):
            assert self.engine.rows("gone") == self.model.state.table
            assert self.engine.cursor() == self.model.state.cursor
            assert self.engine.quarantined() == len(self.model.state.quarantine)


class _Overtaken(Upstream):
    """Another run begins when all is read."""

    def __init__(self, records: list[Record], overtake: Any) -> None:
        super().__init__(records)
        self._overtake = overtake

    def pages(self, part: Slice) -> Iterator[Page]:
        """The pages, and then the other run."""
        yield from super().pages(part)
        self._overtake()


def _take_over(engine: Engine) -> None:
    ledger.acquire(
        engine.place.database.engine,
        f"{IDENTITY}/{engine.table}",
        run=uuid4().hex,
        trigger="Request",
        generation=1,
        started_at=datetime.now(UTC),
    )


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_engine_keeps_its_promises(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, several in ((images, "APART"), (companions, "MANY"), (applying, "SAMPLED")):
        monkeypatch.setattr(module, several, 3)  # some runs write more rows, some fewer
    monkeypatch.setattr(applying, "SAMPLE", 2)  # often of rows that are like no others
    machine: Any = type("PromisesHere", (Promises,), {"place": place})
    steps = settings(max_examples=EXAMPLES, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=steps)


@pytest.mark.parametrize("full", [False, True])
def test_a_cancelled_run_leaves_nothing(place: Place, full: bool) -> None:
    place.sql("CREATE TABLE t (id bigint PRIMARY KEY, name text, amount bigint, changed bigint, note text, gone boolean)")
    engine, stop = Engine(place, "t"), Stop()
    outcome = engine.run(_Overtaken([{"id": 1, "name": "a", "amount": 1, "changed": 1}], stop), full=full, stop=stop)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Cancelled")
    assert engine.rows() == {}
    assert engine.cursor() is None
