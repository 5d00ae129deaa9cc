"""A database that rows go to: how it is reached, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Engine, ExceptionContext, event

from syncsource.databases.url import parse_url, secrets_of, where
from syncsource.destinations.dialect import Dialect, Terms
from syncsource.destinations.engines import Engines
from syncsource.errors import StalledError, SyncError

_NO_TABLE = 1146
PATIENCE = 30.0
"""Seconds to wait for a lock that somebody else holds, before the run is retried later."""


_ENGINES = Engines()


@dataclass(frozen=True, slots=True)
class _Border:
    """Translates the errors of everything that goes through an engine: the ledger's statements, and connecting."""

    dialect: Dialect
    place: str
    secrets: tuple[str, ...] = field(repr=False)

    def translate(self, error: BaseException) -> SyncError | None:
        ours = self.dialect.translate(error, self.place)
        if ours is not None:
            for secret in self.secrets:
                ours.message = ours.message.replace(secret, "***")
            ours.args = (ours.message,)
        return ours

    def around(self, engine: Engine) -> Engine:
        event.listen(engine, "handle_error", self._raise)
        return engine

    def _raise(self, context: ExceptionContext) -> None:
        if (context.statement or "").startswith("DESCRIBE ") and context.original_exception.args[:1] == (_NO_TABLE,):
            return  # SQLAlchemy's way to ask MySQL whether a table is there
        if context.is_pre_ping and context.is_disconnect:
            return  # a connection that waited for use is lost: another takes its place
        ours = self.translate(context.original_exception)
        if ours is not None:
            raise ours from context.original_exception


@dataclass(frozen=True, eq=False)
class Database:
    """A destination's database. ``place`` names it in messages, without user or password."""

    engine: Engine
    dialect: Dialect
    place: str
    driver_error: type[Exception]
    _border: _Border = field(repr=False)
    _closing: ExitStack = field(repr=False)

    def translate(self, error: BaseException) -> SyncError | None:
        """What a driver's error means for the run; None where a row is at fault and nothing else."""
        return self._border.translate(error)

    def close(self) -> None:
        """Closes the connections that wait for use. The engine is another's from then on."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


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
    dialect, terms, closing = _DIALECTS[parsed.drivername](), Terms(patience, longest, most), ExitStack()
    border = _Border(dialect, where(parsed), secrets_of(parsed))
    engine = closing.enter_context(_ENGINES.lend((parsed, terms), lambda: border.around(dialect.engine(parsed, terms))))
    assert engine.dialect.dbapi is not None
    return Database(engine, dialect, border.place, engine.dialect.dbapi.Error, border, closing)


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
