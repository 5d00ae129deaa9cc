"""How far a run has come, told by any of its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from syncsource.engine.plan import Partitions, Progress


class Meter:
    """Adds up what the threads of a run have read. ``report`` is called by one thread at a time."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._read = self._pages = 0
        self.partitions: Partitions | None = None
        """Of a run with partitions: how many have ended."""

    def moved(self, read: int, pages: int, phase: str) -> None:
        """So many records and pages more."""
        with self._lock:
            self._read += read
            self._pages += pages
            self._report(Progress(read=self._read, pages=self._pages, phase=phase, partitions=self.partitions))

    def expect(self, total: int) -> None:
        """The run has so many partitions."""
        self.partitions = Partitions(total=total)

    def ended(self, *, succeeded: bool) -> None:
        """A partition ended."""
        with self._lock:
            assert self.partitions is not None
            change = {"succeeded": self.partitions.succeeded + succeeded, "failed": self.partitions.failed + (not succeeded)}
            self.partitions = msgspec.structs.replace(self.partitions, **change)
