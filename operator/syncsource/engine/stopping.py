"""One way to stop a run from another thread: cancelled by somebody, or out of time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from syncsource.errors import AbortedError, RetryableError, SyncError
from syncsource.resource.types import format_duration


class Stop:
    """Set once, with its cause. ``event`` is what waits listen to; hooks are called for what can't listen."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._cause: SyncError | None = None
        self._hooks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def __call__(self, cause: SyncError | None = None) -> None:
        """Stop the run; the first cause counts. None: cancelled."""
        with self._lock:
            if self._cause is not None:
                return
            self._cause = cause or AbortedError("the run was cancelled", reason="Cancelled")
            self.event.set()
            hooks = list(self._hooks)
        for hook in hooks:
            hook()

    def check(self) -> None:
        """Raises the cause, if the run is to stop."""
        if self._cause is not None:
            raise self._cause

    def cause_of(self, error: SyncError) -> SyncError:
        """The cause of the stop where there is one: what failed after it failed because of it."""
        return self._cause or error

    @contextmanager
    def calling(self, hook: Callable[[], None]) -> Iterator[None]:
        """Within this block a stop also calls ``hook``, from the stopping thread."""
        with self._lock:
            self._hooks.append(hook)
        try:
            yield
        finally:
            with self._lock:
                self._hooks.remove(hook)

    @contextmanager
    def after(self, limit: timedelta, left: str = "nothing of it was written") -> Iterator[None]:
        """Within this block the run stops when ``limit`` has passed. ``left`` tells what it leaves."""
        message = f"the run took longer than spec.timeout ({format_duration(limit)}); {left}"
        timer = threading.Timer(limit.total_seconds(), self, [RetryableError(message, reason="Timeout")])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
