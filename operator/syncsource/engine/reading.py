"""Reads pages and makes typed batches of them: in a thread of its own, through a bounded queue, where that gains anything."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime

from syncsource import failpoints
from syncsource.engine.stopping import Stop
from syncsource.records.batch import Batch
from syncsource.records.shape import Shape
from syncsource.sources.base import PAUSE, Slice, Source

QUEUE_LENGTH = 4
"""Pages that may wait between reading and writing: enough to overlap, few enough to keep memory flat."""

_TICK = 0.2
"""Seconds between looks at whether the run was stopped, while the queue is full or empty."""


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None


class Reader:
    """Iterates over the batches of one slice. Leave it as a context manager.

    A source that waits for others is read in a thread of its own, which ends with the block. The others are read as batches are asked for: two
    threads would only be in each other's way. The source is closed where the block is left before its end, so that nothing waits for an answer;
    otherwise it stays open for the next slice.
    """

    def __init__(self, source: Source, shape: Shape, part: Slice, stop: Stop) -> None:
        self._source, self._shape, self._part, self._stop = source, shape, part, stop
        self._queue: queue.Queue[Batch | _End] = queue.Queue(QUEUE_LENGTH)
        self._left = threading.Event()
        self._thread: threading.Thread | None = None
        self.served_at: datetime | None = None
        """The upstream's clock at the first page."""
        self.pages = self.records = 0
        self._told = 0
        self._ended = False

    def __enter__(self) -> Reader:
        if self._source.waits:
            self._thread = threading.Thread(target=copy_context().run, args=(self._read,), name="reader", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        if not self._ended:
            self._source.close()
        if self._thread is not None:
            self._thread.join()

    def news(self) -> int:
        """Pages that came since this was asked last."""
        told, self._told = self._told, self.pages
        return self._told - told

    def __iter__(self) -> Iterator[Batch]:
        yield from self._batches() if self._thread is None else self._handed_over()
        self._ended = True

    def _batches(self) -> Iterator[Batch]:
        for page in self._source.pages(self._part):
            if page is PAUSE:
                yield Batch(0, [])
                continue
            failpoints.hit("after-page")
            self.pages += 1
            self.records += len(page.records)
            self.served_at = self.served_at or page.served_at
            batch = self._shape.batch(page.records, page.place, page.positions)
            yield replace(batch, resume=page.resume) if page.resume is not None else batch

    def _handed_over(self) -> Iterator[Batch]:
        while not isinstance(item := self._next(), _End):
            yield item
        if item.error is not None:
            self._ended = True  # the source's own thread has: nothing of it waits for an answer
            raise item.error

    def _next(self) -> Batch | _End:
        while True:
            try:
                return self._queue.get(timeout=_TICK)
            except queue.Empty:
                self._stop.check()

    def _read(self) -> None:
        try:
            for batch in self._batches():
                if not self._put(batch):
                    return
            self._put(_End(None))
        except Exception as error:  # handed to the thread that asked, where it is raised
            self._put(_End(error))

    def _put(self, item: Batch | _End) -> bool:
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=_TICK)
            except queue.Full:
                continue
            return True
        return False
