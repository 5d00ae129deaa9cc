"""A run is taken back on every database: rows are as they were, but for those that somebody changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect

from syncsource import ledger
from syncsource.destinations import Writer, images, open_table
from syncsource.engine import quarantine, undoing
from syncsource.engine.stopping import Stop
from syncsource.engine.undoing import Undoing
from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.resource.spec import SyncSourceSpec
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.kills.subject import check_images

KEEPS = {"safety": {"undo": {"keep": "14d"}}}


def _record(key: int, name: str | None = "a", amount: int | None = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": key}


def _engine(place: Place, *first: dict[str, Any], **spec: Any) -> Engine:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))")
    engine = Engine(place, "t", **{**KEEPS, **spec})
    outcome = engine.run(Upstream(first))
    assert outcome.result == "Succeeded", outcome
    return engine


def _rows(place: Place) -> list[tuple[Any, ...]]:
    return place.sql("SELECT id, name, amount, note FROM t ORDER BY id")


def _undo(engine: Engine, run: str, *, rewind: bool = False) -> tuple[int, int, int, int]:
    """restored, removed, reinserted, left: as foreseen, and as done."""
    foreseen = undoing.foresee(engine.plan(), run, Stop())
    outcome, done = undoing.undo(engine.plan(), run, Stop(), rewind=rewind)
    assert (outcome.result, done) == ("Succeeded", foreseen)
    assert done is not None
    return done.restored, done.removed, done.reinserted, done.left


def test_a_run_is_taken_back(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2), _record(3, None, None))
    before = _rows(place)
    run = engine.run(Upstream([_record(1, "b"), _record(2), _record(3, "c", 3), _record(4), _record(5)]), full=True)
    assert (run.counts.updated, run.counts.inserted) == (2, 2)
    assert _undo(engine, run.run) == (2, 2, 0, 0)
    assert _rows(place) == before
    assert engine.cursor() == 5
    assert engine.run(Upstream([_record(5)])).counts.inserted == 1  # who wants it again asks for it


def test_the_plan_changes_nothing(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1, "b"), _record(2)]))
    before = _rows(place)
    foreseen = undoing.foresee(engine.plan(), None, Stop())
    assert (foreseen.run, foreseen.restored, foreseen.removed) == (run.run, 1, 1)
    assert _rows(place) == before


def test_what_people_changed_since_is_left_alone(place: Place) -> None:
    engine = _engine(place, *(_record(key) for key in range(1, 6)))
    run = engine.run(Upstream([_record(key, "b") for key in range(1, 9)]), full=True)
    place.sql("UPDATE t SET name = 'mine' WHERE id = 1")  # what the run changed, too
    place.sql("UPDATE t SET amount = 7, note = 'mine' WHERE id = 2")  # something else of a row that the run changed
    place.sql("DELETE FROM t WHERE id = 3")
    place.sql("UPDATE t SET note = 'mine' WHERE id = 6")  # of a row that the run inserted
    place.sql("DELETE FROM t WHERE id = 7")
    assert _undo(engine, run.run) == (3, 1, 0, 4)
    assert _rows(place) == [(1, "mine", 1, None), (2, "a", 7, "mine"), (4, "a", 1, None), (5, "a", 1, None), (6, "b", 1, "mine")]


def test_what_a_later_run_changed_is_left_alone_until_that_is_undone(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    before = _rows(place)
    first = engine.run(Upstream([_record(1, "b"), _record(2, "b")]), full=True)
    second = engine.run(Upstream([_record(1, "c")]), full=True)
    assert undoing.foresee(engine.plan(), first.run, Stop()).left == 1
    assert _undo(engine, second.run) == (1, 0, 0, 0)
    assert _undo(engine, first.run) == (2, 0, 0, 0)
    assert _rows(place) == before


def test_rewind_reads_again_what_the_run_had_read(place: Place) -> None:
    engine = _engine(place, _record(1))
    upstream = Upstream([_record(1), _record(2, "b"), _record(3, "b")])
    run = engine.run(upstream)
    assert _undo(engine, run.run, rewind=True) == (0, 2, 0, 0)
    assert engine.cursor() == 1
    assert engine.run(upstream).counts.inserted == 2


def test_rewinding_the_first_run_makes_the_next_one_read_everything(place: Place) -> None:
    engine = _engine(place)
    upstream = Upstream([_record(1), _record(2)])
    run = engine.run(upstream)
    assert _undo(engine, run.run, rewind=True) == (0, 2, 0, 0)
    assert engine.cursor() is None
    again = engine.run(upstream)
    assert (again.full, again.counts.inserted) == (True, 2)


def test_every_transaction_of_a_run_is_taken_back_and_the_last_one_first(place: Place) -> None:
    engine = _engine(place)
    plan = engine.plan()
    started = datetime.now(UTC)
    ledger.acquire(place.database.engine, plan.identity, run="two", trigger="Request", generation=1, started_at=started)
    _write_as(engine, "two", [_record(1, "b"), _record(2)])
    _write_as(engine, "two", [_record(1, "c"), _record(3)])
    assert _undo(engine, "two") == (1, 3, 0, 0)  # what the second changed the first had inserted
    assert _rows(place) == []


def _write_as(engine: Engine, run: str, records: list[dict[str, Any]]) -> None:
    """A transaction of the run, as one of its windows."""
    spec, database = SyncSourceSpec.model_validate(engine.spec), engine.place.database
    table = open_table(database, spec.destination.sql, spec.fields, spec.keys, undo=True)
    with Writer(database, table) as writer:
        writer.stage([tuple(record.values()) for record in records])
        with writer.transaction() as connection:
            taken = writer.apply().taken
            assert taken is not None
            ledger.keep_images(connection, engine.plan().identity, run, "", taken, timedelta(days=1))


def test_rows_that_were_tried_one_by_one_are_taken_back_and_refused_ones_are_not_among_them(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2, "b"))
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    before = _rows(place)
    records = [_record(1, "x"), _record(2, "y"), _record(3, "x"), _record(4, "z"), _record(5, "a"), _record(6, "y")]
    run = engine.run(Upstream(records), full=True)
    assert (run.counts.inserted, run.counts.updated, run.counts.quarantined) == (2, 2, 2)
    assert _undo(engine, run.run) == (2, 2, 0, 0)
    assert _rows(place) == before


def test_what_a_retry_of_quarantine_wrote_is_taken_back(place: Place) -> None:
    engine = _engine(place)
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    assert engine.run(Upstream([_record(1), _record(2)])).counts.quarantined == 1
    place.sql("DROP INDEX one_name" + " ON t" * (place.kind == "mariadb"))
    plan = engine.plan()
    assert quarantine.retry(plan, None, Stop()).counts.inserted == 1
    assert _undo(engine, plan.run) == (0, 1, 0, 0)
    assert [row[0] for row in _rows(place)] == [1]


def test_what_was_left_is_undone_once_the_later_run_is(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    before = _rows(place)
    first = engine.run(Upstream([_record(1, "b"), _record(2, "b")]), full=True)
    second = engine.run(Upstream([_record(1, "c")]), full=True)
    assert _undo(engine, first.run) == (1, 0, 0, 1)
    assert [one.undone_by is None for one in undoing.listed(engine.plan())] == [True, False, True]
    assert _undo(engine, second.run) == (1, 0, 0, 0)
    assert _undo(engine, first.run) == (1, 0, 0, 1)
    assert _rows(place) == before


def test_rows_that_others_refer_to_stay(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(2), _record(3)]), full=True)
    place.sql("CREATE TABLE child (id integer PRIMARY KEY, of integer, FOREIGN KEY (of) REFERENCES t (id) ON DELETE CASCADE)")
    place.sql("INSERT INTO child VALUES (1, 2)")
    assert _undo(engine, run.run) == (0, 1, 0, 1)
    assert place.sql("SELECT of FROM child") == [(2,)]


def test_a_row_of_people_that_is_alike_stays(place: Place) -> None:
    place.sql("CREATE TABLE t (id integer, name varchar(20), amount integer, changed integer, note varchar(20))")
    engine = Engine(place, "t", **KEEPS)
    run = engine.run(Upstream([_record(1), _record(2)]))
    place.sql("INSERT INTO t VALUES (2, 'a', 1, 2, NULL)")
    assert _undo(engine, run.run) == (0, 1, 0, 1)
    assert _rows(place) == [(2, "a", 1, None)] * 2


def test_the_history_tells_of_the_undo(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1, "b"), _record(2)]))
    _undo(engine, run.run)
    undone, *_ = ledger.history(place.database.engine, engine.plan().identity)
    assert (undone.trigger, undone.result, undone.updated, undone.deleted) == ("Undo", "Succeeded", 1, 1)
    assert undone.message == f"run {run.run} undone: 1 restored, 1 removed"


@pytest.mark.parametrize(("run", "told"), [("nothing", "no run of this SyncSource"), (None, "of no run it is kept")])
def test_a_run_that_is_not_there_is_told(place: Place, run: str | None, told: str) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))")
    engine = Engine(place, "t")
    engine.run(Upstream([_record(1)]))
    with pytest.raises(PermanentError, match=told):
        undoing.foresee(engine.plan(), run, Stop())
    outcome, done = undoing.undo(engine.plan(), run or "x", Stop())
    assert (outcome.result, outcome.reason, done) == ("Failed", "NotFound", None)


def test_a_run_without_images_is_told(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1)]))
    with pytest.raises(PermanentError, match="it changed nothing, its time is over, or"):
        undoing.foresee(engine.plan(), run.run, Stop())


def test_a_table_that_was_altered_since(place: Place) -> None:
    engine = _engine(place, _record(1), _record(2))
    run = engine.run(Upstream([_record(1, "b"), _record(3), _record(4)]), full=True)
    place.sql("ALTER TABLE t ADD COLUMN more varchar(20)")
    place.sql("ALTER TABLE t DROP COLUMN note")
    place.sql("UPDATE t SET more = 'mine' WHERE id = 4")
    assert _undo(engine, run.run) == (1, 1, 0, 1)
    assert place.sql("SELECT id, name, more FROM t ORDER BY id") == [(1, "a", None), (2, "a", None), (4, "a", "mine")]
    later = engine.run(Upstream([_record(1, "c")]), full=True)
    assert _undo(engine, later.run) == (1, 0, 0, 0)


def test_a_column_that_is_gone_is_told_and_nothing_is_done(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1, "b")]))
    place.sql("ALTER TABLE t DROP COLUMN amount")
    with pytest.raises(SchemaMismatch, match="the column 'amount' of 't' is no longer what it was"):
        undoing.foresee(engine.plan(), run.run, Stop())
    assert place.sql("SELECT name FROM t") == [("b",)]


def test_a_constraint_that_holds_a_row_ends_the_undo_whole(place: Place) -> None:
    engine = _engine(place, _record(1, "a"), _record(2, "b"))
    run = engine.run(Upstream([_record(1, "x")]), full=True)
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    place.sql("UPDATE t SET name = 'a' WHERE id = 2")
    before = _rows(place)
    outcome, _ = undoing.undo(engine.plan(), run.run, Stop())
    assert (outcome.result, outcome.reason) == ("Failed", "ConstraintViolation")
    assert "to undo the run: a constraint holds what it wrote" in outcome.message
    assert _rows(place) == before
    place.sql("UPDATE t SET name = 'b' WHERE id = 2")
    assert _undo(engine, run.run) == (1, 0, 0, 0)


def test_odd_names_and_unmapped_columns_of_every_sort(place: Place) -> None:
    place.sql(
        'CREATE TABLE "a ""b" ("Key One" integer NOT NULL, "select" varchar(10) NOT NULL, "v-" varchar(20), extra varchar(20) DEFAULT \'d\', '
        'twice integer GENERATED ALWAYS AS ("Key One" * 2) STORED, PRIMARY KEY ("Key One", "select"))'
    )
    names = ("Key One", "select", "v-")
    fields = [{"name": name, "type": "integer" if name == "Key One" else "text", "path": f'"{name}"'} for name in names]
    destination = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": 'a "b'}}
    spec = {"fields": fields, "keys": [{"fields": ["Key One", "select"]}], "destination": destination}
    engine = Engine(place, 'a "b', **KEEPS, **spec)
    first = [{"Key One": 1, "select": "x", "v-": "ä", "changed": 1}]
    engine.run(Upstream(first))
    more = [{"Key One": 1, "select": "x", "v-": None, "changed": 2}, {"Key One": 1, "select": "y", "v-": "", "changed": 3}]
    run = engine.run(Upstream(more), full=True)
    assert run.counts.updated + run.counts.inserted == 2, run
    assert _undo(engine, run.run) == (1, 1, 0, 0)
    assert place.sql('SELECT "Key One", "select", "v-", extra, twice FROM "a ""b"') == [(1, "x", "ä", "d", 2)]


def test_images_go_when_their_time_is_over(place: Place) -> None:
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1, "b")]))
    past = "2020-01-01T00:00:00.000000Z" if place.kind == "sqlite" else "2020-01-01 00:00:00"
    place.sql(f"UPDATE syncsource_images SET keep_until = '{past}'")
    engine.run(Upstream([_record(1, "c")]))
    assert len(undoing.listed(engine.plan())) == 1
    with pytest.raises(PermanentError, match="its time is over"):
        undoing.foresee(engine.plan(), run.run, Stop())
    [(images,)] = place.sql("SELECT DISTINCT images FROM syncsource_images")
    assert place.sql(f"SELECT count(*) FROM {images}") == [(2,)]


@pytest.fixture
def apart(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Of three rows or more the images stand in a table of their own, where the database has such tables."""
    monkeypatch.setattr(images, "APART", 3)
    return place


