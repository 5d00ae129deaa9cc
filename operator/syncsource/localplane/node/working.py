"""Work by key: never twice at once for one key, and again after a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from syncsource.localplane.node.api import ApiFailed

WORKERS = 4
_SHORTEST, _LONGEST = 0.1, 30.0
_log = logging.getLogger(__name__)
Key = tuple[str, str]
"""Namespace and name."""


class Queue:
    """Calls `handle` with each key that was added, once for all additions before it begins; what fails is called again, later and later."""

    def __init__(self, name: str, handle: Callable[[Key], Awaitable[None]]) -> None:
        self._name, self._handle = name, handle
        self._waiting: dict[Key, None] = {}
        self._busy: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._ready = asyncio.Event()

    def add(self, key: Key, after: float = 0.0) -> None:
        """Have it handled, after so many seconds."""
        if after > 0:
            asyncio.get_running_loop().call_later(after, self.add, key)
        else:
            self._waiting.setdefault(key)
            self._ready.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.gather(*(self._work() for _ in range(WORKERS)))

    async def _work(self) -> None:
        while True:
            key = next((key for key in self._waiting if key not in self._busy), None)
            if key is None:
                self._ready.clear()
                await self._ready.wait()
                continue
            del self._waiting[key]
            self._busy.add(key)
            try:
                await self._try(key)
            finally:
                self._busy.discard(key)
                self._ready.set()

    async def _try(self, key: Key) -> None:
        try:
            await self._handle(key)
            self._failures.pop(key, None)
        except Exception as failed:
            count = self._failures[key] = self._failures.get(key, 0) + 1
            wait = min(_SHORTEST * 2 ** min(count - 1, 20), _LONGEST)
            if not isinstance(failed, ApiFailed):
                _log.exception("%s of %s failed", self._name, "/".join(key))
            elif count > 3:
                _log.warning("%s of %s: %s; again in %.1f s", self._name, "/".join(key), failed, wait)
            self.add(key, wait)
