"""A database that rows go to: how it is reached, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Engine, ExceptionContext, event

from syncsource.databases.url import parse_url, secrets_of, where
from syncsource.destinations.dialect import Dialect, Terms
from syncsource.errors import StalledError, SyncError

_NO_TABLE = 1146
PATIENCE = 30.0
"""Seconds to wait for a lock that somebody else holds, before the run is retried later."""


@dataclass(frozen=True, eq=False)
class Database:
    """A destination's database. ``place`` names it in messages, without user or password."""

    engine: Engine
    dialect: Dialect
    place: str
    driver_error: type[Exception]
    _secrets: tuple[str, ...] = field(default=(), repr=False)

    def translate(self, error: BaseException) -> SyncError | None:
        """What a driver's error means for the run; None where a row is at fault and nothing else."""
        ours = self.dialect.translate(error, self.place)
        if ours is not None:
            ours.message = self._without_secrets(ours.message)
            ours.args = (ours.message,)
        return ours

    def close(self) -> None:
        """Closes the connections that wait for use."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def open_database(
    url: str, named: str = "the database URL", *, patience: float = PATIENCE, longest: float | None = None, most: int | None = None
) -> Database:
    """The database at a URL; connects when it is first used.

    ``named`` says where the URL is kept, such as "key url of Secret db". ``patience``: seconds to wait for a lock that
    somebody else holds. ``longest``: seconds that a statement may take on a server. ``most``: connections at a time. StalledError (InvalidSpec) where the URL can't be used. Whatever uses ``engine`` raises RetryableError
    (DatabaseUnavailable, DatabaseBusy, DatabaseReadOnly, DiskFull, TransactionTimeout), PermanentError (DatabaseAuthFailed, DatabaseNotFound,
    PermissionDenied, DatabaseError) or SchemaMismatch instead of a driver's error.
    """
    parsed = parse_url(url, named, tuple(_DIALECTS))
    _check_folder(parsed, named)
    dialect = _DIALECTS[parsed.drivername]()
    engine = dialect.engine(parsed, Terms(patience, longest, most))
    assert engine.dialect.dbapi is not None
    database = Database(engine, dialect, where(parsed), engine.dialect.dbapi.Error, secrets_of(parsed))
    event.listen(engine, "handle_error", _Border(database))
    return database


def _postgresql() -> Dialect:
    from syncsource.destinations.postgresql import PostgreSQL

    return PostgreSQL()


def _mysql() -> Dialect:
    from syncsource.destinations.mysql import MySQL

    return MySQL()


def _sqlite() -> Dialect:
    from syncsource.destinations.sqlite import SQLite

    return SQLite()


_DIALECTS: Mapping[str, Callable[[], Dialect]] = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
"""By the URL's kind. Imported where it is wanted: each brings a driver along."""


def _check_folder(url: URL, named: str) -> None:
    """SQLite creates a file, but no folder."""
    if url.drivername == "sqlite" and not Path(url.database or "").absolute().parent.is_dir():
        raise StalledError(
            f"{named}: the folder of {url.database} does not exist: create it, or mend the path (the file itself is created)"
        )


class _Border:
    """Translates the errors of everything that goes through the engine: the ledger's statements, and connecting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, context: ExceptionContext) -> None:
        if (context.statement or "").startswith("DESCRIBE ") and context.original_exception.args[:1] == (_NO_TABLE,):
            return  # SQLAlchemy's way to ask MySQL whether a table is there
        if context.is_pre_ping and context.is_disconnect:
            return  # a connection that waited for use is lost: another takes its place
        ours = self._database.translate(context.original_exception)
        if ours is not None:
            raise ours from context.original_exception
