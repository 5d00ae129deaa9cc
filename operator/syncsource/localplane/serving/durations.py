"""Ages as kubectl prints them (`k8s.io/apimachinery/pkg/util/duration`)."""

from __future__ import annotations

import datetime as dt


def since(instant: str, now: dt.datetime | None = None) -> str:
    """The age of an RFC 3339 instant; `<unknown>` without one, `<invalid>` for the future."""
    if not instant:
        return "<unknown>"
    try:
        moment = dt.datetime.fromisoformat(instant)
    except ValueError:
        return "<unknown>"
    if moment.tzinfo is None:
        return "<unknown>"
    return human((now or dt.datetime.now(dt.UTC)) - moment)


def human(age: dt.timedelta) -> str:
    """Two units at most, as many as matter."""
    seconds = int(age.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
