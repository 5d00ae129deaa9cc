"""The table is copied before a run writes to it, and made what it was again, on every database."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource import ledger
from syncsource.destinations import Backups
from syncsource.engine import backups, undoing
from syncsource.engine.backups import Restoring
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from syncsource.resource.spec import SyncSourceSpec
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.restoring import record, restore, restored_to_an_altered_table, rows, run, shared_by_partitions, tables, typed_in
from tests.database.test_partitions import Stores


def _engine(place: Place, keep: int = 7, primary: str = "PRIMARY KEY", **safety: Any) -> Engine:
    """On a table of three rows that people typed in."""
    typed_in(place, primary)
    return Engine(place, "t", safety={"backup": {"mode": "Table", "keep": keep}, **safety}, incremental=None)


def test_a_run_leaves_a_copy_of_the_table_as_it_was(place: Place) -> None:
    engine = _engine(place)
    before = rows(place)
    run(engine, record(1, "x"), record(4))
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 3
    assert place.sql(f'SELECT id, name, amount, changed, note FROM "{kept.place}" ORDER BY id') == before


def test_whoever_changed_rows_since_they_are_what_they_were(place: Place) -> None:
    engine = _engine(place)
    before = rows(place)
    run(engine, record(1, "x"), record(4))
    place.sql("UPDATE t SET note = 'later', name = '' WHERE id = 2")
    place.sql("DELETE FROM t WHERE id = 3")
    place.sql("INSERT INTO t (id) VALUES (5)")
    assert restore(engine) == (2, 2, 1)
    assert rows(place) == before
    assert restore(engine) == (0, 0, 0)


def test_the_plan_changes_nothing(place: Place) -> None:
    engine = _engine(place)
    run(engine, record(1, "x"), record(4))
    before = rows(place)
    foreseen = backups.foresee(engine.plan(), None, Stop())
    assert isinstance(foreseen, Restoring)
    assert (foreseen.restored, foreseen.removed, foreseen.reinserted) == (1, 1, 0)
    assert rows(place) == before


def test_a_run_that_changes_nothing_leaves_no_copy(place: Place) -> None:
    engine = _engine(place)
    run(engine, record(1), record(4))
    run(engine, record(1), record(4))
    run(engine)
    assert [one.rows for one in backups.listed(engine.plan())] == [3]


def test_a_run_that_fails_leaves_no_copy(place: Place) -> None:
    engine = _engine(place, maxChanged=1)
    assert engine.run(Upstream([record(1, "x"), record(4)])).reason == "TooManyChanged"
    assert backups.listed(engine.plan()) == []
    assert tables(place, "syncsource_backup_") == []


def test_an_empty_table_is_not_copied(place: Place) -> None:
    engine = _engine(place)
    place.sql("DELETE FROM t")
    run(engine, record(1))
    assert tables(place, "syncsource_backup_") == []
    with pytest.raises(PermanentError, match="there is no backup") as caught:
        backups.foresee(engine.plan(), None, Stop())
    assert caught.value.reason == "NotFound"


def test_without_it_nothing_is_copied(place: Place) -> None:
    engine = _engine(place)
    engine.spec["safety"] = {}
    run(engine, record(1, "x"))
    assert tables(place, "syncsource_backup_") == []


def test_the_oldest_go_and_any_of_the_others_can_be_restored(place: Place) -> None:
    engine = _engine(place, keep=2)
    states = []
    for name in "xyz":
        states.append(rows(place))
        run(engine, record(1, name))
    found = backups.listed(engine.plan())
    assert [one.made_at for one in found] == sorted((one.made_at for one in found), reverse=True)
    assert len(found) == len(tables(place, "syncsource_backup_")) == 2
    assert restore(engine, found[1].id) == (1, 0, 0)
    assert rows(place) == states[1]
    assert restore(engine, found[0].id[:-1]) == (1, 0, 0)
    assert rows(place) == states[2]
    with pytest.raises(PermanentError, match="no backup has an id that begins with '2', or more than one"):
        backups.foresee(engine.plan(), "2", Stop())


def test_a_copy_that_was_not_finished_is_none_and_goes(place: Place) -> None:
    engine = _engine(place)
    run(engine, record(1, "x"))
    [kept] = backups.listed(engine.plan())
    place.sql(f'DELETE FROM "{kept.place}"')
    assert backups.listed(engine.plan()) == []
    run(engine, record(1, "y"))
    assert [one.id > kept.id for one in backups.listed(engine.plan())] == [True]
    assert len(tables(place, "syncsource_backup_")) == 1


def test_another_source_of_the_table_has_its_own(place: Place) -> None:
    engine = _engine(place, keep=1)
    run(engine, record(1, "x"))
    sql = SyncSourceSpec.model_validate(engine.spec).destination.sql
    with Backups(place.database, sql, "test/ns/other") as other:
        assert other.take() is not None
        other.keep(1)
    assert len(backups.listed(engine.plan())) == 1
    assert len(tables(place, "syncsource_backup_")) == 2


def test_partitions_share_one_copy(place: Place) -> None:
    shared_by_partitions(_engine(place))


def test_rows_that_no_partition_has_any_more_come_back(place: Place) -> None:
    engine = _engine(place, minRows=0)
    engine.spec |= {"partitions": {"values": ["a", "b"]}, "write": {"onAbsent": "Delete"}}
    engine.run(Stores(a=[record(4)], b=[record(5)]))
    before = rows(place)
    assert engine.run(Stores(a=[record(4)], b=[])).counts.deleted == 1
    assert restore(engine) == (0, 0, 1)
    assert rows(place) == before


def test_rows_that_a_run_deletes_come_back(place: Place) -> None:
    engine = _engine(place, minRows=0)
    engine.spec["write"] = {"onAbsent": "Delete"}
    run(engine, record(1), record(4))
    before = rows(place)
    assert run(engine).counts.deleted == 2
    assert restore(engine) == (0, 0, 2)
    assert rows(place) == before


def test_to_restore_is_a_run_that_can_be_undone(place: Place) -> None:
    engine = _engine(place, undo={"keep": "1d"})
    run(engine, record(1, "x"), record(4))
    place.sql("DELETE FROM t WHERE id = 3")
    before = rows(place)
    restore(engine)
    latest, *_ = ledger.history(place.database.engine, engine.plan().identity)
    assert (latest.trigger, latest.result, latest.updated, latest.deleted, latest.inserted) == ("Restore", "Succeeded", 1, 1, 1)
    [kept] = backups.listed(engine.plan())
    assert latest.message == f"backup {kept.id} restored: 1 set back, 1 removed, 1 inserted again"
    outcome, done = undoing.undo(engine.plan(), latest.run, Stop())
    assert (outcome.result, done is not None and (done.restored, done.removed, done.reinserted)) == ("Succeeded", (1, 1, 1))
    assert rows(place) == before


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_rows_that_go_before_they_are_locked_stay_gone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    engine = _engine(place)
    run(engine, record(1, "x"), record(2, "y"), record(4))
    locks = place.database.dialect.locks

    def meanwhile(joined: str, order: str) -> str | None:
        place.sql("DELETE FROM t WHERE id IN (1, 4)")
        return locks(joined, order)

    monkeypatch.setattr(place.database.dialect, "locks", meanwhile)
    with Backups(place.database, SyncSourceSpec.model_validate(engine.spec).destination.sql, engine.plan().identity) as found:
        found.keep_images()
        found.bring(found.listed()[0])
        with found.transaction():
            done = found.restore()
    assert (done.restored, done.removed, done.reinserted) == (1, 0, 0)
    assert done.taken is not None
    assert place.sql(f"SELECT syncsource_side, id FROM {done.taken.images} ORDER BY 1") == [("A", 2), ("B", 2)]
    assert [row[:2] for row in rows(place)] == [(2, None), (3, "c")]


def test_rows_that_refer_to_one_that_would_go_end_it_whole(place: Place) -> None:
    engine = _engine(place)
    run(engine, record(1, "x"), record(4))
    place.sql("CREATE TABLE child (id integer PRIMARY KEY, of integer NOT NULL, FOREIGN KEY (of) REFERENCES t (id) ON DELETE CASCADE)")
    place.sql("INSERT INTO child VALUES (1, 4)")
    before = rows(place)
    [kept] = backups.listed(engine.plan())
    outcome, done = backups.restore(engine.plan(), kept.id, Stop())
    assert (outcome.result, outcome.reason, done) == ("Failed", "ConstraintViolation", None)
    assert "rows of 'child' refer to 1 of the rows that were to go" in outcome.message
    assert rows(place) == before


def test_a_constraint_that_holds_a_row_ends_it_whole(place: Place) -> None:
    """Two rows of the copy have an amount that one alone may have by now."""
    engine = _engine(place)
    run(engine, record(1, "x"))
    place.sql("CREATE UNIQUE INDEX one_more ON t (amount)")
    place.sql("DELETE FROM t WHERE id = 1")
    before = rows(place)
    [kept] = backups.listed(engine.plan())
    place.sql(f'UPDATE "{kept.place}" SET amount = 2 WHERE id = 1')
    outcome, done = backups.restore(engine.plan(), kept.id, Stop())
    assert (outcome.result, outcome.reason, done) == ("Failed", "ConstraintViolation", None)
    assert "refused to restore the table: a constraint holds what is there" in outcome.message
    assert rows(place) == before


def test_a_table_without_a_primary_key_is_told_of_before_anything_is_written(place: Place) -> None:
    engine = _engine(place, primary="")
    outcome = engine.run(Upstream([record(4)]))
    assert (outcome.reason, "has no primary key, which spec.safety.backup needs" in outcome.message) == ("SchemaMismatch", True)
    assert len(rows(place)) == 3


def test_a_table_that_was_altered_since(place: Place) -> None:
    restored_to_an_altered_table(place, _engine(place))


def test_columns_of_every_sort(place: Place) -> None:
    """Odd names, a key that folds case, a column that the database makes, and one that is named as ours might be."""
    folds = {"sqlite": "COLLATE NOCASE", "mariadb": "COLLATE utf8mb4_general_ci", "postgresql": ""}[place.kind]
    place.sql(
        f'CREATE TABLE "a ""b" ("Key One" varchar(20) {folds} NOT NULL, n integer NOT NULL, "v-" varchar(20), d decimal(20, 4), moment timestamp NULL, '
        f'twice integer GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY ("Key One", n))'
    )
    place.sql(
        """INSERT INTO "a ""b" ("Key One", n, "v-", d, moment) VALUES ('ä', 1, 'x', 1234567890123456.7891, '2026-01-31 12:00:00'), ('b', 2, '', NULL, NULL)"""
    )
    before = place.sql('SELECT * FROM "a ""b" ORDER BY n')
    fields = [
        {"name": "Key One", "type": "text", "path": '"Key One"'},
        {"name": "n", "type": "integer"},
        {"name": "v-", "type": "text", "path": '"v-"'},
    ]
    destination = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": 'a "b'}}
    keys = [{"fields": ["Key One", "n"]}]
    safety = {"backup": {"mode": "Table"}}
    engine = Engine(place, 'a "b', fields=fields, keys=keys, destination=destination, safety=safety, incremental=None)
    run(engine, {"Key One": "ä", "n": 1, "v-": "X"}, {"Key One": "c", "n": 3, "v-": None})
    place.sql('UPDATE "a ""b" SET "Key One" = \'B\', moment = \'2027-01-01 00:00:00\' WHERE n = 2')
    place.sql('UPDATE "a ""b" SET d = 7 WHERE n = 1')
    restore(engine)
    assert place.sql('SELECT * FROM "a ""b" ORDER BY n') == before
