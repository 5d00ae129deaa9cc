"""SQLite: a read-only connection, one read transaction; any value may stand in any column, and is read as what it is."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL

from syncsource.databases import sqlite
from syncsource.databases.faults import Fault
from syncsource.errors import PermanentError, RetryableError, StalledError, outside_text
from syncsource.sources.sql.dialect import NUMBER, Bound, Column, Driver, Order, Rows, Statement, as_number
from syncsource.sources.sql.values import Codec, loose, texts

_STEPS = 100_000
"""Steps of SQLite's machine between looks at the clock: about a millisecond."""

_WRONG = ("syntax error", "incomplete input", "unrecognized token")
"""What SQLite says of a statement that is none: it has no number for it."""


class _File(sqlite3.Connection):
    """A connection with a deadline for what it does."""

    deadline = 0.0
    patience = 0.0

    def wait(self) -> None:
        """Something begins, which may take as long as ever."""
        self.deadline = time.monotonic() + self.patience

    def late(self) -> bool:
        """Whether it took too long."""
        return time.monotonic() > self.deadline


class SQLite:
    """See :class:`~syncsource.sources.sql.dialect.Dialect`."""

    name = "SQLite"
    errors: tuple[type[Exception], ...] = (sqlite3.Error, OverflowError)

    def connect(self, url: URL, timeout: float) -> Driver:
        path = url.database or ""
        if not Path(path).is_file():
            raise PermanentError(
                f"SQLite {path}: there is no such file: mend the path in the Secret of spec.source.sql.urlFrom", reason="DatabaseNotFound"
            )
        name = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
        driver = sqlite3.connect(name, timeout, uri=True, isolation_level=None, check_same_thread=False, factory=_File)
        driver.patience = timeout
        driver.set_progress_handler(driver.late, _STEPS)
        driver.wait()
        driver.execute("BEGIN")
        return driver

    def clock(self, driver: Driver) -> datetime | None:
        return None

    def columns(self, driver: Driver, statement: Statement) -> list[Column]:
        driver.wait()
        cursor = driver.execute(*_rendered(("SELECT * FROM (", *statement, "\n) LIMIT 0")))
        return [Column(found[0], "anything", Order.LOOSE, Codec(loose, texts)) for found in cursor.description]

    def stream(self, driver: Driver, statement: Statement, size: Callable[[], int]) -> Iterator[Rows]:
        """Texts that are no UTF-8 are rare, and a look at each text costs more than reading: where one is met, the same rows are read once more."""
        given = 0
        try:
            for rows in _stream(driver, statement, size):
                yield rows
                given += len(rows)
                del rows
            return
        except sqlite3.OperationalError as error:
            if "Could not decode" not in str(error):
                raise
        driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        for rows in _stream(driver, statement, size):
            if fresh := rows[given:]:
                yield fresh
            given = max(given - len(rows), 0)
            del fresh
            del rows

    def cancel(self, driver: Driver) -> None:
        with suppress(sqlite3.ProgrammingError):
            driver.interrupt()

    def close(self, driver: Driver) -> None:
        with suppress(sqlite3.Error):
            driver.close()

    def fault(self, error: Exception) -> Fault:
        said = outside_text(str(error), 400)
        if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            return Fault(RetryableError, "Timeout", said)
        if isinstance(error, sqlite3.ProgrammingError) or any(words in said for words in _WRONG):
            return Fault(StalledError, "InvalidSpec", said)
        return sqlite.fault(error) if isinstance(error, sqlite3.Error) else Fault(PermanentError, "DatabaseError", said)

    def quoted(self, name: str) -> str:
        """In double quotes a column that is not there would be a text."""
        return "`" + name.replace("`", "``") + "`"

    def compared(self, column: str, order: Order) -> str:
        return f"{column} COLLATE BINARY"

    def ascending(self, expression: str) -> str:
        return expression

    def free(self, text: str) -> Any:
        """Numbers compare with numbers. A float's text is the shortest that stands for it, so it comes back as it was."""
        if not NUMBER.fullmatch(text):
            return text
        found = as_number(text)
        return found if isinstance(found, int) and -(2**63) <= found < 2**63 else float(text)

    def cursor(self, order: Order, text: str, zone: tzinfo) -> Statement:
        return (Bound(self.free(text)),)


def _stream(driver: Driver, statement: Statement, size: Callable[[], int]) -> Iterator[Rows]:
    driver.wait()
    cursor = driver.execute(*_rendered(statement))
    while rows := cursor.fetchmany(size()):
        yield rows
        del rows
        driver.wait()


def _rendered(statement: Statement) -> tuple[str, list[Any]]:
    return "".join("?" if isinstance(part, Bound) else part for part in statement), [
        part.value for part in statement if isinstance(part, Bound)
    ]
