"""The connections of one operator to each database, over all its runs: a run gets all that it needs at once or waits, so that no two wait for each other."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

_log = logging.getLogger(__name__)


class Connections:
    """``most`` to each database. Those who ask get them in the order of asking, but for those whose databases have some to spare. One event loop's."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, tuple[Mapping[str, int], asyncio.Future[bool]]] = {}
        """By run, in the order of asking."""

    @asynccontextmanager
    async def held(self, run: str, wanted: Mapping[str, int]) -> AsyncIterator[bool]:
        """Waits for them, and gives them back after the block. False: it was called off."""
        granted = self._waiting[run] = wanted, asyncio.get_running_loop().create_future()
        self._pass_on()
        if not granted[1].done():
            _log.info("waits for connections to %s, of which other runs have as many as they may", " and ".join(wanted), extra={"run": run})
        try:
            yield await granted[1]
        finally:
            self._waiting.pop(run, None)
            future = granted[1]
            if future.done() and not future.cancelled() and future.result():
                self._held.subtract(wanted)
            self._pass_on()

    def call_off(self, run: str) -> None:
        """It wants none any more. Runs that don't wait are ignored."""
        found = self._waiting.pop(run, None)
        if found is not None and not found[1].done():
            found[1].set_result(False)

    def close(self) -> None:
        """Nobody gets any more."""
        for run in list(self._waiting):
            self.call_off(run)

    def _pass_on(self) -> None:
        """Whoever waits keeps those behind from its databases: else one that wants many would wait for ever."""
        kept: set[str] = set()
        for run, (wanted, future) in list(self._waiting.items()):
            if future.done():
                continue
            if kept.isdisjoint(wanted) and all(self._held[place] + count <= self.most for place, count in wanted.items()):
                self._held.update(wanted)
                del self._waiting[run]
                future.set_result(True)
            else:
                kept.update(wanted)
