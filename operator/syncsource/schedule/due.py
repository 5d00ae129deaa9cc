"""When a schedule comes due: pure, the time is an argument.

``cron`` comes due at its ticks in its zone, as Debian's cron does: a tick that falls into the hour that daylight saving skips
comes right after it, one that falls into the repeated hour comes once, and ``*`` minutes or hours follow real time.

``every`` counts from the last attempt, and is pulled forward to a phase that is hashed from the uid, by less than half the
interval. The first interval after a creation, a request or an outage is therefore between a half and one ``every`` long, all others are
exact, and the schedules of many objects that were created together spread over half the interval. A restart moves nothing,
since nothing but the last attempt and the uid goes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from cronsim import CronSim

from syncsource.resource.cron import resolve_cron
from syncsource.resource.spec import Schedule
from syncsource.resource.types import format_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def next_due(schedule: Schedule, *, uid: str, after: datetime) -> datetime:
    """The first time after ``after`` (the last attempt, or now) that the schedule comes due: UTC, in whole seconds."""
    if schedule.every is not None:
        return _phased(schedule.every, uid, after)
    return next(tick for tick in _ticks(schedule, uid, after) if tick > after)


def last_missed(schedule: Schedule, *, uid: str, due: datetime, now: datetime) -> datetime | None:
    """Of the times from ``due`` to ``now`` the last but one: the run that starts now stands for the last one only."""
    if schedule.every is not None:
        passed = (now - due) // schedule.every
        return due + (passed - 1) * schedule.every if passed > 0 else None
    earlier = (tick for tick in _ticks(schedule, uid, now + _SECOND, reverse=True) if tick <= now)
    next(earlier)
    missed = next(earlier)
    return missed if missed >= due else None


def describe(schedule: Schedule, *, uid: str) -> str:
    """The schedule in force: ``every 5m``, or ``17 * * * * (Asia/Jakarta)`` with each ``H`` resolved."""
    if schedule.every is not None:
        return f"every {format_duration(schedule.every)}"
    return f"{_cron(schedule, uid)} ({schedule.time_zone or 'UTC'})"


def whole_second(moment: datetime) -> datetime:
    """The moment itself, or the next whole second: status keeps no fractions, and nothing may start early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + _SECOND


def _phased(every: timedelta, uid: str, after: datetime) -> datetime:
    period = every / 2
    phase = period * (_hashed(uid) / 2**64)
    latest = after.astimezone(UTC) + every
    return whole_second(latest - (latest - _EPOCH - phase) % period)


def _hashed(uid: str) -> int:
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest(), "big")


def _cron(schedule: Schedule, uid: str) -> str:
    assert schedule.cron is not None
    return resolve_cron(schedule.cron, uid)


def _ticks(schedule: Schedule, uid: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    zone = ZoneInfo(schedule.time_zone or "UTC")
    for tick in CronSim(_cron(schedule, uid), start.astimezone(zone if zone.key != "UTC" else UTC), reverse=reverse):
        yield tick.astimezone(UTC)
