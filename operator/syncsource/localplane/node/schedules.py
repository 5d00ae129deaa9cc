"""When a CronJob is due, by its schedule and zone. No I/O here: time is an argument."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class NoSchedule(Exception):
    """The schedule or its zone can't be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Due:
    """`last`: the latest time that has come since, None where none has; `next`: the one after now, None where there is none."""

    last: dt.datetime | None
    next: dt.datetime | None


def due(schedule: str, zone: str | None, since: dt.datetime, now: dt.datetime) -> Due:
    """The times of a schedule around now; `zone` None is UTC. Raises NoSchedule."""
    text = _NAMED.get(schedule.strip(), schedule).replace("?", "*")
    try:
        here = now.astimezone(ZoneInfo(zone) if zone else dt.UTC)
        last = _first(CronSim(text, here + dt.timedelta(seconds=1), reverse=True))
        following = _first(CronSim(text, here))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoSchedule(f"unknown time zone {zone}") from None
    except CronSimError as wrong:
        raise NoSchedule(f"unparseable schedule {schedule!r}: {wrong}") from None
    return Due(last if last is not None and last > since else None, following)


def _first(times: CronSim) -> dt.datetime | None:
    found: dt.datetime | None = next(times, None)
    return found
