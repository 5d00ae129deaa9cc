"""What happened to objects lately: every change since a version, and the objects as they were at one.

A body is stored once, under the version of its write. A change refers to the body that it made and to the one that it replaced,
so that forgetting a change frees the replaced body and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from syncsource.localplane.storage.changes import Change, Key, deleted

_CHANGES = """
SELECT changes.version, namespace, name, type, made.body, replaced.body, changes.previous FROM changes
LEFT JOIN bodies AS made ON made.version = changes.version LEFT JOIN bodies AS replaced ON replaced.version = changes.previous
WHERE changes.version > ? AND resource = ? ORDER BY changes.version LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept: changes of the last `seconds`, but no more than `count` of them and `size` bytes of replaced bodies."""

    seconds: int = 300
    count: int = 100_000
    size: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Past:
    """An object that changed since a version: `version` is the one it had then, 0 where it was not there."""

    version: int
    is_there: bool


class History:
    """The table `changes` of a store. `compacted` is the last version that is forgotten; it never goes back."""

    def __init__(self, database: sqlite3.Connection, limits: Limits) -> None:
        self._database, self.limits = database, limits
        self.read_back()

    def read_back(self) -> None:
        """Count what is in the file: at the start, and when a transaction was undone."""
        self.compacted = int(self._database.execute("SELECT compacted FROM counter").fetchone()[0])
        counted = self._database.execute("SELECT count(*), coalesce(sum(size), 0) FROM changes").fetchone()
        self.count, self.size = int(counted[0]), int(counted[1])

    def add(self, change: Change, now: int) -> None:
        size = len(change.previous)
        self._database.execute(
            "INSERT INTO changes VALUES (?,?,?,?,?,?,?,?)",
            (change.version, change.key.resource, change.key.namespace, change.key.name, change.type, change.replaced, now, size),
        )
        self.count, self.size = self.count + 1, self.size + size

    def since(self, resource: str, version: int, limit: int = -1) -> list[Change]:
        """The first `limit` changes of a resource after `version`, oldest first."""
        found = []
        for version_, namespace, name, kind, body, previous, replaced in self._database.execute(_CHANGES, (version, resource, limit)):
            made = deleted(previous, version_) if kind == "DELETED" else body
            found.append(Change(kind, Key(resource, namespace, name), version_, made, previous or b"", replaced))
        return found

    def changed(self, resource: str, version: int, namespace: str = "") -> dict[tuple[str, str], Past]:
        """Where the objects that changed after `version` were then."""
        rows = self._database.execute(
            "SELECT namespace, name, previous, type FROM changes WHERE version > ? AND resource = ? ORDER BY version", (version, resource)
        )
        found: dict[tuple[str, str], Past] = {}
        for *place, previous, kind in rows:
            if namespace in ("", place[0]):
                key = (place[0], place[1])
                found[key] = Past(found[key].version if key in found else previous, kind != "DELETED")
        return found

    def forget(self, steps: int, now: int) -> int:
        """Forget up to `steps` of the oldest changes, where they are too old or too many; says how many went."""
        oldest = self._database.execute("SELECT version, previous, at, size FROM changes ORDER BY version LIMIT ?", (steps,)).fetchall()
        replaced, last = [], 0
        for version, previous, at, size in oldest:
            if at > now - self.limits.seconds and self.count <= self.limits.count and self.size <= self.limits.size:
                break
            self.count, self.size = self.count - 1, self.size - size
            replaced.append(previous)
            last = version
        if replaced:
            self._drop(replaced, last)
        return len(replaced)

    def forget_all(self, version: int) -> None:
        """Begin at `version`, the latest."""
        replaced = [previous for (previous,) in self._database.execute("SELECT previous FROM changes")]
        self._drop(replaced, version)
        self.count = self.size = 0

    def _drop(self, replaced: Iterable[int], last: int) -> None:
        self._database.executemany("DELETE FROM bodies WHERE version = ?", [(version,) for version in replaced if version])
        self._database.execute("DELETE FROM changes WHERE version <= ?", (last,))
        self.compacted = last
