"""Rate limits: when the next request may go."""

from __future__ import annotations

from collections import deque
from datetime import timedelta


class RateWindow:
    """At most ``requests`` in any span of ``per``, in the order asked for. Not thread-safe: the caller holds a lock.

    ``now`` is seconds on a clock that never goes back, the same for every call.
    """

    def __init__(self, requests: int, per: timedelta) -> None:
        if requests < 1 or per <= timedelta(0):
            raise ValueError(f"a rate limit needs at least one request in a positive span, not {requests} per {per}")
        self._per = per.total_seconds()
        self._slots: deque[float] = deque(maxlen=requests)

    def wait(self, now: float) -> float:
        """Seconds until a request may go. Nothing is reserved, and a later moment is allowed too."""
        slots = self._slots
        if not slots:
            return 0.0
        free = slots[0] + self._per if len(slots) == slots.maxlen else now
        return max(free, slots[-1], now) - now

    def reserve(self, now: float) -> float:
        """Seconds to wait before the request that is hereby reserved."""
        wait = self.wait(now)
        self._slots.append(now + wait)
        return wait
