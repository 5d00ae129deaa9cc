"""Partitions side by side: threads that take one after the other."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta

from syncsource.engine.ending import known
from syncsource.engine.stopping import Stop


class Begun:
    """A partition that may be read."""

    def __init__(self, value: str, slots: threading.Semaphore) -> None:
        self.value = value
        self._slots: threading.Semaphore | None = slots

    def read(self) -> None:
        """Nothing more is read of it: another one may begin, while this one is written. A second call does nothing."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.release()


class Starts:
    """Hands partitions out to threads, so many at a time, with a least time between two, until none is left or no further one is to begin."""

    def __init__(self, values: Iterable[str], at_a_time: int, delay: timedelta, stop: Stop) -> None:
        self._values, self._delay, self._stop = deque(values), delay.total_seconds(), stop
        self._slots = threading.Semaphore(at_a_time)
        self._lock = threading.Lock()
        self._due = 0.0
        self._halted = False

    def next(self) -> Begun | None:
        """The next one, once it may begin; None: there is none."""
        self._slots.acquire()
        value = self._next()
        if value is None:
            self._slots.release()
        return None if value is None else Begun(value, self._slots)

    def _next(self) -> str | None:
        with self._lock:
            wait = self._due - time.monotonic()
            if self._values and not self._halted and wait > 0:
                self._stop.event.wait(wait)
            if not self._values or self._halted or self._stop.event.is_set():
                return None
            self._due = time.monotonic() + self._delay
            return self._values.popleft()

    def halt(self) -> None:
        """No further one begins."""
        self._halted = True


def side_by_side(count: int, work: Callable[[], None], stop: Stop) -> None:
    """``work`` in so many threads, of which this is one. What one of them raises stops the run, and is raised here."""
    if count > 1:
        with ThreadPoolExecutor(count - 1, thread_name_prefix="partitions") as pool:
            others = [pool.submit(copy_context().run, _stopping, work, stop) for _ in range(count - 1)]
            _stopping(work, stop)
            for other in others:
                other.result()
    else:
        work()


def _stopping(work: Callable[[], None], stop: Stop) -> None:
    try:
        work()
    except Exception as error:
        stop(known(error))
        raise
