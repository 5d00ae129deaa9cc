"""spec.write.onExisting Merge on every database: a column is the side's that changed it, and where both did, conflict decides."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import make_url

from syncsource.destinations import Owner, Policy, Writer, companions, find_table
from syncsource.engine import conflicts, undoing
from syncsource.engine.plan import Counts, Outcome
from syncsource.engine.stopping import Stop
from syncsource.resource.spec import SyncSourceSpec
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))"


def _record(key: int, name: str | None = "a", amount: int | None = 1, changed: int = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": changed}


def _engine(place: Place, *first: dict[str, Any], conflict: dict[str, Any] | None = None, **spec: Any) -> Engine:
    place.sql(CREATE)
    write = {"onExisting": "Merge", **({"conflict": conflict} if conflict else {})}
    engine = Engine(place, "t", **{"write": write, **spec})
    _full(engine, *first)
    return engine


def _full(engine: Engine, *records: dict[str, Any]) -> Outcome:
    outcome = engine.run(Upstream(records), full=True)
    assert outcome.result == "Succeeded", outcome
    return outcome


def _rows(place: Place) -> list[tuple[Any, ...]]:
    return place.sql("SELECT id, name, amount FROM t ORDER BY id")


@pytest.fixture
def another(postgresql: Place) -> Iterator[str]:
    """The URL of a user who may read and write, and owns nothing."""
    user = "other_" + os.urandom(4).hex()
    [(schema,)] = postgresql.sql("SELECT current_schema()")
    postgresql.sql(f"CREATE ROLE {user} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {user}")
    postgresql.sql(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT ALL ON TABLES TO {user}")
    yield make_url(postgresql.url).set(username=user).render_as_string(hide_password=False)
    postgresql.sql(f"DROP OWNED BY {user} CASCADE; DROP ROLE {user}")


def _waiting(engine: Engine) -> list[tuple[str, str | None, str | None]]:
    found, total = conflicts.look(engine.plan(), 100)
    assert total == len(found)
    return [(one.column, one.source, one.destination) for one in found]


@pytest.mark.parametrize("many", [3, 20_000])
def test_each_side_s_change_stays(place: Place, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Also where the first bases get their index afterwards."""
    monkeypatch.setattr(companions, "MANY", many)
    engine = _engine(place, _record(1), _record(2), _record(3))
    place.sql("UPDATE t SET name = 'mine' WHERE id IN (1, 2)")
    done = _full(engine, _record(1), _record(2, amount=7), _record(3, "b"))
    assert done.counts == Counts(read=3, unchanged=1, updated=2)
    assert _rows(place) == [(1, "mine", 1), (2, "mine", 7), (3, "b", 1)]
    assert _full(engine, _record(1), _record(2, amount=7), _record(3, "b")).counts == Counts(read=3, unchanged=3)


