"""Rate limits that the sources of one process share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from syncsource.errors import AbortedError
from syncsource.resource.parts import RateLimit
from syncsource.schedule.rate import RateWindow

Clock = Callable[[], float]


class LocalPermits:
    """Who may send a request when. Thread-safe. Where several limits apply to one host, all must allow the request."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, dict[RateLimit, RateWindow]] = {}

    def limit(self, host: str, limit: RateLimit) -> None:
        """Apply a limit to a host. The same limit a second time changes nothing."""
        with self._lock:
            self._windows.setdefault(host, {}).setdefault(limit, RateWindow(limit.requests, limit.per))

    def reserve(self, host: str) -> float:
        """Seconds to wait before the request that is hereby reserved; 0 for a host without limits."""
        with self._lock:
            now, windows = self._clock(), self._windows.get(host, {}).values()
            wait = max((window.wait(now) for window in windows), default=0.0)
            for window in windows:
                window.reserve(now + wait)
            return wait

    def until(self, cancelled: threading.Event) -> Callable[[str], None]:
        """A ``permit`` for :func:`open_source` whose waits end with AbortedError (Cancelled) when ``cancelled`` is set."""

        def permit(host: str) -> None:
            if cancelled.wait(self.reserve(host)):
                raise AbortedError(f"cancelled while waiting for the rate limit of {host}", reason="Cancelled")

        return permit
