"""spec.write.onAbsent on every database: what the source has no more goes, or is marked; nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syncsource.engine import quarantine, undoing
from syncsource.engine.plan import Counts, Outcome
from syncsource.engine.stopping import Stop
from syncsource.errors import SchemaMismatch
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20), gone_at {moment}, gone {truth})"
DELETE = {"onAbsent": "Delete"}
MARK = {"onAbsent": "SoftDelete", "softDelete": {"column": "gone_at"}}
TRUTH = {"onAbsent": "SoftDelete", "softDelete": {"column": "gone"}}


def _record(key: int, name: str = "a", amount: int | str | None = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": key}


def _create(place: Place) -> None:
    moment = {"postgresql": "timestamptz", "mariadb": "datetime", "sqlite": "text"}[place.kind]
    place.sql(CREATE.format(moment=moment, truth="boolean NOT NULL DEFAULT false"))


def _engine(place: Place, write: dict[str, Any], *first: dict[str, Any], **spec: Any) -> Engine:
    _create(place)
    engine = Engine(place, "t", write=write, **spec)
    outcome = engine.run(Upstream(first))
    assert outcome.result == "Succeeded", outcome
    return engine


def _full(engine: Engine, *records: dict[str, Any]) -> Outcome:
    outcome = engine.run(Upstream(records), full=True)
    assert outcome.result == "Succeeded", outcome
    return outcome


def _keys(place: Place, where: str = "1 = 1") -> list[int]:
    return [key for (key,) in place.sql(f"SELECT id FROM t WHERE {where} ORDER BY id")]


def test_rows_that_the_source_has_no_more_go(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 6)))
    place.sql("INSERT INTO t (id, name) VALUES (90, 'typed in')")
    done = _full(engine, _record(1), _record(2, "b"), _record(6))
    assert done.counts == Counts(read=3, inserted=1, updated=1, unchanged=1, deleted=3)
    assert _keys(place) == [1, 2, 6, 90]
    assert _full(engine, _record(1), _record(2, "b"), _record(6)).counts == Counts(read=3, unchanged=3)


def test_a_source_of_nothing_empties_no_table_unless_that_is_right(place: Place) -> None:
    engine = _engine(place, DELETE, _record(1), _record(2))
    outcome = engine.run(Upstream([]), full=True)
    assert (outcome.result, outcome.reason) == ("Failed", "TooFewRows")
    assert "lower it if that is right" in outcome.message
    assert _keys(place) == [1, 2]
    engine.spec["safety"] = {"minRows": 0}
    assert _full(engine).counts == Counts(deleted=2)
    assert _keys(place) == []
    assert _full(engine).counts == Counts()


def test_an_incremental_read_deletes_nothing(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 6)))
    assert engine.run(Upstream([_record(5), _record(6)])).counts == Counts(read=2, inserted=1, unchanged=1)
    assert _keys(place) == [1, 2, 3, 4, 5, 6]
    assert _full(engine, *map(_record, range(2, 6))).counts.deleted == 2  # the one that came incrementally, too


def test_a_read_that_breaks_off_deletes_nothing(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 6)))
    assert engine.run(Upstream([_record(1)], breaks_after=1), full=True).result == "Failed"
    assert _keys(place) == [1, 2, 3, 4, 5]


def test_a_record_in_quarantine_is_not_absent(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 4)))
    outcome = _full(engine, _record(1), _record(2, "a", "lots"))
    assert (outcome.counts.quarantined, outcome.counts.deleted) == (1, 0)
    assert outcome.message.endswith("; rows that the source has no more stay until no record of it is quarantined")
    assert _keys(place) == [1, 2, 3]
    assert _full(engine, _record(1), _record(2)).counts.deleted == 1


def test_a_row_that_the_database_refuses_is_not_absent(place: Place) -> None:
    engine = _engine(place, DELETE, _record(1), _record(2, "b"), _record(3, "c"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    outcome = _full(engine, _record(1, "b"), _record(2, "b"))
    assert (outcome.counts.quarantined, outcome.counts.deleted) == (1, 1)
    assert _keys(place) == [1, 2]


def test_what_comes_may_need_the_unique_value_of_what_goes(place: Place) -> None:
    engine = _engine(place, DELETE, _record(1, "one"), _record(2, "two"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    assert _full(engine, _record(1, "two"), _record(3, "one")).counts == Counts(read=2, inserted=1, updated=1, deleted=1)
    assert _keys(place) == [1, 3]


def test_records_that_the_filter_leaves_out_now_are_absent(place: Place) -> None:
    engine = _engine(place, DELETE, _record(1), _record(2, "draft"))
    engine.spec["filter"] = "name != 'draft'"
    assert _full(engine, _record(1), _record(2, "draft")).counts == Counts(read=2, unchanged=1, skipped=1, deleted=1)


def test_who_turns_it_on_later_loses_what_the_source_has_from_then_on(place: Place) -> None:
    engine = _engine(place, {}, *map(_record, range(1, 4)))
    engine.spec["write"] = DELETE
    assert _full(engine, _record(1), _record(2)).counts.deleted == 0  # the third was never seen with it
    assert _full(engine, _record(1)).counts.deleted == 1
    assert _keys(place) == [1, 3]


def test_maxChanged_counts_what_would_go(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 11)), safety={"maxChanged": "30%"})
    outcome = engine.run(Upstream([_record(1, "b"), *map(_record, range(2, 8))]), full=True)
    assert (outcome.reason, "4 rows would be" in outcome.message) == ("TooManyChanged", True)
    assert len(_keys(place)) == 10
    assert _full(engine, *map(_record, range(1, 8))).counts.deleted == 3


def test_two_sources_of_one_table_keep_each_other_s_rows(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 4)))

    def other(*records: dict[str, Any]) -> Outcome:
        plan = engine.plan(full=True)
        return engine.execute(
            type(plan)(**{name: getattr(plan, name) for name in plan.__struct_fields__} | {"identity": "other"}), Upstream(records)
        )

    assert other(_record(2), _record(3), _record(4)).counts == Counts(read=3, inserted=1, unchanged=2)
    assert _full(engine, _record(1)).counts.deleted == 0  # the other one has both
    assert other(_record(2), _record(4)).counts.deleted == 1
    assert _keys(place) == [1, 2, 4]


def test_rows_that_others_refer_to_stay_and_no_others(place: Place) -> None:
    engine = _engine(place, DELETE, *map(_record, range(1, 8)))
    place.sql("CREATE TABLE child (id integer PRIMARY KEY, of integer, FOREIGN KEY (of) REFERENCES t (id) ON DELETE CASCADE)")
    place.sql("INSERT INTO child VALUES (1, 3), (2, 6)")
    outcome = _full(engine, _record(1))
    assert (outcome.result, outcome.counts.deleted) == ("Succeeded", 4)
    assert "; rows that the source has no more stay: rows of child refer to 2 of them (" in f"; {outcome.message}"
    assert _keys(place) == [1, 3, 6]
    assert place.sql("SELECT count(*) FROM child") == [(2,)]
    place.sql("DELETE FROM child WHERE of = 3")
    assert _full(engine, _record(1)).counts.deleted == 1
    place.sql("DELETE FROM child")
    assert _full(engine, _record(1)).counts == Counts(read=1, unchanged=1, deleted=1)


def test_rows_that_people_typed_in_twice_stay(place: Place) -> None:
    place.sql("CREATE TABLE t (id integer, name varchar(20), amount integer, changed integer)")
    place.sql("INSERT INTO t (id, name) VALUES (7, 'mine'), (7, 'mine, too')")
    engine = Engine(place, "t", write=DELETE)
    assert _full(engine, _record(1), _record(7)).counts.quarantined == 1
    assert _full(engine, _record(1)).counts.deleted == 0
    assert _keys(place) == [1, 7, 7]


def test_a_row_of_the_source_that_people_copied_stays(place: Place) -> None:
    place.sql("CREATE TABLE t (id integer, name varchar(20), amount integer, changed integer)")
    engine = Engine(place, "t", write=DELETE)
    _full(engine, _record(1), _record(2))
    place.sql("INSERT INTO t (id, name) VALUES (2, 'mine')")
    assert _full(engine, _record(1)).counts.deleted == 0
    assert _keys(place) == [1, 2, 2]


def test_rows_that_another_table_keeps_out_are_not_the_source_s(place: Place) -> None:
    _create(place)
    place.sql("CREATE TABLE reports (id integer)")
    place.sql("INSERT INTO reports VALUES (7)")
    place.sql("INSERT INTO t (id, name) VALUES (7, 'mine')")
    engine = Engine(place, "t", write={**DELETE, "skipIf": [{"existsIn": "reports", "match": ["id"]}]})
    assert _full(engine, _record(1), _record(7)).counts.skipped == 1
    assert _full(engine, _record(1)).counts.deleted == 0
    assert _keys(place) == [1, 7]


def test_a_row_that_is_back_but_refused_is_unmarked_when_it_is_taken(place: Place) -> None:
    engine = _engine(place, TRUTH, _record(1, "a"), _record(2, "b"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    assert _full(engine, _record(1, "a")).counts.deleted == 1
    assert _full(engine, _record(1, "a"), _record(2, "a")).counts.quarantined == 1
    assert _keys(place, "gone = TRUE") == [2]
    assert _full(engine, _record(1, "a"), _record(2, "b")).counts.updated == 1
    assert _keys(place, "gone = TRUE") == []


def test_a_row_that_is_back_is_unmarked_however_long_the_way(place: Place) -> None:
    engine = _engine(place, TRUTH, _record(1, "one"), _record(2, "two"), _record(3, "three"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    assert _full(engine, _record(1, "one"), _record(3, "three")).counts.deleted == 1
    place.sql("UPDATE t SET name = 'x' WHERE id = 2")
    outcome = _full(engine, _record(2, "one"), _record(1, "three"), _record(3, "free"))
    assert (outcome.counts.updated, outcome.counts.quarantined) == (3, 0)
    assert _keys(place, "gone = TRUE") == []


def test_a_row_that_another_source_sends_is_unmarked(place: Place) -> None:
    engine = _engine(place, TRUTH, _record(1), _record(2))
    assert _full(engine, _record(1)).counts.deleted == 1
    plan = engine.plan(full=True)
    other = type(plan)(**{name: getattr(plan, name) for name in plan.__struct_fields__} | {"identity": "other"})
    assert engine.execute(other, Upstream([_record(2)])).counts.updated == 1
    assert _keys(place, "gone = TRUE") == []
    assert _full(engine, _record(1)).counts == Counts(read=1, unchanged=1)


def test_a_mark_that_people_set_stays_when_the_record_is_back(place: Place) -> None:
    engine = _engine(place, TRUTH, _record(1), _record(2))
    place.sql("UPDATE t SET gone = TRUE WHERE id = 2")
    assert _full(engine, _record(1)).counts.deleted == 0
    assert _full(engine, _record(1), _record(2)).counts.updated == 0
    assert _keys(place, "gone = TRUE") == [2]


@pytest.mark.parametrize("write", [MARK, TRUTH])
def test_rows_are_marked_and_unmarked(place: Place, write: dict[str, Any]) -> None:
    engine = _engine(place, write, *map(_record, range(1, 5)))
    column = write["softDelete"]["column"]
    marked = f"{column} IS NOT NULL" if column == "gone_at" else f"{column} = TRUE"
    place.sql("INSERT INTO t (id, name) VALUES (90, 'typed in')")
    assert _full(engine, _record(1), _record(2)).counts == Counts(read=2, unchanged=2, deleted=2)
    assert (_keys(place), _keys(place, marked)) == ([1, 2, 3, 4, 90], [3, 4])
    assert _full(engine, _record(1), _record(2)).counts == Counts(read=2, unchanged=2)
    assert _full(engine, _record(1), _record(3), _record(4, "b")).counts == Counts(read=3, unchanged=1, updated=2, deleted=1)
    assert _keys(place, marked) == [2]
    assert engine.run(Upstream([{**_record(2), "changed": 9}])).counts == Counts(read=1, updated=1)  # back in an incremental read
    assert _keys(place, marked) == []


def test_marks_of_people_are_theirs(place: Place) -> None:
    engine = _engine(place, TRUTH, *map(_record, range(1, 5)))
    place.sql("UPDATE t SET gone = TRUE WHERE id IN (1, 4)")
    assert _full(engine, _record(1, "b"), _record(2)).counts == Counts(read=2, unchanged=1, updated=1, deleted=1)
    assert _keys(place, "gone = TRUE") == [1, 3, 4]
    place.sql("UPDATE t SET gone = FALSE WHERE id = 3")
    assert _full(engine, _record(1, "b"), _record(2)).counts == Counts(read=2, unchanged=2)
    assert _keys(place, "gone = TRUE") == [1, 4]


def test_a_created_table_has_the_column(place: Place) -> None:
    engine = Engine(place, "t", write=MARK)
    engine.spec["destination"]["sql"]["createTable"] = True
    engine.run(Upstream([_record(1), _record(2)]))
    assert _full(engine, _record(1)).counts.deleted == 1
    [(gone,)] = place.sql("SELECT gone_at FROM t WHERE id = 2")
    assert str(gone).startswith("20")


@pytest.mark.parametrize(
    ("column", "told"),
    [("nothing", "has no column 'nothing'"), ("name", "'name' is one of spec.fields"), ("note", "it must be boolean, or a timestamp")],
)
def test_a_column_that_can_not_mark_is_told(place: Place, column: str, told: str) -> None:
    _create(place)
    if column == "note":
        place.sql("CREATE TABLE u (id integer PRIMARY KEY, note integer)")
    with pytest.raises(SchemaMismatch, match=f"spec.write.softDelete.column: .*{told}"):
        place.table(
            "u" if column == "note" else "t",
            id="integer",
            **({} if column == "note" else {"name": "text"}),
            write={**MARK, "softDelete": {"column": column}},
        )


@pytest.mark.parametrize("write", [DELETE, MARK, TRUTH])
def test_it_is_undone(place: Place, write: dict[str, Any]) -> None:
    engine = _engine(place, write, *map(_record, range(1, 6)), safety={"undo": {"keep": "1d"}})
    place.sql("UPDATE t SET note = 'mine' WHERE id = 4")
    before = place.sql("SELECT * FROM t ORDER BY id")
    run = _full(engine, _record(1, "b"), _record(2), _record(7))
    assert run.counts.deleted == 3
    foreseen = undoing.foresee(engine.plan(), run.run, Stop())
    back = (4, 0) if "softDelete" in write else (1, 3)
    assert (foreseen.restored, foreseen.reinserted, foreseen.removed, foreseen.left) == (*back, 1, 0)
    undoing.undo(engine.plan(), run.run, Stop())
    assert place.sql("SELECT * FROM t ORDER BY id") == before
    again = _full(engine, _record(1, "b"), _record(2), _record(7))
    assert (again.counts.updated, again.counts.inserted) == (1, 1)


def _partitioned(place: Place, write: dict[str, Any], **records: list[dict[str, Any]]) -> tuple[Engine, Stores]:
    _create(place)
    engine = Engine(place, "t", write=write, partitions={"values": ["a", "b"]}, safety={"minRows": 0, "undo": {"keep": "1d"}})
    stores = Stores(**records)
    assert engine.run(stores).result == "Succeeded"
    return engine, stores


def test_partitions_lose_what_none_of_them_has(place: Place) -> None:
    engine, stores = _partitioned(place, DELETE, a=[_record(1), _record(2)], b=[_record(11), _record(12)])
    stores.records = {"a": [_record(1)], "b": [_record(11), _record(13)]}
    run = engine.run(stores, full=True)
    assert (run.counts.deleted, run.counts.inserted) == (2, 1)
    assert run.message.startswith("2/2 partitions, 1 new, 2 deleted, 2 unchanged")
    assert _keys(place) == [1, 11, 13]
    undoing.undo(engine.plan(), run.run, Stop())
    assert _keys(place) == [1, 2, 11, 12]


@pytest.mark.parametrize(("before", "after"), [("a", "b"), ("b", "a")])
def test_a_row_that_moves_to_another_partition_stays_as_it_is(place: Place, before: str, after: str) -> None:
    engine, stores = _partitioned(place, DELETE, **{before: [_record(1), _record(2)], after: [_record(11)]})
    place.sql("UPDATE t SET note = 'mine' WHERE id = 2")
    stores.records = {before: [_record(1)], after: [_record(11), _record(2)]}
    assert engine.run(stores, full=True).counts == Counts(read=3, unchanged=3)
    assert place.sql("SELECT note FROM t WHERE id = 2") == [("mine",)]


def test_a_partition_that_fails_keeps_what_may_have_moved_there(place: Place) -> None:
    engine, stores = _partitioned(place, DELETE, a=[_record(1), _record(2)], b=[_record(11)])
    stores.records = {"a": [_record(1)], "b": []}
    stores.errors["b"] = RuntimeError("gone")
    for _ in range(2):
        assert engine.run(stores, full=True).result == "Failed"
    assert _keys(place) == [1, 2, 11]
    del stores.errors["b"]
    assert engine.run(stores, full=True).counts.deleted == 2
    assert _keys(place) == [1]


def test_maxChanged_counts_what_all_partitions_would_lose(place: Place) -> None:
    engine, stores = _partitioned(place, DELETE, a=[_record(1), _record(2)], b=[_record(11), _record(12)])
    engine.spec["safety"] = {"minRows": 0, "maxChanged": 1}
    stores.records = {"a": [_record(1)], "b": [_record(11)]}
    outcome = engine.run(stores, full=True)
    assert (outcome.result, outcome.reason) == ("Failed", "TooManyChanged")
    assert "2 rows would be" in outcome.message
    assert _keys(place) == [1, 2, 11, 12]


class Remembering(Upstream):
    """An upstream that remembers, as HTTP's do: what it remembers does not make a read less complete."""

    def pages(self, part: Slice) -> Iterator[Page]:
        yield from super().pages(part)
        self.state = "etag"


