"""SQLAlchemy's engines, kept for the next run that wants the same one: they have looked at the server, and have compiled the ledger's statements, which
takes a small run a quarter of its time. None of their connections stays open meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

_MOST = 32
"""Engines that wait."""
_LONGEST = 600.0
"""Seconds after which one is made anew: the server, or a certificate, may be another one by then."""


@dataclass(frozen=True, slots=True)
class _Kept:
    key: Hashable
    made_at: float
    engine: Engine


class Engines:
    """Whoever is lent one has it alone. From any thread."""

    def __init__(self) -> None:
        self._waiting: list[_Kept] = []
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, key: Hashable, make: Callable[[], Engine]) -> Iterator[Engine]:
        """One for the block. ``key``: all that tells it from others."""
        lent = self._take(key) or _Kept(key, time.monotonic(), make())
        try:
            yield lent.engine
        finally:
            lent.engine.dispose()
            with self._lock:
                self._waiting = [*self._waiting, lent][-_MOST:]

    def _take(self, key: Hashable) -> _Kept | None:
        oldest = time.monotonic() - _LONGEST
        with self._lock:
            self._waiting = [one for one in self._waiting if one.made_at > oldest]
            found = next((one for one in reversed(self._waiting) if one.key == key), None)
            if found is not None:
                self._waiting.remove(found)
        return found