def _tables(place: Place) -> list[str]:
    return [name for name in inspect(place.plain).get_table_names() if name.startswith("syncsource_undo_") and name.count("_") == 3]


def test_images_of_many_rows(apart: Place) -> None:
    engine = _engine(apart, *map(_record, range(1, 6)))
    before = _rows(apart)
    run = engine.run(Upstream([_record(key, "b") for key in range(2, 9)]), full=True)
    assert len(_tables(apart)) == (0 if apart.kind == "mariadb" else 2)
    assert _undo(engine, run.run) == (4, 3, 0, 0)
    assert _rows(apart) == before
    check_images(apart)


def test_images_of_many_rows_go_whole(apart: Place) -> None:
    engine = _engine(apart, *map(_record, range(1, 6)), safety={"undo": {"keep": "14d", "maxRows": 6}})
    engine.run(Upstream([_record(key, "b") for key in range(1, 6)]), full=True)
    engine.run(Upstream([_record(key, "b") for key in range(1, 6)]), full=True)
    assert len(_tables(apart)) == (0 if apart.kind == "mariadb" else 1)
    check_images(apart)


def test_images_of_many_rows_that_the_table_did_not_take(apart: Place) -> None:
    apart.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer CHECK (amount < 2), changed integer)")
    engine = Engine(apart, "t", **KEEPS)
    assert engine.run(Upstream([_record(key, "b", 2) for key in range(1, 6)])).counts.quarantined == 5
    assert (_tables(apart), undoing.listed(engine.plan())) == ([], [])


