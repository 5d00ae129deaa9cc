"""The objects of a resource as they were at a version: those of now, with what happened since taken back."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from syncsource.localplane.storage.changes import Key
from syncsource.localplane.storage.store import Store, Stored

_BATCH = 500
Place = tuple[str, str]


class Snapshot:
    """Good for as long as nobody writes. `version` is not before the store's history."""

    def __init__(self, store: Store, resource: str, namespace: str, version: int) -> None:
        self._store, self._resource, self._namespace = store, resource, namespace
        self._past = store.history.changed(resource, version, namespace) if version < store.version else {}

    def objects(self, after: Place, batch: int = _BATCH) -> Iterator[Stored]:
        """In order of namespace and name, from behind `after`; `batch` of them are read at once."""
        now = self._unchanged(after, min(batch, _BATCH))
        then = sorted(place for place, past in self._past.items() if past.version and place > after)
        return heapq.merge(now, map(self._before, then), key=_place) if then else now

    def one(self, place: Place) -> Iterator[Stored]:
        """The object of this namespace and name, or nothing."""
        if place in self._past:
            return iter([self._before(place)] if self._past[place].version else [])
        found = self._store.find(Key(self._resource, *place))
        return iter([] if found is None else [found])

    def count(self, after: Place) -> int:
        changed = sum(past.is_there for place, past in self._past.items() if place > after)
        then = sum(past.version > 0 for place, past in self._past.items() if place > after)
        return self._store.count(self._resource, self._namespace, after) - changed + then

    def _unchanged(self, after: Place, batch: int) -> Iterator[Stored]:
        while True:
            found = self._store.objects(self._resource, self._namespace, after, batch)
            yield from (stored for stored in found if _place(stored) not in self._past)
            if len(found) < batch:
                return
            after = _place(found[-1])

    def _before(self, place: Place) -> Stored:
        version = self._past[place].version
        return Stored(Key(self._resource, *place), version, self._store.body(version))


def _place(stored: Stored) -> Place:
    return stored.key.namespace, stored.key.name
