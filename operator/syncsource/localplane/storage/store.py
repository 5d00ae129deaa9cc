"""All objects, in one SQLite file (WAL, synchronous=FULL: an acknowledged write survives a kill and a power cut, as with etcd).

One connection, used by one thread: what runs between two awaits is alone with the data. Every write takes the next resource
version, which never goes back, deletions included, and is in the history from the same transaction on.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsource.localplane.storage.changes import Change, Key, deleted
from syncsource.localplane.storage.history import History, Limits
from syncsource.localplane.storage.schema import open_file

__all__ = ["Key", "Store", "Stored", "WriteFailed"]

_FORGET_PER_WRITE = 2
_FREE_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it is in the file."""

    key: Key
    version: int
    body: bytes


class WriteFailed(RuntimeError):
    """The file took nothing of a transaction: its disk is full or broken."""


class Store:
    """Opens or creates the file; raises UnusableStore where that is impossible. `clock` counts seconds."""

    def __init__(self, path: Path, limits: Limits | None = None, clock: Callable[[], float] = time.time) -> None:
        self._database, self._path, self._clock = open_file(path), path, clock
        self.history = History(self._database, limits or Limits())
        self.version: int = self._one("SELECT version FROM counter")[0]
        self._depth = 0

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and one fsync for everything inside. Raises WriteFailed."""
        if self._depth:
            yield
            return
        self._depth, before = 1, (self.version, self.history.compacted)
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            if (self.version, self.history.compacted) != before:
                self._database.execute("UPDATE counter SET version = ?, compacted = ?", (self.version, self.history.compacted))
            self._database.execute("COMMIT")
        except BaseException as failed:
            self._undo(before)
            if isinstance(failed, sqlite3.Error):
                raise WriteFailed(f"cannot write to {self._path.name}: {failed}") from failed
            raise
        finally:
            self._depth = 0

    def _undo(self, before: tuple[int, int]) -> None:
        """SQLite has rolled back already where the disk was full."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        if (self.version, self.history.compacted) != before:
            self.version = before[0]
            self.history.read_back()

    def next_version(self) -> int:
        """The version of the write that follows in the same transaction."""
        self.version += 1
        return self.version

    def put(self, key: Key, version: int, body: bytes, uid: str, owners: list[str]) -> Change:
        """Store the object; the change tells what it replaced."""
        replaced, previous = self._current(key)
        self._database.execute("INSERT INTO bodies VALUES (?,?)", (version, body))
        self._database.execute(
            "INSERT INTO objects VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET uid=excluded.uid, version=excluded.version",
            (key.resource, key.namespace, key.name, uid, version),
        )
        self._own(key, owners, is_new=not replaced)
        return self._note(Change("MODIFIED" if replaced else "ADDED", key, version, body, previous, replaced))

    def remove(self, key: Key, version: int) -> Change:
        """Remove an object that is there."""
        replaced, previous = self._current(key)
        self._database.execute("DELETE FROM objects WHERE resource=? AND namespace=? AND name=?", (key.resource, key.namespace, key.name))
        self._own(key, [], is_new=False)
        return self._note(Change("DELETED", key, version, deleted(previous, version), previous, replaced))

    def _note(self, change: Change) -> Change:
        now = int(self._clock())
        self.history.add(change, now)
        self.history.forget(_FORGET_PER_WRITE, now)
        return change

    def _current(self, key: Key) -> tuple[int, bytes]:
        """Version and body; 0 and nothing for what is not there."""
        row = self._one(
            "SELECT version, body FROM objects JOIN bodies USING (version) WHERE resource=? AND namespace=? AND name=?",
            (key.resource, key.namespace, key.name),
        )
        return row or (0, b"")

    def _own(self, key: Key, owners: list[str], *, is_new: bool) -> None:
        place = (key.resource, key.namespace, key.name)
        if not is_new:
            self._database.execute("DELETE FROM owners WHERE resource=? AND namespace=? AND name=?", place)
        self._database.executemany("INSERT OR IGNORE INTO owners VALUES (?,?,?,?)", [(owner, *place) for owner in owners])

    def tidy(self, steps: int = 500) -> bool:
        """One short step of work beside the writes: forget what is too old, give free pages back. Says whether more is left."""
        now = int(self._clock())
        with self.transaction():
            forgotten = self.history.forget(steps, now)
        free = self._one("PRAGMA freelist_count")[0]
        if free > _FREE_PAGES:
            self._database.execute(f"PRAGMA incremental_vacuum({steps})").fetchall()
        return forgotten == steps or free > _FREE_PAGES + steps

    def begin_here(self) -> None:
        """What was written so far is nobody's past: no watch or list goes back behind it."""
        with self.transaction():
            self.history.forget_all(self.version)

    def get(self, key: Key) -> bytes | None:
        return self._current(key)[1] or None

    def find(self, key: Key) -> Stored | None:
        version, body = self._current(key)
        return Stored(key, version, body) if version else None

    def body(self, version: int) -> bytes:
        """What a write of the history, or one that holds, stored."""
        found: bytes = self._one("SELECT body FROM bodies WHERE version=?", (version,))[0]
        return found

    def objects(self, resource: str, namespace: str = "", after: tuple[str, str] = ("", ""), limit: int = -1) -> list[Stored]:
        """Objects in order of namespace and name, from behind `after`; all namespaces where none is given, all where limit < 0."""
        condition, values = _behind(namespace, after)
        rows = self._database.execute(
            f"SELECT namespace, name, version, body FROM objects JOIN bodies USING (version) WHERE resource=? AND {condition} LIMIT ?",
            (resource, *values, limit),
        )
        return [Stored(Key(resource, namespace, name), version, body) for namespace, name, version, body in rows]

    def count(self, resource: str, namespace: str, after: tuple[str, str]) -> int:
        condition, values = _behind(namespace, after)
        return int(self._one(f"SELECT count(*) FROM (SELECT 1 FROM objects WHERE resource=? AND {condition})", (resource, *values))[0])

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


def _behind(namespace: str, after: tuple[str, str]) -> tuple[str, tuple[str, ...]]:
    """The condition and order of what comes behind a place: one that the primary key has, so that nothing is sorted."""
    if not namespace:
        return "(namespace, name) > (?,?) ORDER BY namespace, name", after
    if after[0] > namespace:
        return "0 ORDER BY name", ()
    return "namespace=? AND name > ? ORDER BY name", (namespace, after[1] if after[0] == namespace else "")
