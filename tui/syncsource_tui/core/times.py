"""Instants and spans, as people read them. Instants are seconds since 1970 in UTC; the time of now is an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

_LATEST = 253_000_000_000
"""In the year 9987: no zone moves it out of what a datetime holds."""
_LATE = 10
"""Seconds after which what is due counts as late."""
_UNITS = ((86400 * 7, "w", 8), (86400, "d", 2), (3600, "h", 2), (60, "m", 2), (1, "s", 0))


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from, and in which zone clocks are shown; None: that of the machine."""

    now: Callable[[], float]
    zone: tzinfo | None = None


def instant(value: Any) -> float | None:
    """The instant of an RFC 3339 text; None for anything else, and before 1970, as for Kubernetes' zero time."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _LATEST else None


def span(seconds: float) -> str:
    """One number and one unit: ``4s``, ``90s``, ``4m``, ``3h``, ``12d``, ``9w``."""
    seconds = max(seconds, 0)
    for size, unit, least in _UNITS:
        if seconds >= size * max(least, 1):
            return f"{int(seconds // size):,}{unit}"
    return "0s"


def since(then: float | None, now: float) -> str:
    """How long ago, ``4m``; a dash where it never was."""
    return "–" if then is None else span(now - then)


def until(then: float | None, now: float) -> str:
    """``in 11s``, ``now``, or ``3m late``; a dash where nothing is due."""
    if then is None:
        return "–"
    if then > now:
        return f"in {span(then - now + 0.999)}"
    return "now" if now - then < _LATE else f"{span(now - then)} late"


def is_late(then: float | None, now: float) -> bool:
    """Whether what was due has not happened."""
    return then is not None and now - then >= _LATE


def time_of_day(then: float | None, zone: tzinfo | None) -> str:
    """``14:03:59`` in the zone."""
    return "" if then is None else datetime.fromtimestamp(then, UTC).astimezone(zone).strftime("%H:%M:%S")


def date_and_time(then: float | None, zone: tzinfo | None) -> str:
    """``2026-11-21 14:03:59`` in the zone."""
    return "" if then is None else datetime.fromtimestamp(then, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(then: float) -> str:
    """``2026-11-21T14:03:59Z``."""
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
