"""The file of the store: its tables, how it is opened, and what older files become. What can't be opened is refused in words, not by surprise."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA_VERSION = 2

_TABLES = """
CREATE TABLE objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX objects_uid ON objects (uid);
CREATE TABLE bodies (version INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE changes (
  version INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  previous INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS owners (
  owner TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (owner, resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners_object ON owners (resource, namespace, name);
CREATE TABLE IF NOT EXISTS counter (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 1);
ALTER TABLE counter ADD COLUMN compacted INTEGER NOT NULL DEFAULT 0;
UPDATE counter SET compacted = version;
"""

_FROM_VERSION_1 = """
ALTER TABLE objects RENAME TO objects_1;
DROP INDEX objects_uid;
"""

_MOVE_OBJECTS = """
INSERT INTO bodies SELECT version, body FROM objects_1 ORDER BY version;
INSERT INTO objects SELECT resource, namespace, name, uid, version FROM objects_1;
DROP TABLE objects_1;
"""


class UnusableStore(RuntimeError):
    """The file can't be served from; the message names it, says why and what to do."""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to the file, made or brought to SCHEMA_VERSION. Raises UnusableStore."""
    if not path.exists() or not path.stat().st_size:
        _refuse_leftovers(path)
    database: sqlite3.Connection | None = None
    try:
        path.touch(mode=0o600)
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
        _prepare(database, path)
    except (sqlite3.Error, OSError) as failed:
        if database is not None:
            database.close()
        raise UnusableStore(_why(path, failed)) from failed
    except UnusableStore:
        if database is not None:
            database.close()
        raise
    return database


def _refuse_leftovers(path: Path) -> None:
    """An empty file beside a log of writes: SQLite would throw the log away."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise UnusableStore(f"{path} is empty or missing, but {log.name} beside it is not: {_way_out(path)}")


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    found = _version(database)
    if found > SCHEMA_VERSION:
        raise UnusableStore(
            f"{path} has schema version {found}, this program knows up to {SCHEMA_VERSION}: "
            "start it with the program that wrote it, or a newer one, or use another state folder"
        )
    if found != SCHEMA_VERSION:
        database.execute("PRAGMA auto_vacuum=INCREMENTAL")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("PRAGMA cache_size=-4000")
    database.execute(f"PRAGMA journal_size_limit={8 * 2**20}")
    if found:
        _check(database, path)
    if found != SCHEMA_VERSION:
        _migrate(database, found)


def _version(database: sqlite3.Connection) -> int:
    """0 for a new file; the first files had no version written into them."""
    marked = int(database.execute("PRAGMA user_version").fetchone()[0])
    if marked:
        return marked
    return int(database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'objects'").fetchone()[0])


def _check(database: sqlite3.Connection, path: Path) -> None:
    (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise UnusableStore(f"{path} is damaged ({said.splitlines()[-1]}): {_way_out(path)}")


def _migrate(database: sqlite3.Connection, found: int) -> None:
    script = _FROM_VERSION_1 + _TABLES + _MOVE_OBJECTS if found == 1 else _TABLES
    database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
    if found:
        database.execute("VACUUM")


def _why(path: Path, failed: Exception) -> str:
    if isinstance(failed, sqlite3.DatabaseError) and not isinstance(failed, sqlite3.OperationalError):
        return f"{path} is damaged ({failed}): {_way_out(path)}"
    return f"cannot open {path}: {failed}: check that it and its folder are writable and that the disk has room"


def _way_out(path: Path) -> str:
    return f"put back a copy of it, or move {path.name}* away to begin with an empty control plane"
