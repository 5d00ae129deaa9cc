"""SQLAlchemy's engines, kept for the next run that wants the same one: they have looked at the server, and have compiled the ledger's statements, which
takes a small run a quarter of its time. None of their connections stays open meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

_MOST = 32
"""Engines that wait."""
_LONGEST = 600.0
"""Seconds that one waits: a server may be another one by then."""


class Engines:
    """Whoever lends one has it alone. From any thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Hashable, float, Engine]] = []
        """The key of each, and when it came back."""
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, key: Hashable, make: Callable[[], Engine]) -> Iterator[Engine]:
        """One for the block. ``key``: all that tells it from others."""
        engine = self._take(key) or make()
        try:
            yield engine
        finally:
            engine.dispose()
            self._keep(key, engine)

    def _take(self, key: Hashable) -> Engine | None:
        oldest = time.monotonic() - _LONGEST
        with self._lock:
            self._waiting = [one for one in self._waiting if one[1] > oldest]
            found = next((one for one in reversed(self._waiting) if one[0] == key), None)
            if found is not None:
                self._waiting.remove(found)
        return found[2] if found is not None else None

    def _keep(self, key: Hashable, engine: Engine) -> None:
        with self._lock:
            self._waiting = [*self._waiting, (key, time.monotonic(), engine)][-_MOST:]
