"""What ends a run names constraints, tables and columns, and no value of a row: its message goes to status, Events and logs."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource import ledger
from syncsource.destinations.session import Session, nameless
from syncsource.engine import undoing
from syncsource.engine.plan import Outcome
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

SECRET = "+62 811 for key 'x'"
WRITTEN = SECRET.replace("'", "''")
UNIQUE = {"postgresql": "phone_once", "mariadb": "phone_once", "sqlite": "t.name"}


def _undone(place: Place, constraint: str = "", later: str = "") -> Outcome:
    """A run changes the row that had the secret, somebody else takes it (or does what ``later`` says), and the run is taken back."""
    place.sql(f"CREATE TABLE t (id integer PRIMARY KEY, name varchar(40), amount integer, changed integer, note varchar(20){constraint})")
    place.sql(f"INSERT INTO t (id, name, amount, changed) VALUES (1, '{WRITTEN}', 1, 1)")
    engine = Engine(place, "t", safety={"undo": {"keep": "1d"}}, incremental=None)
    run = engine.run(Upstream([{"id": 1, "name": "free", "amount": 1, "changed": 1}]))
    assert run.result == "Succeeded", run.message
    place.sql(later or f"INSERT INTO t (id, name) VALUES (2, '{WRITTEN}')")
    outcome, _ = undoing.undo(engine.plan(), run.run, Stop())
    assert outcome.result == "Failed"
    record, *_ = ledger.history(place.database.engine, engine.plan().identity)
    assert record.message == outcome.message
    assert "811" not in outcome.message
    return outcome


def test_a_deferred_constraint_at_commit_is_named(postgresql: Place) -> None:
    outcome = _undone(postgresql, ", CONSTRAINT phone_once UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")
    assert outcome.reason == "ConstraintViolation"
    assert 'duplicate key value violates unique constraint "phone_once"' in outcome.message


def test_a_unique_index_is_named(place: Place) -> None:
    outcome = _undone(place, ", CONSTRAINT phone_once UNIQUE (name)")
    assert (outcome.reason, UNIQUE[place.kind] in outcome.message) == ("ConstraintViolation", True), outcome.message


@pytest.mark.parametrize("state", ["P0001", "28000", "23505", "U0001"])
def test_a_function_that_raises_is_named_whatever_its_state(postgresql: Place, state: str) -> None:
    postgresql.sql(
        f"CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name <> 'free' THEN "
        f"RAISE EXCEPTION 'no %', NEW.name USING ERRCODE = '{state}', DETAIL = NEW.name; END IF; RETURN NEW; END $$"
    )
    later = "CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION guard()"
    assert f"an error that guard raised ({state})" in _undone(postgresql, later=later).message


def test_a_signal_of_mariadb_is_not_quoted(mariadb: Place) -> None:
    later = (
        "CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW BEGIN DECLARE told text; SET told = CONCAT('no ', NEW.name); "
        "IF NEW.name <> 'free' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = told; END IF; END"
    )
    assert "an error that a trigger or a function raised (1644)" in _undone(mariadb, later=later).message


def test_a_trigger_of_sqlite_is_not_quoted(sqlite: Place) -> None:
    later = f"CREATE TRIGGER guard BEFORE UPDATE ON t WHEN NEW.name <> 'free' BEGIN SELECT RAISE(ABORT, '{WRITTEN}'); END"
    assert "an error that a trigger raised" in _undone(sqlite, later=later).message


@pytest.mark.parametrize(
    ("kind", "statement", "told"),
    [
        ("postgresql", f"SELECT CAST('{WRITTEN}' AS integer)", "invalid text representation (22P02)"),
        ("postgresql", "INSERT INTO t VALUES (62811, NULL)", 'null value in column "name" of relation "t" violates not-null constraint'),
        ("postgresql", "INSERT INTO t VALUES (1, 'a2811')", 'new row for relation "t" violates check constraint "short"'),
        ("mariadb", "INSERT INTO t VALUES ('it is 811', 'a')", "a value that it does not take for column 'id' (1366)"),
        ("mariadb", "INSERT INTO t VALUES (62811, NULL)", "Column 'name' cannot be null"),
        ("mariadb", "INSERT INTO t VALUES (1, 'a2811')", "CONSTRAINT `short` failed for"),
        ("sqlite", f"INSERT INTO t VALUES ('{WRITTEN}', 'a')", "datatype mismatch"),
        ("sqlite", "INSERT INTO t VALUES (62811, NULL)", "NOT NULL constraint failed: t.name"),
        ("sqlite", "INSERT INTO t VALUES (1, 'a2811')", "CHECK constraint failed: short"),
    ],
)
def test_what_a_statement_refuses(request: pytest.FixtureRequest, kind: str, statement: str, told: str) -> None:
    place: Any = request.getfixturevalue(kind)
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(40) NOT NULL, CONSTRAINT short CHECK (length(name) < 3))")
    session = Session(place.database)
    with pytest.raises(PermanentError) as caught, nameless("it"):
        session.run(statement)
    session.close()
    assert told in caught.value.message
    assert "811" not in caught.value.message
