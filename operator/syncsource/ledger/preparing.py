"""Creates the ledger once, brings an older one up to date, and refuses one that a newer version of us wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from sqlalchemy import Connection, Engine, MetaData, func, inspect, select

from syncsource.errors import RetryableError, StalledError
from syncsource.ledger.connecting import reading, upsert, writing
from syncsource.ledger.migrating import migrate
from syncsource.ledger.tables import VERSION, metadata, versions

_NAME = "syncsource ledger"
_PATIENCE = 60
"""Seconds to wait for others that do the same."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('syncsource ledger', 0))"


def prepare(engine: Engine) -> None:
    """Makes sure that the ledger's tables exist as this version knows them. Any number of processes may do so at once.

    StalledError (LedgerTooNew) where a newer SyncSource keeps its ledger here.
    """
    with reading(engine).connect() as connection:
        found = _version(connection)
    if found is None or found < VERSION:
        with writing(engine).connect() as connection, _alone(connection):
            found = _brought_up(connection)
    if found > VERSION:
        raise StalledError(
            f"the ledger in this database has version {found}, and this SyncSource knows versions up to {VERSION}: upgrade it",
            reason="LedgerTooNew",
        )


def version(engine: Engine) -> int | None:
    """Of the ledger that is there; None where there is none. Creates nothing."""
    with reading(engine).connect() as connection:
        return _version(connection)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction that nobody else is in: CREATE TABLE IF NOT EXISTS alone fails where two sessions race. SQLite's writers are alone anyway; on
    MySQL, where each definition commits, a lock of the session outlives them, and the transaction, too."""
    with _locked(connection) if connection.dialect.name == "mysql" else nullcontext(), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_LOCK)
        yield


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    got = connection.execute(select(func.get_lock(_NAME, _PATIENCE))).scalar()
    connection.rollback()
    if got != 1:
        raise RetryableError(f"somebody else has been bringing the ledger up to date for {_PATIENCE} s", reason="DatabaseBusy")
    try:
        yield
    finally:
        connection.execute(select(func.release_lock(_NAME)))


def _brought_up(connection: Connection) -> int:
    """The version after all is done."""
    found = _version(connection)
    if found is not None and found > VERSION:
        return found
    if found is not None and found < VERSION:
        migrate(connection, found)
    _definitions(connection).create_all(connection)
    upsert(connection, versions, {"version": VERSION}, None)
    return VERSION


def _definitions(connection: Connection) -> MetaData:
    """The tables; on MySQL with the collation that the server has."""
    if connection.dialect.name != "mysql":
        return metadata
    from syncsource.databases.mysql import by_code_point  # where it is wanted: it brings the driver along

    found = MetaData()
    for table in metadata.sorted_tables:
        options = table.to_metadata(found).dialect_options["mysql"]
        options["collate"] = by_code_point(mariadb=getattr(connection.dialect, "is_mariadb", False))
    return found


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(versions.name):
        return None
    found: int | None = connection.execute(select(func.max(versions.c.version))).scalar()
    return found
