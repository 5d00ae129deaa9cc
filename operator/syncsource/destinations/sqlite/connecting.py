"""Connections to a SQLite file: their settings, and who begins a transaction how."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from syncsource.destinations.dialect import Terms

WRITES = "syncsource_writes"
"""Execution option: the transaction will write."""


class File(sqlite3.Connection):
    """A connection that knows which file it opened: SQLite goes on writing to one that was removed or replaced, where nobody finds it."""

    def __init__(self, database: str, *more: Any, **named: Any) -> None:
        super().__init__(database, *more, **named)
        self._path = database
        self._opened = _inode(database)

    @property
    def in_place(self) -> bool:
        """Whether its file is still the one at its path."""
        return self._opened == _inode(self._path)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(url: URL, terms: Terms) -> Engine:
    """A lazy engine with a small pool. Connections may move between threads, one at a time."""
    arguments = {"timeout": terms.patience, "check_same_thread": False, "factory": File}
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), connect_args=arguments, **terms.pool, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(driver: Any, _record: Any) -> None:
    """WAL, so that people read while we write. synchronous FULL: a run commits once, and what status calls written must survive
    a power cut. Its fsync costs milliseconds."""
    driver.isolation_level = None  # sqlite3 begins no transaction of its own
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
        driver.execute(f"PRAGMA {pragma}").fetchall()


def _begin(connection: Connection) -> None:
    """A transaction that reads first and then wants to write fails at once, whatever the timeout: writers say so at their start."""
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES) else "BEGIN")
