"""Tries of one request: exponential backoff with full jitter, and Retry-After."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import TypeVar

from syncsource.errors import AbortedError, RetryableError
from syncsource.resource.http import RequestRetry
from syncsource.resource.types import format_duration
from syncsource.sources.rest.reasons import CANCELLED, CIRCUIT_OPEN

T = TypeVar("T")

_log = logging.getLogger(__name__)


def backoff(policy: RequestRetry, tries: int, roll: float) -> float:
    """Seconds before the next try after ``tries``; ``roll`` in [0, 1) takes its share of the longest wait that is due."""
    return roll * min(policy.backoff.total_seconds() * 2.0 ** (tries - 1), policy.max_backoff.total_seconds())


class Retrying:
    """Tries as a source's ``retry`` says. ``field`` is the part of the spec that it stands in."""

    def __init__(
        self,
        policy: RequestRetry,
        cancelled: threading.Event,
        roll: Callable[[], float] = random.random,
        *,
        field: str = "spec.source.http",
    ) -> None:
        self._policy = policy
        self._field = field
        self._cancelled = cancelled
        self._roll = roll

    def run(self, attempt: Callable[[], T]) -> T:
        """What ``attempt`` returns, tried again after each RetryableError but CircuitOpen.

        Raises the last RetryableError with the number of tries, and its reason and ``after``: when none is left, or when
        the upstream asks to wait longer than maxBackoff. AbortedError (Cancelled) ends a wait.
        """
        for tries in range(1, self._policy.attempts + 1):
            try:
                return attempt()
            except RetryableError as error:
                self._pause(error, tries)
        raise AssertionError("the last try returns or raises")

    def _pause(self, error: RetryableError, tries: int) -> None:
        if error.reason == CIRCUIT_OPEN:  # nothing was sent, and nothing will be for a while
            raise error
        longest = self._policy.max_backoff.total_seconds()
        if error.after is not None and error.after > longest:
            limit = f"longer than {format_duration(self._policy.max_backoff)} ({self._field}.retry.maxBackoff)"
            raise _ended(error, f"it asks to wait {error.after:.0f}s, {limit}") from error
        if tries >= self._policy.attempts:
            raise _ended(error, f"gave up after try {tries} ({self._field}.retry.attempts)") from error
        seconds = max(backoff(self._policy, tries, self._roll()), error.after or 0.0)
        _log.info("%s; try %d of %d in %.1f s", error.message, tries + 1, self._policy.attempts, seconds)
        if self._cancelled.wait(seconds):
            raise AbortedError("cancelled while waiting to try again", reason=CANCELLED) from error


def _ended(error: RetryableError, why: str) -> RetryableError:
    return RetryableError(f"{error.message}; {why}", reason=error.reason, after=error.after)
