"""All that is known of hosts and tokens, in one process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncsource.resource.parts import RateLimit
from syncsource.schedule.rate import RateWindow
from syncsource.sources.hosts.breaker import Breaker
from syncsource.sources.hosts.messages import (
    Answer,
    Answered,
    Enter,
    Failed,
    Go,
    Later,
    Note,
    Paused,
    Question,
    Refused,
    TokenKept,
    TokenMissed,
    TokenRefused,
    WantToken,
)
from syncsource.sources.hosts.tokens import Tokens

CIRCUIT_OPEN = "CircuitOpen"
"""Retryable: the host failed so often that nothing is sent there for a while."""
RATE_LIMITED = "RateLimited"
"""Retryable: status 429, or the host asked for a pause."""
LONGEST_PAUSE = 3_600.0
"""Seconds of a pause that are believed: one answer closes the host for all runs, and a request an hour is no burden."""
FARTHEST = 60.0
"""Seconds that a request is reserved ahead: a run that ends before its turn leaves a place empty, and many such would keep all others waiting."""

_log = logging.getLogger(__name__)

Clock = Callable[[], float]
_Place = tuple[str, int]


@dataclass(slots=True)
class _Trouble:
    """A host that failed or asked for a pause. What is well has none, so that the usual request costs nothing more."""

    breaker: Breaker = field(default_factory=Breaker)
    paused_until: float = 0.0


class HostTable:
    """Thread-safe. Rate limits go by host name, and where several apply to one, all must allow a request; the rest by host and port."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._declared: dict[str, dict[str, RateLimit]] = {}
        self._windows: dict[str, dict[RateLimit, RateWindow]] = {}
        self._troubles: dict[_Place, _Trouble] = {}
        self._tokens = Tokens()

    def declare(self, owner: str, limits: Mapping[str, RateLimit]) -> None:
        """Apply limits to hosts, by host, in place of those that ``owner`` declared before. The same limit of two owners is one."""
        with self._lock:
            before = self._declared.get(owner, {})
            if before == limits:
                return
            self._declared[owner] = dict(limits)
            for host, limit in limits.items():
                self._windows.setdefault(host, {}).setdefault(limit, RateWindow(limit.requests, limit.per))
            for host, limit in before.items():
                if not any(declared.get(host) == limit for declared in self._declared.values()):
                    del self._windows[host][limit]

    def ask(self, question: Question) -> Answer:
        """Never waits: the answer says how long to."""
        with self._lock:
            if isinstance(question, WantToken):
                return self._tokens.want(question, self._clock())
            return self._enter(question, self._clock())

    def tell(self, note: Note) -> None:
        """Take note."""
        with self._lock:
            self._tell(note, self._clock())

    def _enter(self, asked: Enter, now: float) -> Answer:
        trouble = self._troubles.get((asked.host, asked.port))
        if trouble is None:
            wait = self._reserve(asked.host, now)
            return Go(wait=wait) if wait <= FARTHEST else Later(wait=FARTHEST)
        paused = trouble.paused_until - now
        if paused > 0:
            return Later(wait=paused) if paused <= asked.patience else Refused(reason=RATE_LIMITED, after=paused)
        breaker = trouble.breaker
        if left := breaker.left(now):
            return Refused(reason=CIRCUIT_OPEN, after=left, failures=breaker.failures, last=breaker.last)
        wait = self._reserve(asked.host, now)
        if wait > FARTHEST:
            return Later(wait=FARTHEST)
        breaker.sent(now, wait + asked.lease)
        return Go(wait=wait, report=breaker.failures > 0)

    def _reserve(self, host: str, now: float) -> float:
        """Seconds to wait before the request that is hereby reserved, if they are not too many; 0 for a host without limits."""
        windows = self._windows.get(host, {}).values()
        wait = max((window.wait(now) for window in windows), default=0.0)
        for window in windows if wait <= FARTHEST else ():
            window.reserve(now + wait)
        return wait

    def _tell(self, note: Note, now: float) -> None:
        match note:
            case Answered(host=host, port=port):
                self._recovered((host, port), now)
            case Failed(host=host, port=port, reason=reason):
                self._failed((host, port), reason, now)
            case Paused(host=host, port=port, seconds=seconds):
                trouble = self._troubles.setdefault((host, port), _Trouble())
                trouble.paused_until = max(trouble.paused_until, now + min(seconds, LONGEST_PAUSE))
            case TokenKept():
                self._tokens.keep(note, now)
            case TokenMissed(key=key):
                self._tokens.missed(key)
            case TokenRefused(key=key, text=text):
                self._tokens.refused(key, text)

    def _failed(self, place: _Place, reason: str, now: float) -> None:
        breaker = self._troubles.setdefault(place, _Trouble()).breaker
        if breaker.failed(reason, now):
            told = (*place, breaker.failures, reason, breaker.left(now))
            _log.warning("%s:%d failed %d times in a row, the last time of %s: nothing is sent there for %.0f s, then one request", *told)

    def _recovered(self, place: _Place, now: float) -> None:
        trouble = self._troubles.get(place)
        if trouble is None:
            return
        if trouble.breaker.opened:
            _log.warning("%s:%d answers again", *place)
        trouble.breaker = Breaker()
        if trouble.paused_until <= now:
            del self._troubles[place]
