"""What is due when: one heap of times, and one queue of what is due and waits for a slot."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from syncsource.controller.core.due import Due

PATIENCE = timedelta(seconds=15)
"""A run's life costs one status write per so much time, and so does waiting for a slot."""


class Agenda:
    """Entries of the heap are never removed, only outlived: whoever takes a key out looks at what is true by then."""

    def __init__(self) -> None:
        self._wakes: list[tuple[datetime, int, str]] = []
        self._ready: list[tuple[int, datetime, int, str]] = []
        self._due: dict[str, Due] = {}
        self._since: dict[str, datetime] = {}
        self._order = count()

    @property
    def next_wake(self) -> datetime | None:
        """When to look again; None: nothing is planned."""
        return self._wakes[0][0] if self._wakes else None

    def plan(self, key: str, due: Due | None, now: datetime) -> None:
        """The key's next run, verification or action is due then; None: it has none."""
        if due == self._due.get(key):
            return
        self.forget(key)
        if due is None:
            return
        self._due[key] = due
        if due.until is not None:
            self.wake(key, due.until)
        if due.at > now:
            self.wake(key, due.at)
        else:
            self._queue(key, due, now)

    def forget(self, key: str) -> None:
        """The key has no next run."""
        self._due.pop(key, None)
        self._since.pop(key, None)

    def wake(self, key: str, at: datetime) -> None:
        """Look at the key at that time."""
        heapq.heappush(self._wakes, (at, next(self._order), key))

    def woken(self, now: datetime) -> Iterator[str]:
        """The keys to look at by now; what has become due is queued."""
        while self._wakes and self._wakes[0][0] <= now:
            key = heapq.heappop(self._wakes)[2]
            due = self._due.get(key)
            if due is not None and due.at <= now and key not in self._since:
                self._queue(key, due, now)
            yield key

    def long_ready(self, key: str, now: datetime) -> bool:
        """Whether the key's run, which no SyncRun asked for, has waited for a slot for so long that people should know."""
        since = self._since.get(key)
        return since is not None and now - since >= PATIENCE and not self._due[key].verify and not self._due[key].asked

    def take(self) -> tuple[str, Due] | None:
        """The next to start: requests first, then what is due for the longest time; verifications after all runs."""
        while self._ready:
            _, at, _, key = heapq.heappop(self._ready)
            due = self._due.get(key)
            if due is not None and due.at == at and key in self._since:
                self.forget(key)
                return key, due
        return None

    def _queue(self, key: str, due: Due, now: datetime) -> None:
        self._since[key] = now
        self.wake(key, now + PATIENCE)
        heapq.heappush(self._ready, (2 * due.verify + (due.trigger != "Request"), due.at, next(self._order), key))
