"""What becomes of locks when the process that holds them says nothing any more, and of statements that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from syncsource.destinations import Database, Table, open_database
from syncsource.destinations.mysql import connecting as mysql
from syncsource.destinations.postgresql import connecting as postgresql_settings
from syncsource.destinations.session import Session
from syncsource.engine import destination
from syncsource.errors import RetryableError, SyncError
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

SLEEP = {
    "postgresql": "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; "
    "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()",
    "mariadb": "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW SET NEW.note = SLEEP(60)",
    "sqlite": "CREATE TRIGGER slow BEFORE INSERT ON t BEGIN SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i FROM n LIMIT 10000000000); END",
}
ENDLESS = {
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000000)",
    "mariadb": "SELECT count(*) FROM seq_1_to_1000000 a JOIN seq_1_to_1000000 b ON a.seq * b.seq < 0",
}
servers = pytest.mark.parametrize("kind", ["postgresql", "mariadb"])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of standing still is enough."""
    monkeypatch.setattr(mysql, "STANDSTILL", 1)
    monkeypatch.setattr(postgresql_settings, "_STANDSTILL", 1)


@contextmanager
def _session(database: Database) -> Iterator[Callable[[str], object]]:
    with closing(Session(database)) as session, session.transaction(session.dialect.begin):
        yield session.run


@contextmanager
def _ledger(database: Database) -> Iterator[Callable[[str], object]]:
    with database.engine.begin() as connection:
        yield connection.exec_driver_sql


@servers
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("of", ["a session", "the ledger"])
def test_locks_go_with_a_transaction_that_stands_still(request: pytest.FixtureRequest, kind: str, of: str) -> None:
    place: Place = request.getfixturevalue(kind)
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, note varchar(20))")
    place.sql("INSERT INTO t VALUES (1, 'a')")
    statement = "UPDATE t SET note = 'held' WHERE id = 1"
    with open_database(place.url) as database:
        holds = _session if of == "a session" else _ledger

        def stand_still() -> None:
            with holds(database) as run:
                run(statement)
                place.sql("UPDATE t SET note = 'theirs' WHERE id = 1")  # waits for the lock, and gets it
                run(statement)

        with pytest.raises(SyncError):
            stand_still()
    assert place.sql("SELECT note FROM t") == [("theirs",)]


@servers
@pytest.mark.usefixtures("quick")
def test_a_connection_that_stages_may_wait_for_its_source(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    with open_database(place.url) as database:
        session = Session(database)
        with session.transaction(session.dialect.begin):
            session.run("CREATE TEMPORARY TABLE mine (id integer)")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:  # the server is busy with others, and this connection says nothing
            place.sql("SELECT 1")
        assert session.rows("SELECT count(*) FROM mine") == [(0,)]
        session.close()


@servers
def test_a_server_ends_a_statement_that_takes_too_long(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    with open_database(place.url, longest=0.5) as database, ThreadPoolExecutor(1) as pool:
        session = Session(database)
        with pytest.raises(RetryableError) as caught:
            pool.submit(session.rows, ENDLESS[kind]).result(30)
        session.close()
    assert caught.value.reason in ("DatabaseBusy", "Timeout")


def test_what_the_url_says_of_statements_comes_first(postgresql: Place) -> None:
    with open_database(f"{postgresql.url}%20-cstatement_timeout=300", longest=3600) as database, closing(Session(database)) as session:
        assert session.value("SHOW statement_timeout") == "300ms"


def test_the_server_asks_whether_we_are_there(postgresql: Place) -> None:
    """Over a socket of the machine it need not, and says 0: what counts is that it takes the settings."""
    session = Session(postgresql.database)
    assert session.value("SELECT count(*) FROM pg_settings WHERE name LIKE 'tcp_keepalives%' AND source = 'session'") == 3
    session.close()


def test_a_statement_that_runs_for_ever_ends_with_the_run(place: Place) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))")
    place.sql(SLEEP[place.kind])
    engine = Engine(place, "t", timeout="1s", incremental=None)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(engine.run, Upstream([{"id": 1, "name": "a", "amount": 1, "changed": 1}])).result(30)
    assert (outcome.result, outcome.reason) == ("Failed", "Timeout")
    assert "the run took longer than spec.timeout (1s)" in outcome.message
    assert place.sql("SELECT count(*) FROM t") == [(0,)]


@servers
def test_a_statement_before_any_row_is_written_ends_by_the_server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whether the table has rows is asked before a writer is there that could be cancelled."""
    place: Place = request.getfixturevalue(kind)
    monkeypatch.setattr("syncsource.engine.destination._GRACE", 0.2)
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))")
    engine = Engine(place, "t", timeout="1s", incremental=None)

    def slow(database: Database, table: Table) -> bool:
        with database.engine.connect() as connection:
            return bool(connection.exec_driver_sql(ENDLESS[kind]).scalar())

    monkeypatch.setattr(destination, "has_rows", slow)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(engine.run, Upstream([{"id": 1, "name": "a", "amount": 1, "changed": 1}])).result(30)
    assert (outcome.result, outcome.reason) == ("Failed", "Timeout")
