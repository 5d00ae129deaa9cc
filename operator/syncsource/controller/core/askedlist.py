"""The SyncRuns that are known: which of a source is next, which to look at when, which have not been told that they wait."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

from syncsource.controller.core.asked import Asked, Stage
from syncsource.controller.core.observed import Ref
from syncsource.controller.core.source import Source
from syncsource.controller.core.takeover import MARGIN

LOOKED_FOR = timedelta(seconds=5)
"""After so much time a SyncSource that nobody has seen is looked for: it may come with its SyncRun, or be listed after it."""


class AskedList:
    """By key. Entries of the heap are never removed, only outlived."""

    def __init__(self) -> None:
        self._held: dict[str, Asked] = {}
        self._open: defaultdict[str, set[str]] = defaultdict(set)
        """Those of a source that are not over."""
        self._by_run: dict[str, str] = {}
        self._untold: set[str] = set()
        """Those that were seen and may have to wait."""
        self._wakes: list[tuple[datetime, int, str]] = []
        self._order = count()

    @property
    def next_wake(self) -> datetime | None:
        """When to look again; None: nothing is planned."""
        return self._wakes[0][0] if self._wakes else None

    @property
    def all(self) -> Iterable[Asked]:
        """All that are known."""
        return self._held.values()

    @property
    def sources(self) -> Iterable[str]:
        """Keys of the SyncSources of those that are not over."""
        return self._open.keys()

    def get(self, key: str) -> Asked | None:
        """The SyncRun of that ``namespace/name``, if known."""
        return self._held.get(key)

    def of_ref(self, ref: Ref) -> Asked | None:
        """The same, if it is of that uid."""
        held = self._held.get(ref.key)
        return held if held is not None and held.ref.uid == ref.uid else None

    def of_run(self, run: str) -> Asked | None:
        """The SyncRun that is done as that run."""
        return self._held.get(self._by_run.get(run, ""))

    def put(self, asked: Asked) -> None:
        """Keep it as it is now."""
        key = asked.ref.key
        self._held[key] = asked
        if asked.run:
            self._by_run[asked.run] = key
        if asked.stage is Stage.OVER:
            self._close(asked)
        else:
            self._open[asked.source].add(key)

    def drop(self, asked: Asked) -> None:
        """It is gone."""
        del self._held[asked.ref.key]
        self._close(asked)

    def of(self, source: str) -> list[Asked]:
        """Those of a source that are not over, in the order of their creation."""
        keys = self._open.get(source)
        return sorted((self._held[key] for key in keys), key=_turn) if keys else []

    def head(self, source: str) -> Asked | None:
        """The one of a source that was created first, of those that are not over."""
        keys = self._open.get(source)
        return min((self._held[key] for key in keys), key=_turn) if keys else None

    def first(self, source: str) -> Asked | None:
        """The one whose turn it is; None: there is none, or one before it is under way."""
        found = self.head(source)
        return found if found is not None and found.stage is Stage.WAITING else None

    def plan(self, asked: Asked, source: Source | None, now: datetime) -> None:
        """When to look at it again, as it and its source are now."""
        key = asked.ref.key
        if asked.expires is not None:
            self.wake(key, max(asked.expires, now))
        elif asked.stage is Stage.ELSEWHERE:
            self.wake(key, presumed_over(asked, source))
        elif asked.stage in (Stage.WAITING, Stage.LEFT):
            self._untold.add(key)
            if source is None:
                self.wake(key, now + LOOKED_FOR)

    def wake(self, key: str, at: datetime) -> None:
        """Look at the SyncRun at that time."""
        heapq.heappush(self._wakes, (at, next(self._order), key))

    def woken(self, now: datetime) -> Iterator[Asked]:
        """Those to look at by now."""
        while self._wakes and self._wakes[0][0] <= now:
            asked = self._held.get(heapq.heappop(self._wakes)[2])
            if asked is not None:
                yield asked

    def take_untold(self) -> list[Asked]:
        """Those that wait and may not tell so, each once."""
        keys, self._untold = self._untold, set()
        known = [self._held[key] for key in keys if key in self._held]
        return [asked for asked in known if asked.stage is Stage.WAITING]

    def _close(self, asked: Asked) -> None:
        self._by_run.pop(asked.run, None)
        keys = self._open.get(asked.source, set())
        keys.discard(asked.ref.key)
        if not keys:
            self._open.pop(asked.source, None)


def presumed_over(asked: Asked, source: Source | None) -> datetime:
    """When what another operator does must have ended, had that operator lived."""
    longest = source.intent.timeout if source is not None else timedelta(minutes=10)
    return (asked.status.started_at or asked.order[0]) + longest + MARGIN


def _turn(asked: Asked) -> tuple[datetime, int, str]:
    return *asked.order, asked.ref.name
