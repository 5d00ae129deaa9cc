"""How long a failed run waits: pure."""

from __future__ import annotations

from datetime import timedelta

from syncsource.resource.spec import Retry

_LONGEST_ASKED = timedelta(days=30)
_MOST_DOUBLINGS = 64


def retry_delay(retry: Retry, *, failures: int, at_least: float | None = None) -> timedelta:
    """The wait after the ``failures``-th failure in a row: backoff, doubled each time up to maxBackoff.

    Never shorter than ``at_least``, the seconds that the other side asked for (of which 30 days count at most).
    """
    doubled = _doubled(retry, min(max(failures, 1) - 1, _MOST_DOUBLINGS))
    return max(doubled, asked_delay(at_least))


def asked_delay(seconds: float | None) -> timedelta:
    """The wait that the other side asked for; none is zero."""
    if not seconds or seconds < 0:
        return timedelta(0)
    return timedelta(seconds=min(seconds, _LONGEST_ASKED.total_seconds()))


def _doubled(retry: Retry, times: int) -> timedelta:
    seconds = retry.backoff.total_seconds() * 2**times
    return timedelta(seconds=min(seconds, retry.max_backoff.total_seconds()))
