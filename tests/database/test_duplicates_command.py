"""Rows that share a key: found as the columns compare, and one of each kept, on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncsource import ledger
from syncsource.destinations import Duplicates as Rows
from syncsource.destinations import Rule
from syncsource.engine import duplicates, undoing
from syncsource.engine.duplicates import Fixed, Group
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.resource.spec import SyncSourceSpec
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

CREATE = "CREATE TABLE t (n integer PRIMARY KEY, id integer, name varchar(20), amount integer, changed integer, note varchar(20))"
ROWS = "INSERT INTO t (n, id, name, amount) VALUES (1, 7, 'a', 3), (2, 8, 'b', 1), (3, 7, 'c', NULL), (4, 7, 'd', 9), (5, 8, 'e', 1), (6, 9, 'f', 2)"


def _engine(place: Place, create: str = CREATE, rows: str = ROWS, **spec: Any) -> Engine:
    place.sql(create)
    place.sql(rows)
    return Engine(place, "t", **spec)


def _left(place: Place) -> list[int]:
    return [row[0] for row in place.sql("SELECT n FROM t ORDER BY n")]


def _fix(engine: Engine, rule: Rule = Rule()) -> tuple[int, int]:  # noqa: B008 - it is frozen
    """Kept and deleted: as foreseen, and as done."""
    foreseen = duplicates.foresee(engine.plan(), rule, Stop())
    outcome, done = duplicates.fix(engine.plan(), rule, Stop())
    assert (outcome.result, done) == ("Succeeded", foreseen), outcome
    assert outcome.counts.deleted == foreseen.deleted
    return foreseen.kept, foreseen.deleted


def test_rows_that_share_a_key_are_found(place: Place) -> None:
    found = duplicates.find(_engine(place).plan(), Stop(), 1)
    assert (found.table, found.keys, found.groups, found.surplus) == ("t", ["id"], 2, 3)
    assert found.examples == [Group(key={"id": "7"}, rows=3)]


def test_a_key_without_a_value_has_no_duplicates(place: Place) -> None:
    engine = _engine(place, rows="INSERT INTO t (n, id) VALUES (1, NULL), (2, NULL), (3, 1)")
    found = duplicates.find(engine.plan(), Stop(), 20)
    assert (found.groups, found.surplus, found.examples) == (0, 0, [])
    assert _fix(engine) == (0, 0)
    assert _left(place) == [1, 2, 3]


def test_to_look_leaves_no_trace(place: Place) -> None:
    duplicates.find(_engine(place).plan(), Stop(), 20)
    with pytest.raises(Exception, match="syncsource_runs"):
        place.sql("SELECT * FROM syncsource_runs")


def test_keys_are_alike_as_their_columns_compare(place: Place) -> None:
    collation = {"sqlite": "COLLATE NOCASE", "mariadb": "COLLATE utf8mb4_general_ci", "postgresql": ""}[place.kind]
    fields = [{"name": "name", "type": "text"}, {"name": "day", "type": "date"}]
    engine = _engine(
        place,
        f"CREATE TABLE t (n integer PRIMARY KEY, name varchar(20) {collation}, day date)",
        "INSERT INTO t VALUES (1, 'Ann', '2026-01-31'), (2, 'ann', '2026-01-31'), (3, 'ann', '2026-01-31'), (4, 'ann', '2026-02-01')",
        fields=fields,
        keys=[{"fields": ["name", "day"]}],
        incremental=None,
    )
    found = duplicates.find(engine.plan(), Stop(), 20)
    assert (found.groups, found.surplus) == ((1, 1) if place.kind == "postgresql" else (1, 2))
    [example] = found.examples
    assert example.key["day"] == "2026-01-31"
    assert _fix(engine) == (found.groups, found.surplus)
    assert _left(place) == ([1, 2, 4] if place.kind == "postgresql" else [1, 4])


def test_sensitive_fields_of_the_key_are_masked(place: Place) -> None:
    engine = _engine(place)
    engine.spec["fields"] = [{**field, "sensitive": field["name"] == "id"} for field in engine.spec["fields"]]  # type: ignore[index, attr-defined]
    found = duplicates.find(engine.plan(), Stop(), 20)
    assert [one.key for one in found.examples] == [{"id": "***"}, {"id": "***"}]


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (Rule(), [1, 2, 6]),
        (Rule(highest=True), [4, 5, 6]),
        (Rule(by="amount"), [1, 2, 6]),
        (Rule(by="amount", highest=True), [2, 4, 6]),
        (Rule(by="name", highest=True), [4, 5, 6]),
        (Rule(by="note"), [1, 2, 6]),
    ],
)
def test_one_row_of_each_key_stays(place: Place, rule: Rule, left: list[int]) -> None:
    engine = _engine(place)
    assert _fix(engine, rule) == (2, 3)
    assert _left(place) == left
    assert duplicates.find(engine.plan(), Stop(), 20).groups == 0


def test_the_plan_changes_nothing(place: Place) -> None:
    engine = _engine(place)
    assert duplicates.foresee(engine.plan(), Rule(), Stop()) == Fixed(kept=2, deleted=3)
    assert _left(place) == [1, 2, 3, 4, 5, 6]
    assert ledger.history(place.database.engine, engine.plan().identity) == []


@pytest.mark.parametrize(("safety", "days"), [({}, 14), ({"safety": {"undo": {"keep": "2d"}}}, 2)])
def test_it_is_a_run_that_can_be_undone(place: Place, safety: dict[str, Any], days: int) -> None:
    engine = _engine(place, **safety)
    before = place.sql("SELECT * FROM t ORDER BY n")
    _fix(engine)
    [record] = ledger.history(place.database.engine, engine.plan().identity)
    assert (record.trigger, record.result, record.deleted) == ("Duplicates", "Succeeded", 3)
    assert record.message == "3 duplicates deleted, one row of each of 2 keys kept"
    [kept] = undoing.listed(engine.plan())
    assert kept.keep_until - record.started_at > timedelta(days=days) - timedelta(hours=1)
    assert kept.keep_until - record.started_at < timedelta(days=days) + timedelta(hours=1)
    place.sql("INSERT INTO t (n, id) VALUES (4, 4)")  # somebody took its number
    outcome, done = undoing.undo(engine.plan(), record.run, Stop())
    assert outcome.result == "Succeeded"
    assert done is not None
    assert (done.reinserted, done.left) == (2, 1)
    assert [row for row in place.sql("SELECT * FROM t ORDER BY n") if row[0] != 4] == [row for row in before if row[0] != 4]


def test_to_undo_it_sets_no_cursor_back(place: Place) -> None:
    engine = _engine(place, rows="INSERT INTO t (n, id) VALUES (1, 7), (2, 7)")
    _fix(engine)
    outcome, _ = undoing.undo(engine.plan(), undoing.listed(engine.plan())[0].record.run, Stop(), rewind=True)
    assert (outcome.reason, "undo it without setting cursors back" in outcome.message) == ("NotUndoable", True)
    assert _left(place) == [1]


@pytest.mark.parametrize("cascades", ["", "ON DELETE CASCADE"])
def test_rows_that_refer_to_one_that_would_go_end_it_whole(place: Place, cascades: str) -> None:
    engine = _engine(place)
    place.sql(f"CREATE TABLE child (id integer PRIMARY KEY, of integer NOT NULL, FOREIGN KEY (of) REFERENCES t (n) {cascades})")
    place.sql("INSERT INTO child VALUES (1, 3)")
    with pytest.raises(PermanentError, match="rows of 'child' refer to 1 of the rows that were to go"):
        duplicates.foresee(engine.plan(), Rule(), Stop())
    outcome, done = duplicates.fix(engine.plan(), Rule(), Stop())
    assert (outcome.result, outcome.reason, done) == ("Failed", "ConstraintViolation", None)
    assert _left(place) == [1, 2, 3, 4, 5, 6]
    [record] = ledger.history(place.database.engine, engine.plan().identity)
    assert (record.trigger, record.result, record.reason) == ("Duplicates", "Failed", "ConstraintViolation")
    assert undoing.listed(engine.plan()) == []
    assert place.sql("SELECT of FROM child") == [(3,)]


@pytest.mark.parametrize(
    ("create", "rule", "told"),
    [
        (CREATE.replace(" PRIMARY KEY", ""), Rule(), "the table 't' has no primary key, so that rows of one key can't be told apart"),
        (CREATE, Rule(by="other"), "--by: the table 't' has no column 'other': its columns are n, id"),
        (CREATE.replace("id integer, ", "").replace("t (", "t (x integer, "), Rule(), "spec.keys: the table 't' has no column 'id'"),
    ],
)
def test_what_the_table_lacks_is_told(place: Place, create: str, rule: Rule, told: str) -> None:
    engine = _engine(place, create, "INSERT INTO t (n) VALUES (1)")
    with pytest.raises(SchemaMismatch, match=told):
        duplicates.foresee(engine.plan(), rule, Stop())
    assert duplicates.fix(engine.plan(), rule, Stop())[0].reason == "SchemaMismatch"


def test_a_table_that_is_not_there(place: Place) -> None:
    with pytest.raises(PermanentError, match="the database has no table 't' yet"):
        duplicates.find(Engine(place, "t").plan(), Stop(), 20)


def test_what_people_change_meanwhile_decides(place: Place) -> None:
    """Between the plan and the writing a row gets another key, and one that the plan had kept is gone."""
    engine = _engine(place)
    foreseen = duplicates.foresee(engine.plan(), Rule(), Stop())
    place.sql("UPDATE t SET id = 70 WHERE n = 3")
    place.sql("DELETE FROM t WHERE n = 2")
    outcome, done = duplicates.fix(engine.plan(), Rule(), Stop())
    assert (outcome.result, foreseen.deleted, done) == ("Succeeded", 3, Fixed(kept=1, deleted=1))
    assert _left(place) == [1, 3, 5, 6]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_what_goes_is_decided_under_the_lock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """After the rows were listed, and before they are locked, the one that would stay goes, and another gets another key."""
    place: Place = request.getfixturevalue(kind)
    engine = _engine(place)
    locks = place.database.dialect.locks

    def meanwhile(joined: str, order: str) -> str | None:
        place.sql("DELETE FROM t WHERE n = 2")
        place.sql("UPDATE t SET id = 70 WHERE n = 4")
        return locks(joined, order)

    monkeypatch.setattr(place.database.dialect, "locks", meanwhile)
    spec = SyncSourceSpec.model_validate(engine.spec)
    with Rows(place.database, spec.destination.sql, spec.keys) as rows, rows.transaction():
        dropped = rows.drop(Rule())
    assert (dropped.groups, dropped.rows, dropped.taken) == (1, 1, None)
    assert _left(place) == [1, 4, 5, 6]


def test_a_run_goes_on_with_the_row_that_stayed(place: Place) -> None:
    engine = _engine(place, CREATE.replace("PRIMARY KEY", "PRIMARY KEY DEFAULT 99"), incremental=None)
    assert engine.run(Upstream([{"id": 7, "name": "new", "amount": 1, "changed": 1}])).counts.quarantined == 1
    _fix(engine)
    assert engine.run(Upstream([{"id": 7, "name": "new", "amount": 1, "changed": 1}])).counts.updated == 1
    assert place.sql("SELECT n, name FROM t WHERE id = 7") == [(1, "new")]
