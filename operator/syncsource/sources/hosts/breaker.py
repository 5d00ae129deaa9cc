"""A circuit breaker: a host that fails again and again is left alone for a while."""

from __future__ import annotations

FAILURES = 10
"""Failures in a row that open it."""
SHORTEST, LONGEST = 5.0, 300.0
"""Seconds for which it opens: doubled with each probe that fails."""


class Breaker:
    """One host. Not thread-safe: the caller holds a lock. ``now`` is seconds on a clock that never goes back."""

    def __init__(self) -> None:
        self.failures = 0
        self.last = ""
        """The reason of the last failure."""
        self.opened = 0
        """How often it opened since the host last answered; 0: it is closed."""
        self._until = 0.0
        self._probe_until = 0.0

    def left(self, now: float) -> float:
        """Seconds for which nothing is sent; 0: a request may go."""
        return max(self._until, self._probe_until, now) - now if self.opened else 0.0

    def sent(self, now: float, lease: float) -> None:
        """A request goes. Where the breaker is open it is the probe, and the only one until it has ended or ``lease`` seconds are over."""
        if self.opened:
            self._probe_until = now + lease

    def failed(self, reason: str, now: float) -> bool:
        """Returns whether it opened by that, from closed. What was under way when it opened does not count again."""
        if self.opened and not self._probe_until:
            return False
        self.failures += 1
        self.last = reason
        if self.failures < FAILURES:
            return False
        self._until = now + min(SHORTEST * 2.0 ** min(self.opened, 16), LONGEST)
        self._probe_until = 0.0
        self.opened += 1
        return self.opened == 1