def test_a_source_that_remembers_is_read_completely(place: Place) -> None:
    _create(place)
    engine = Engine(place, "t", write=DELETE)
    del engine.spec["incremental"]
    engine.run(Remembering([_record(1), _record(2)]))
    outcome = engine.run(Remembering([_record(1)]))
    assert outcome.counts == Counts(read=1, unchanged=1, deleted=1)


def test_a_key_that_folds_case_is_not_absent(place: Place) -> None:
    kind = {"postgresql": "varchar(20)", "mariadb": "varchar(20) COLLATE utf8mb4_general_ci", "sqlite": "text COLLATE NOCASE"}[place.kind]
    place.sql(f"CREATE TABLE t (name {kind} PRIMARY KEY, amount integer, changed integer)")
    fields = [{"name": "name", "type": "text"}, {"name": "amount", "type": "integer"}]
    engine = Engine(place, "t", write=DELETE, fields=fields, keys=[{"fields": ["name"]}])
    engine.run(Upstream([_record(1, "Ab"), _record(2, "c")]))
    done = _full(engine, _record(1, "AB", 7))
    assert (done.counts.deleted, done.counts.quarantined) == ((2, 0) if place.kind == "postgresql" else (1, 1))
    assert place.sql("SELECT name, amount FROM t") == [("AB", 7) if place.kind == "postgresql" else ("Ab", 1)]


def test_what_a_retry_writes_is_the_source_s(place: Place) -> None:
    engine = _engine(place, DELETE, _record(1), _record(2))
    engine.spec["validation"] = {"rules": [{"field": "amount", "max": 5}]}
    _full(engine, _record(1), _record(2), _record(3, "c", 9))
    engine.spec["validation"] = {}
    assert quarantine.retry(engine.plan(), None, Stop()).counts.inserted == 1
    assert _full(engine, _record(1), _record(2)).counts.deleted == 1
