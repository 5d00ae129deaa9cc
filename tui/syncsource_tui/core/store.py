"""What is known of the fleet, and what of it changed since somebody last asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from syncsource_tui.core.reading import Object, part, raw
from syncsource_tui.core.row import Row, project
from syncsource_tui.core.state import State


@dataclass(slots=True)
class Delta:
    """Uids whose rows changed, appeared or went since the last delta."""

    changed: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


class Store:
    """Rows by uid. Whole objects are kept only of the uids that somebody follows."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._delta = Delta()
        self._listed: set[str] | None = None
        self._followed: Counter[str] = Counter()
        self._counts: Counter[State] = Counter()
        self._objects: dict[str, Object] = {}

    def begin(self) -> None:
        """A list begins: what it does not name is gone at its end."""
        self._listed = set()

    def end(self) -> None:
        """The list is complete."""
        if self._listed is not None:
            for uid in self.rows.keys() - self._listed:
                self.remove(uid)
        self._listed = None

    def put(self, source: Object) -> None:
        """An object as it is now. An older version than the one known is ignored, but in a list: a control plane may have gone back."""
        row = project(source)
        if row is None:
            return
        known = self.rows.get(row.uid)
        if self._listed is not None:
            self._listed.add(row.uid)
        elif known is not None and _is_older(row.version, known.version):
            return
        if self._followed.get(row.uid):
            self._objects[row.uid] = source
        if known == row:
            return
        self._count(known, row)
        self.rows[row.uid] = row
        (self._delta.added if known is None else self._delta.changed).add(row.uid)
        self._delta.removed.discard(row.uid)

    def gone(self, source: Object) -> None:
        """An object was deleted."""
        self.remove(raw(part(source, "metadata"), "uid"))

    def remove(self, uid: str) -> None:
        """Forget a row."""
        known = self.rows.pop(uid, None)
        if known is not None:
            self._count(known, None)
            self._objects.pop(uid, None)
            self._delta.removed.add(uid)
            self._delta.added.discard(uid)
            self._delta.changed.discard(uid)

    def take(self) -> Delta:
        """What changed since the last call."""
        delta, self._delta = self._delta, Delta()
        return delta

    def follow(self, uid: str) -> None:
        """Keep the whole object of this uid from its next change on, until as many calls of :meth:`unfollow`."""
        self._followed[uid] += 1

    def unfollow(self, uid: str) -> None:
        """The reverse of :meth:`follow`."""
        self._followed[uid] -= 1
        if self._followed[uid] <= 0:
            del self._followed[uid]
            self._objects.pop(uid, None)

    def object(self, uid: str) -> Object | None:
        """The whole object, where it is followed and was seen since."""
        return self._objects.get(uid)

    def counts(self) -> Counter[State]:
        """How many are in which state."""
        return Counter(self._counts)

    def _count(self, before: Row | None, after: Row | None) -> None:
        if before is not None:
            self._counts[before.state] -= 1
        if after is not None:
            self._counts[after.state] += 1


def _is_older(version: str, known: str) -> bool:
    return version.isdecimal() and known.isdecimal() and int(version) < int(known)