def test_the_first_bases_in_what_somebody_else_created(postgresql: Place, another: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write to a table of ours, and no more, leaves its index in place."""
    monkeypatch.setattr(companions, "MANY", 3)
    engine = _engine(postgresql)
    engine.url = another
    assert _full(engine, _record(1), _record(2), _record(3)).counts.inserted == 3
    postgresql.sql("UPDATE t SET name = 'mine' WHERE id = 1")
    assert _full(engine, _record(1), _record(2, amount=7), _record(3)).counts.updated == 1
    assert _rows(postgresql) == [(1, "mine", 1), (2, "a", 7), (3, "a", 1)]


def test_nulls_are_values_on_both_sides(place: Place) -> None:
    engine = _engine(place, _record(1, None, 1), _record(2, "a", None), _record(3))
    place.sql("UPDATE t SET name = 'mine' WHERE id = 1")
    place.sql("UPDATE t SET name = NULL WHERE id = 2")
    done = _full(engine, _record(1, None, None), _record(2, "a", 5), _record(3, None))
    assert done.counts == Counts(read=3, updated=3)
    assert _rows(place) == [(1, "mine", None), (2, None, 5), (3, None, 1)]


def test_a_conflict_waits_and_people_s_value_stays(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    place.sql("UPDATE t SET name = 'mine' WHERE id = 1")
    done = _full(engine, _record(1, "theirs", 9), _record(2))
    assert done.counts == Counts(read=2, updated=1, unchanged=1, conflicts=1)
    assert (done.conflicts_total, _rows(place)[0]) == (1, (1, "mine", 9))
    assert _waiting(engine) == [("name", "theirs", "mine")]
    again = _full(engine, _record(1, "theirs", 9), _record(2))
    assert (again.counts, again.conflicts_total) == (Counts(read=2, unchanged=2), 1)
    third = _full(engine, _record(1, "theirs again", 9), _record(2))
    assert (third.counts.conflicts, _waiting(engine)) == (0, [("name", "theirs again", "mine")])


@pytest.mark.parametrize(("side", "name"), [("Source", "theirs"), ("Destination", "mine")])
def test_a_resolved_conflict_stays_resolved(place: Place, side: Any, name: str) -> None:
    engine = _engine(place, _record(1), _record(2))
    place.sql("UPDATE t SET name = 'mine'")
    _full(engine, _record(1, "theirs"), _record(2, "theirs"))
    [first, _], _total = conflicts.look(engine.plan(), 2)
    outcome = conflicts.resolve(engine.plan(), [first.id], side, Stop())
    assert (outcome.result, outcome.message) == ("Succeeded", f"1 conflict resolved for the {side.lower()}, 1 left")
    assert _rows(place) == [(1, name, 1), (2, "mine", 1)]
    again = _full(engine, _record(1, "theirs"), _record(2, "theirs"))
    assert (again.counts, again.conflicts_total) == (Counts(read=2, unchanged=2), 1)
    assert conflicts.resolve(engine.plan(), None, side, Stop()).conflicts_total == 0
    assert _rows(place) == [(1, name, 1), (2, name, 1)]
    newer = _full(engine, _record(1, "new"), _record(2, "new"))
    assert newer.counts.conflicts == (0 if side == "Source" else 2)


def test_a_conflict_ends_where_both_sides_are_alike_again_or_the_row_is_gone(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2), _record(3))
    place.sql("UPDATE t SET name = 'mine'")
    records = [_record(1, "theirs"), _record(2, "theirs"), _record(3, "theirs")]
    assert _full(engine, *records).conflicts_total == 3
    place.sql("UPDATE t SET name = 'theirs' WHERE id = 1")
    place.sql("DELETE FROM t WHERE id = 2")
    done = _full(engine, *records)
    assert (done.counts.inserted, done.conflicts_total) == (1, 1)
    assert _full(engine, *records[:2], _record(3, "mine")).conflicts_total == 0  # the source came round


@pytest.mark.parametrize(("resolve", "name"), [("Source", "theirs"), ("Destination", "mine")])
def test_a_side_that_always_wins(place: Place, resolve: str, name: str) -> None:
    engine = _engine(place, _record(1), conflict={"resolve": resolve})
    place.sql("UPDATE t SET name = 'mine'")
    assert _full(engine, _record(1, "theirs")).conflicts_total == 0
    assert _rows(place) == [(1, name, 1)]
    assert _full(engine, _record(1, "theirs")).counts.unchanged == 1
    place.sql("UPDATE t SET name = 'mine again'")
    assert _full(engine, _record(1, "theirs")).counts.unchanged == 1  # the source said nothing new
    assert _rows(place) == [(1, "mine again", 1)]


def test_the_newest_wins_by_a_field_of_both(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2), _record(3), _record(4), conflict={"resolve": "Newest", "field": "changed"})
    place.sql("UPDATE t SET name = 'mine', changed = 5")
    place.sql("UPDATE t SET changed = NULL WHERE id = 4")
    done = _full(engine, _record(1, "theirs", 1, 4), _record(2, "theirs", 1, 6), _record(3, "theirs", 1, 5), _record(4, "theirs", 1, 2))
    assert done.counts == Counts(read=4, unchanged=2, updated=2)
    assert place.sql("SELECT id, name, changed FROM t ORDER BY id") == [(1, "mine", 5), (2, "theirs", 6), (3, "mine", 5), (4, "theirs", 2)]
    same = _full(engine, _record(1, "theirs", 1, 4), _record(2, "theirs", 1, 6), _record(3, "theirs", 1, 5), _record(4, "theirs", 1, 2))
    assert same.counts == Counts(read=4, unchanged=4)


def test_instants_that_people_write_are_compared_as_instants(place: Place) -> None:
    kind = {"postgresql": "timestamptz", "mariadb": "datetime", "sqlite": "text"}[place.kind]
    place.sql(f"CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), at {kind})")
    fields = [{"name": "id", "type": "integer"}, {"name": "name", "type": "text"}, {"name": "at", "type": "timestamp"}]
    write = {"onExisting": "Merge", "conflict": {"resolve": "Newest", "field": "at"}}
    engine = Engine(place, "t", fields=fields, write=write)

    def record(name: str, at: str) -> dict[str, Any]:
        return {"id": 1, "name": name, "at": f"2026-01-31T{at}:00Z", "changed": 1}

    _full(engine, record("a", "08:00"))
    place.sql("UPDATE t SET name = 'mine', at = '2026-01-31 10:00:00'")
    _full(engine, record("theirs", "09:00"))
    assert place.sql("SELECT name FROM t") == [("mine",)]
    _full(engine, record("later", "11:00"))
    assert place.sql("SELECT name FROM t") == [("later",)]


def test_columns_may_differ_in_who_wins(place: Place) -> None:
    overrides = [{"column": "name", "resolve": "Destination"}, {"column": "changed", "resolve": "Source"}]
    engine = _engine(place, _record(1), conflict={"resolve": "Manual", "columns": overrides})
    place.sql("UPDATE t SET name = 'mine', amount = 50, changed = 60")
    assert _full(engine, _record(1, "theirs", 7, 8)).counts.conflicts == 1
    assert place.sql("SELECT name, amount, changed FROM t") == [("mine", 50, 8)]
    assert _waiting(engine) == [("amount", "7", "50")]


def test_rows_that_were_there_before_the_first_merge(place: Place) -> None:
    """Nobody knows who wrote what: what is empty is filled, what is alike is settled, the rest is a conflict."""
    place.sql(CREATE)
    place.sql("INSERT INTO t VALUES (1, 'a', 1, 1, NULL), (2, NULL, 1, 1, 'x'), (3, 'mine', 1, 1, NULL)")
    engine = Engine(place, "t", write={"onExisting": "Merge"})
    assert _full(engine, _record(1), _record(2), _record(3)).counts == Counts(read=3, unchanged=2, updated=1, conflicts=1)
    assert _rows(place) == [(1, "a", 1), (2, "a", 1), (3, "mine", 1)]


def test_a_field_that_joins_the_mapping_and_one_that_changes_its_type(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    place.sql("UPDATE t SET name = 'mine', amount = 9 WHERE id = 1")
    fields = engine.spec["fields"]
    engine.spec["fields"] = [*fields, {"name": "note", "type": "text"}]
    place.sql("UPDATE t SET note = 'mine' WHERE id = 2")
    done = _full(engine, {**_record(1), "note": "n"}, {**_record(2, "b"), "note": "n"})
    assert (done.counts.updated, done.counts.conflicts) == (2, 1)
    assert place.sql("SELECT name, amount, note FROM t ORDER BY id") == [("mine", 9, "n"), ("b", 1, "mine")]  # edits are known as such
    if place.kind == "postgresql":
        place.sql("ALTER TABLE t ALTER COLUMN amount TYPE bigint")
        assert _full(engine, {**_record(1, amount=2), "note": "n"}, {**_record(2, "b"), "note": "n"}).counts.conflicts == 1


def test_a_row_that_is_refused_has_no_new_base(place: Place) -> None:
    engine = _engine(place, _record(1, "a"), _record(2, "b"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    assert _full(engine, _record(1, "b"), _record(2, "b")).counts.quarantined == 1
    place.sql("DELETE FROM t WHERE id = 2")
    assert _full(engine, _record(1, "b")).counts.updated == 1


def test_an_undone_run_is_done_again_when_its_records_are_read_again(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2), safety={"undo": {"keep": "1d"}})
    place.sql("UPDATE t SET amount = 9 WHERE id = 1")
    run = _full(engine, _record(1, "b"), _record(2, "b"), _record(3))
    place.sql("UPDATE t SET name = 'mine' WHERE id = 2")
    outcome, done = undoing.undo(engine.plan(), run.run, Stop(), rewind=True)
    assert done is not None
    assert (outcome.result, done.restored, done.removed, done.left) == ("Succeeded", 1, 1, 1)
    assert _rows(place) == [(1, "a", 9), (2, "mine", 1)]
    again = engine.run(Upstream([_record(1, "b"), _record(2, "b"), _record(3)]))
    assert again.counts == Counts(read=3, inserted=1, updated=1, unchanged=1)  # the edits of both rows are still known as such
    assert _rows(place) == [(1, "b", 9), (2, "mine", 1), (3, "a", 1)]


def test_conflicts_of_a_column_that_is_not_merged_any_more_end(place: Place) -> None:
    engine = _engine(place, _record(1))
    place.sql("UPDATE t SET name = 'mine'")
    assert _full(engine, _record(1, "theirs")).conflicts_total == 1
    engine.spec["write"] = {"onExisting": "Merge", "protect": ["name"]}
    assert _full(engine, _record(1, "theirs")).conflicts_total == 0


def test_protected_columns_are_no_conflicts(place: Place) -> None:
    engine = _engine(place, _record(1), write={"onExisting": "Merge", "protect": ["name"]})
    place.sql("UPDATE t SET name = 'mine'")
    assert _full(engine, _record(1, "theirs", 2)).counts == Counts(read=1, updated=1)
    assert _rows(place) == [(1, "mine", 2)]


def test_a_preview_knows_what_would_be_merged(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    place.sql("UPDATE t SET name = 'mine' WHERE id = 1")
    spec = SyncSourceSpec.model_validate(engine.spec)
    table = find_table(place.database, spec.destination.sql, spec.fields, spec.keys, spec.write)
    assert table is not None
    with Writer(place.database, table, Policy.of(spec.write)) as writer:
        found = writer.foresee([(1, "a", 5, 1), (2, "a", 1, 1)], owner=Owner(engine.plan().identity, "", complete=False))
    assert [(one.action, one.changed) for one in found] == [("Update", ("amount",)), ("Unchanged", ())]


def test_a_preview_before_the_first_run(place: Place) -> None:
    place.sql(CREATE)
    place.sql("INSERT INTO t VALUES (1, 'mine', NULL, 1, NULL)")
    engine = Engine(place, "t", write={"onExisting": "Merge"})
    spec = SyncSourceSpec.model_validate(engine.spec)
    table = find_table(place.database, spec.destination.sql, spec.fields, spec.keys, spec.write)
    assert table is not None
    with Writer(place.database, table, Policy.of(spec.write)) as writer:
        [found] = writer.foresee([(1, "a", 5, 1)], owner=Owner(engine.plan().identity, "", complete=False))
    assert (found.action, found.changed) == ("Update", ("amount",))


def test_partitions_merge_side_by_side(place: Place) -> None:
    place.sql(CREATE)
    engine = Engine(place, "t", write={"onExisting": "Merge"}, partitions={"values": ["a", "b", "c"], "parallelism": 3})
    stores = Stores(**{name: [_record(10 * number + key) for key in range(5)] for number, name in enumerate("abc")})
    assert engine.run(stores).counts.inserted == 15
    place.sql("UPDATE t SET name = 'mine' WHERE id IN (1, 11, 21)")
    stores.records = {name: [{**one, "name": "theirs"} for one in found] for name, found in stores.records.items()}
    outcome = engine.run(stores, full=True)
    assert (outcome.result, outcome.counts.updated, outcome.conflicts_total) == ("Succeeded", 12, 3)
    assert "3 conflicts" in outcome.message


def test_two_sources_have_bases_of_their_own(place: Place) -> None:
    engine = _engine(place, _record(1))
    plan = engine.plan(full=True)
    other = {name: getattr(plan, name) for name in plan.__struct_fields__} | {"identity": "other"}
    assert engine.execute(type(plan)(**other), Upstream([_record(1)])).counts.unchanged == 1
    _full(engine, _record(1, "b"))
    assert engine.execute(type(plan)(**{**other, "run": "second"}), Upstream([_record(1)])).counts.unchanged == 1
    assert _rows(place) == [(1, "b", 1)]
