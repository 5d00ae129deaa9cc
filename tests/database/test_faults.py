"""What goes wrong with a database, and what is said about it: the reason, the way out, never a password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import lookup
from sqlalchemy import create_engine, event

from syncsource import ledger
from syncsource.destinations import Writer, open_database
from syncsource.destinations.postgresql import PostgreSQL
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, StalledError, SyncError

PASSWORD = "s3cr3t p/ss"
QUOTED = "s3cr3t%20p%2Fss"


def _error(url: str) -> SyncError:
    with open_database(url, "key url of Secret db") as database, pytest.raises(SyncError) as caught:
        ledger.prepare(database.engine)
    _is_silent(caught.value)
    return caught.value


def _is_silent(error: SyncError) -> None:
    for shown in (error.message, str(error), repr(error)):
        assert PASSWORD not in shown
        assert QUOTED not in shown


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "is not a database URL"),
        ("no url", "is not a database URL"),
        (f"postgresql://u:{QUOTED}@host:port/name", "is not a database URL"),
        (f"oracle://u:{QUOTED}@host/name", "names the database 'oracle', which is not supported"),
        (f"postgresql://u:{QUOTED}@host", "names no database"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite://path/to/file.db", "four slashes"),
        ("sqlite:////no/such/folder/file.db", "the folder of /no/such/folder/file.db does not exist"),
        ("sqlite:////tmp", "is a folder"),
    ],
)
def test_urls_that_can_t_be_used_name_the_secret_s_key(url: str, part: str) -> None:
    with pytest.raises(StalledError) as caught:
        open_database(url, "key url of Secret db")
    assert caught.value.reason == "InvalidSpec"
    assert part in caught.value.message
    assert "key url of Secret db" in caught.value.message
    _is_silent(caught.value)


def test_forms_of_urls_that_are_taken(tmp_path: Path) -> None:
    for url in ("postgres://u:p@h/n", "postgresql://u@h:1/n?sslmode=require", "postgresql+psycopg://h/n", f"sqlite:///{tmp_path}/new.db"):
        assert "p@" not in open_database(url).place
    assert open_database(f"postgresql://u:{QUOTED}@h:5433/n").place == "h:5433/n"
    assert PASSWORD not in repr(open_database(f"postgresql://u:{QUOTED}@h:5433/n"))


def test_a_server_that_is_down() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = _error(f"postgresql://u:{QUOTED}@127.0.0.1:{taken.getsockname()[1]}/name")
    assert (type(error), error.reason) == (RetryableError, "DatabaseUnavailable")
    assert "127.0.0.1" in error.message


@pytest.fixture(scope="module")
def guarded(postgresql_uri: str) -> Iterator[str]:
    """The server's URL, when it asks the user "reader" for a password."""
    admin = create_engine(postgresql_uri.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        file = Path(str(connection.exec_driver_sql("SHOW hba_file").scalar()))
        before = file.read_text()
        file.write_text(f"local all reader scram-sha-256\n{before}")
        for statement in (f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'", "CREATE SCHEMA reading", "SELECT pg_reload_conf()"):
            connection.exec_driver_sql(statement)
    yield postgresql_uri
    with admin.connect() as connection:
        file.write_text(before)
        for statement in ("DROP OWNED BY reader", "DROP ROLE reader", "DROP SCHEMA reading CASCADE", "SELECT pg_reload_conf()"):
            connection.exec_driver_sql(statement)
    admin.dispose()


def _as(uri: str, password: str, database: str = "postgres") -> str:
    socket_folder = uri.partition("?")[2]
    return f"postgresql://reader:{password}@/{database}?{socket_folder}"


def test_a_wrong_password(guarded: str) -> None:
    error = _error(_as(guarded, "s3cr3t-but-wrong"))
    assert (type(error), error.reason) == (PermanentError, "DatabaseAuthFailed")
    assert 'password authentication failed for user "reader"' in error.message
    assert "s3cr3t" not in error.message


def test_an_unknown_database(guarded: str) -> None:
    error = _error(_as(guarded, QUOTED, "nowhere"))
    assert (type(error), error.reason) == (PermanentError, "DatabaseNotFound")


def test_permission_denied(guarded: str) -> None:
    error = _error(_as(guarded, QUOTED))
    assert (type(error), error.reason) == (PermanentError, "PermissionDenied")
    assert "permission denied for schema public" in error.message


def test_too_many_connections(guarded: str) -> None:
    admin = create_engine(guarded.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("ALTER ROLE reader CONNECTION LIMIT 0")
        error = _error(_as(guarded, QUOTED))
        connection.exec_driver_sql("ALTER ROLE reader CONNECTION LIMIT -1")
    admin.dispose()
    assert (type(error), error.reason) == (RetryableError, "DatabaseUnavailable")


def test_an_option_that_libpq_does_not_know(guarded: str) -> None:
    error = _error(f"{_as(guarded, QUOTED)}&no_such_option=1")
    assert (type(error), error.reason) == (StalledError, "InvalidSpec")


def test_a_password_in_the_server_s_answer_is_hidden(guarded: str) -> None:
    with open_database(_as(guarded, QUOTED)) as database, pytest.raises(SyncError) as caught, database.engine.connect() as connection:
        connection.exec_driver_sql(f'SELECT * FROM "{PASSWORD}"')
    _is_silent(caught.value)
    assert "***" in caught.value.message


def test_a_read_only_server(postgresql: Any) -> None:
    error = _error(f"{postgresql.url}%20-cdefault_transaction_read_only%3Don")
    assert (type(error), error.reason) == (RetryableError, "DatabaseReadOnly")


@pytest.mark.parametrize(("pragma", "reason"), [("query_only = ON", "DatabaseReadOnly"), ("max_page_count = 5", "DiskFull")])
def test_a_file_that_can_t_be_written(sqlite: Any, pragma: str, reason: str) -> None:
    table = sqlite.table("t", id="integer", name="text")
    with open_database(sqlite.url) as database:
        event.listen(database.engine, "connect", lambda driver, _: driver.execute(f"PRAGMA {pragma}").fetchall() and None)
        with Writer(database, table) as writer, pytest.raises(SyncError) as caught:
            _stage_and_commit(writer, [(number, "x" * 100) for number in range(1000)])
    assert (type(caught.value), caught.value.reason) == (RetryableError, reason)
    assert sqlite.sql("SELECT count(*) FROM t") == [(0,)]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database at all, but long enough to look at" * 20)
    error = _error(f"sqlite:///{tmp_path}/x.db")
    assert (type(error), error.reason) == (PermanentError, "DatabaseDamaged")


def test_a_locked_file(sqlite: Any) -> None:
    ledger.prepare(sqlite.database.engine)
    with open_database(sqlite.url, patience=0.1) as database, sqlite.plain.connect() as somebody:
        somebody.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(RetryableError) as caught:
            ledger.acquire(database.engine, "me", run="a", trigger="t", generation=1, started_at=datetime.now(UTC))
        somebody.exec_driver_sql("ROLLBACK")
    assert caught.value.reason == "DatabaseBusy"


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        ("53100", RetryableError, "DiskFull"),
        ("53300", RetryableError, "DatabaseUnavailable"),
        ("57P01", RetryableError, "DatabaseUnavailable"),
        ("57P03", RetryableError, "DatabaseUnavailable"),
        ("08006", RetryableError, "DatabaseUnavailable"),
        ("40001", RetryableError, "DatabaseBusy"),
        ("40P01", RetryableError, "DatabaseBusy"),
        ("55P03", RetryableError, "DatabaseBusy"),
        ("25006", RetryableError, "DatabaseReadOnly"),
        ("42501", PermanentError, "PermissionDenied"),
        ("28P01", PermanentError, "DatabaseAuthFailed"),
        ("42P01", SchemaMismatch, "SchemaMismatch"),
        ("42703", SchemaMismatch, "SchemaMismatch"),
        ("XX000", PermanentError, "DatabaseError"),
    ],
)
def test_postgresql_s_states(state: str, kind: type[SyncError], reason: str) -> None:
    error = PostgreSQL().translate(lookup(state)("said so\x1b[31m"), "host/name")
    assert error is not None
    assert (type(error), error.reason, error.message.partition("; ")[0]) == (kind, reason, "PostgreSQL host/name: said so [31m")


def test_a_deadlock_is_retried(postgresql: Any) -> None:
    table = postgresql.table("t", id="integer", name="text")
    postgresql.write(table, [(1, "a"), (2, "b")])
    engine = create_engine(postgresql.url.replace("postgresql:", "postgresql+psycopg:"))
    with ThreadPoolExecutor(1) as pool, engine.connect() as somebody, Writer(postgresql.database, table) as writer:
        somebody.exec_driver_sql("SET deadlock_timeout = '10s'")
        somebody.exec_driver_sql("UPDATE t SET name = 'x' WHERE id = 2")
        writer.stage([(1, "c"), (2, "d")])
        waiting = pool.submit(_commit, writer)
        while not postgresql.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'syncsource' AND wait_event_type = 'Lock'"):
            pass
        somebody.exec_driver_sql("UPDATE t SET name = 'y' WHERE id = 1")
        with pytest.raises(RetryableError) as caught:
            waiting.result(timeout=30)
        somebody.commit()
    engine.dispose()
    assert caught.value.reason == "DatabaseBusy"


def _stage_and_commit(writer: Writer, rows: list[Any]) -> None:
    writer.stage(rows)
    _commit(writer)


def _commit(writer: Writer) -> None:
    with writer.transaction():
        writer.apply()


def test_a_table_that_goes_while_we_read(place: Any) -> None:
    table = place.table("t", id="integer")
    with Writer(place.database, table) as writer:
        writer.stage([(1,)])
        place.sql("DROP TABLE t")
        with pytest.raises(SchemaMismatch):
            _commit(writer)
