"""All objects, in one SQLite file (WAL, synchronous=FULL: an acknowledged write survives a kill and a power cut, as with etcd).

One connection, used by one thread: what runs between two awaits is alone with the data. Every write takes the next resource
version, which never goes back, deletions included.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_uid ON objects (uid);
CREATE TABLE IF NOT EXISTS owners (
  owner TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (owner, resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners_object ON owners (resource, namespace, name);
CREATE TABLE IF NOT EXISTS counter (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 1);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """Where an object is: `resource` is `plural.group`, `namespace` is empty for what has none."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Stored:
    key: Key
    version: int
    body: bytes


class Store:
    """Opens or creates the file; raises sqlite3.Error where that is impossible."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("PRAGMA cache_size=-4000")
        self._database.executescript(_SCHEMA)
        self.version: int = self._one("SELECT version FROM counter")[0]
        self._depth = 0

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and one fsync for everything inside."""
        if self._depth:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        self._depth, before = 1, self.version
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            self.version = before
            raise
        finally:
            self._depth = 0

    def next_version(self) -> int:
        """The version of the write that follows in the same transaction."""
        self.version += 1
        self._database.execute("UPDATE counter SET version = ?", (self.version,))
        return self.version

    def put(self, key: Key, version: int, body: bytes, uid: str, owners: list[str]) -> None:
        self._database.execute(
            "INSERT INTO objects VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET uid=excluded.uid, version=excluded.version, body=excluded.body",
            (key.resource, key.namespace, key.name, uid, version, body),
        )
        self._own(key, owners)

    def remove(self, key: Key) -> None:
        self._database.execute("DELETE FROM objects WHERE resource=? AND namespace=? AND name=?", (key.resource, key.namespace, key.name))
        self._own(key, [])

    def _own(self, key: Key, owners: list[str]) -> None:
        place = (key.resource, key.namespace, key.name)
        self._database.execute("DELETE FROM owners WHERE resource=? AND namespace=? AND name=?", place)
        self._database.executemany("INSERT OR IGNORE INTO owners VALUES (?,?,?,?)", [(owner, *place) for owner in owners])

    def get(self, key: Key) -> bytes | None:
        row = self._one("SELECT body FROM objects WHERE resource=? AND namespace=? AND name=?", (key.resource, key.namespace, key.name))
        return row[0] if row else None

    def objects(self, resource: str, namespace: str = "", after: tuple[str, str] = ("", ""), limit: int = -1) -> list[Stored]:
        """Objects in order of namespace and name, from behind `after`; all namespaces where none is given, all where limit < 0."""
        condition, values = ("AND namespace=?", [namespace]) if namespace else ("", [])
        rows = self._database.execute(
            f"SELECT namespace, name, version, body FROM objects WHERE resource=? {condition} AND (namespace, name) > (?,?)"
            " ORDER BY namespace, name LIMIT ?",
            (resource, *values, *after, limit),
        )
        return [Stored(Key(resource, namespace, name), version, body) for namespace, name, version, body in rows]

    def count(self, resource: str, namespace: str, after: tuple[str, str]) -> int:
        condition, values = ("AND namespace=?", [namespace]) if namespace else ("", [])
        sql = f"SELECT count(*) FROM objects WHERE resource=? {condition} AND (namespace, name) > (?,?)"
        return int(self._one(sql, (resource, *values, *after))[0])

    def keys_in(self, namespace: str) -> list[Key]:
        """Everything in a namespace."""
        return [
            Key(*row) for row in self._database.execute("SELECT resource, namespace, name FROM objects WHERE namespace=?", (namespace,))
        ]

    def dependents(self, owner: str) -> list[Key]:
        """The objects that name `owner`, a uid, in their owner references."""
        return [Key(*row) for row in self._database.execute("SELECT resource, namespace, name FROM owners WHERE owner=?", (owner,))]

    def has_uid(self, uid: str) -> bool:
        return self._one("SELECT 1 FROM objects WHERE uid=?", (uid,)) is not None

    def owned(self) -> list[tuple[Key, list[str]]]:
        """Every object with owners, and their uids."""
        rows = self._database.execute("SELECT resource, namespace, name, json_group_array(owner) FROM owners GROUP BY 1, 2, 3")
        return [(Key(*row[:3]), json.loads(row[3])) for row in rows]

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        return self._database.execute(sql, values).fetchone()