def test_the_oldest_images_go_where_there_are_too_many(place: Place) -> None:
    engine = _engine(place, *map(_record, range(1, 6)), safety={"undo": {"keep": "14d", "maxRows": 6}})
    for name in "bcd":
        engine.run(Upstream([_record(1, name), _record(2, name)]), full=True)
    assert [one.rows for one in undoing.listed(engine.plan())] == [2, 2, 2]
    engine.run(Upstream([_record(key, "e") for key in range(1, 9)]), full=True)
    assert [one.rows for one in undoing.listed(engine.plan())] == [8]


def test_a_run_that_fails_keeps_no_images(place: Place) -> None:
    engine = _engine(place, _record(1))
    failed = engine.run(Upstream([_record(1, "b")], breaks_after=1))
    assert failed.result == "Failed"
    assert len(undoing.listed(engine.plan())) == 1
    foreseen: Undoing = undoing.foresee(engine.plan(), None, Stop())
    assert foreseen.removed == 1


def test_two_runs_and_an_undo_do_not_write_at_once(place: Place) -> None:
    """Who undoes takes the fence: a run that is under way does not commit after it."""
    engine = _engine(place, _record(1))
    run = engine.run(Upstream([_record(1, "b")]))

    class Meanwhile(Upstream):
        def pages(self, part: Any) -> Any:
            yield from super().pages(part)
            _undo(engine, run.run)

    late = engine.run(Meanwhile([_record(1, "c")]))
    assert (late.result, late.reason) == ("Interrupted", "Fenced")
    assert _rows(place) == [(1, "a", 1, None)]


def test_who_comes_between_the_image_of_a_row_and_its_change_is_not_forgotten(postgresql: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other databases lock what they look at for images."""
    engine, take, met = _engine(postgresql, _record(1), _record(2)), images.Images.before_update, []

    def between(self: images.Images, *span: Any, **how: Any) -> int | None:
        if met:
            return take(self, *span, **how)
        met.append(postgresql.sql("UPDATE t SET name = 'b' WHERE id = 1"))  # as the source has it: no image of it is taken
        found = take(self, *span, **how)
        postgresql.sql("UPDATE t SET name = 'typed' WHERE id = 1")
        return found

    monkeypatch.setattr(images.Images, "before_update", between)
    run = engine.run(Upstream([_record(1, "b"), _record(2, "b")]), full=True)
    assert (run.counts.updated, [row[1] for row in _rows(postgresql)]) == (2, ["b", "b"])
    assert _undo(engine, run.run) == (2, 0, 0, 0)
    assert [row[1] for row in _rows(postgresql)] == ["typed", "a"]
