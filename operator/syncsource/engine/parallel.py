"""Partitions side by side: threads that take one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta

from syncsource.engine.ending import known
from syncsource.engine.stopping import Stop

_TICK = 0.1
"""Seconds between looks at whether a delay is over, or the run."""


class NotBegun(Exception):
    """No further partition is to begin."""


class Slot:
    """The right of a partition to be read: so many have it at a time, in their order."""

    def __init__(self, starts: Starts, value: str, place: int) -> None:
        self.value = value
        self._starts, self._place = starts, place
        self._taken = self._over = False

    def take(self) -> None:
        """Waits for it. NotBegun where none is given out any more."""
        if not self._taken:
            self._starts.wait(self._place)
            self._taken = True

    def give_back(self) -> None:
        """Nothing more is read: another one may begin, while this one is written. A second call does nothing."""
        if not self._over:
            self._over = True
            self._starts.done(self._place, read=self._taken)


class Starts:
    """Hands partitions out to threads until none is left or no further one is to begin. So many are read at a time, with a least time between
    the beginnings of two, in their order; more may be made ready meanwhile."""

    def __init__(self, values: Iterable[str], at_a_time: int, delay: timedelta, stop: Stop) -> None:
        self._values, self._delay, self._stop = iter(enumerate(values)), delay.total_seconds(), stop
        self._changed = threading.Condition()
        self._free, self._turn = at_a_time, 0
        self._left: set[int] = set()
        """Places of partitions that ended before their turn."""
        self._due = 0.0
        self._halted = False

    def next(self) -> Slot | None:
        """The next one's; None: there is none."""
        with self._changed:
            place, value = next(self._values, (0, None)) if not self._over else (0, None)
        return None if value is None else Slot(self, value, place)

    def wait(self, place: int) -> None:
        """Waits until the partition at this place may be read. NotBegun."""
        with self._changed:
            while not self._over and not (self._turn == place and self._free and self._due <= time.monotonic()):
                self._changed.wait(_TICK)
            if self._over:
                raise NotBegun
            self._free -= 1
            self._due = time.monotonic() + self._delay
            self._pass_on()

    def done(self, place: int, *, read: bool) -> None:
        """The partition at this place was read, or will not be."""
        with self._changed:
            if read:
                self._free += 1
            else:
                self._left.add(place)
            if not read and place == self._turn:
                self._pass_on()
            self._changed.notify_all()

    def halt(self) -> None:
        """No further one begins."""
        self._halted = True

    @property
    def _over(self) -> bool:
        return self._halted or self._stop.event.is_set()

    def _pass_on(self) -> None:
        self._turn += 1
        while self._turn in self._left:
            self._turn += 1
        self._changed.notify_all()


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
