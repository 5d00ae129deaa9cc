"""Changes on their way to watchers: the latest ones, to resume from without the store, and a bounded queue for each watcher."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from syncsource.localplane.storage.changes import Change

__all__ = ["Broadcast", "Change", "Watcher"]

HISTORY_EVENTS = 2_000
HISTORY_BYTES = 8 * 1024 * 1024
QUEUE_EVENTS = 2_000
QUEUE_BYTES = 16 * 1024 * 1024


class Watcher:
    """What one watch has yet to send. A client that is too slow loses its watch, not the server its memory."""

    def __init__(self) -> None:
        self._waiting: deque[Change] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self.is_closed = False

    def offer(self, change: Change) -> None:
        if len(self._waiting) >= QUEUE_EVENTS or self._bytes + len(change.body) > QUEUE_BYTES:
            self.close()
            return
        self._waiting.append(change)
        self._bytes += len(change.body)
        self._arrived.set()

    def close(self) -> None:
        self.is_closed = True
        self._arrived.set()

    async def next(self, wait: float) -> list[Change]:
        """Everything that has arrived, or nothing after `wait` seconds or when closed."""
        if not self._waiting and not self.is_closed:
            try:
                await asyncio.wait_for(self._arrived.wait(), wait)
            except TimeoutError:
                return []
        self._arrived.clear()
        changes = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        return changes


class Broadcast:
    """Spreads changes by resource. `oldest` is the last version that is not in memory any more: the store may have it."""

    def __init__(self, version: int) -> None:
        self.oldest = version
        self._history: deque[Change] = deque()
        self._bytes = 0
        self._watchers: dict[str, set[Watcher]] = {}

    def publish(self, change: Change) -> None:
        self._history.append(change)
        self._bytes += change.size
        while len(self._history) > HISTORY_EVENTS or self._bytes > HISTORY_BYTES:
            gone = self._history.popleft()
            self._bytes -= gone.size
            self.oldest = gone.version
        for watcher in self._watchers.get(change.key.resource, ()):
            watcher.offer(change)

    def since(self, resource: str, version: int) -> list[Change] | None:
        """Changes of a resource after `version`; None where memory does not reach back so far."""
        if version < self.oldest:
            return None
        return [change for change in self._history if change.version > version and change.key.resource == resource]

    @contextmanager
    def watching(self, resource: str) -> Iterator[Watcher]:
        watcher = Watcher()
        self._watchers.setdefault(resource, set()).add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[resource].discard(watcher)

    def end(self, resource: str | None = None) -> None:
        """End the watches of one resource, or of all."""
        for name in [resource] if resource is not None else list(self._watchers):
            for watcher in self._watchers.get(name, set()):
                watcher.close()
