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


class NotBegun(Exception):
    """No further partition is to begin."""


class Slot:
    """The right to read: so many partitions have it at a time."""

    def __init__(self, starts: Starts) -> None:
        self._starts, self._taken = starts, False

    def take(self) -> None:
        """Waits for it. NotBegun where none is given out any more."""
        if not self._taken:
            self._starts.wait()
            self._taken = True

    def give_back(self) -> None:
        """Nothing more is read: another one may begin, while this one is written. A second call does nothing."""
        if self._taken:
            self._taken = False
            self._starts.give_back()


class Starts:
    """Hands partitions out to threads until none is left or no further one is to begin. So many are read at a time, with a least time between
    the beginnings of two; more may be made ready meanwhile."""

    def __init__(self, values: Iterable[str], at_a_time: int, delay: timedelta, stop: Stop) -> None:
        self._values, self._delay, self._stop = deque(values), delay.total_seconds(), stop
        self._slots = threading.Semaphore(at_a_time)
        self._lock = threading.Lock()
        self._due = 0.0
        self._halted = False

    def next(self) -> str | None:
        """The next one; None: there is none."""
        with self._lock:
            return self._values.popleft() if self._values and not self._over else None

    def wait(self) -> None:
        """Waits until one more may be read. NotBegun."""
        self._slots.acquire()
        with self._lock:
            wait = self._due - time.monotonic()
            if wait > 0 and not self._over:
                self._stop.event.wait(wait)
            self._due = time.monotonic() + self._delay
            if not self._over:
                return
        self._slots.release()
        raise NotBegun

    def give_back(self) -> None:
        """One is read."""
        self._slots.release()

    def halt(self) -> None:
        """No further one begins."""
        self._halted = True

    @property
    def _over(self) -> bool:
        return self._halted or self._stop.event.is_set()


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
