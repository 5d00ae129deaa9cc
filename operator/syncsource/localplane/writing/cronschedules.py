"""Schedules of CronJobs: why one would be refused, in the words of the parser that the real server uses (`robfig/cron`)."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = dict(zip(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], range(1, 13), strict=True))
_DAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = ((0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS))
_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_DURATION = re.compile(r"[-+]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+|[-+]?0")
_ZONED = ("TZ=", "CRON_TZ=")


def check_schedule(schedule: str) -> str:
    """What is wrong with a schedule, or nothing."""
    if any(zone in schedule for zone in _ZONED):
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    try:
        _parse(schedule)
    except ValueError as wrong:
        return str(wrong)
    return ""


def check_zone(name: str) -> str:
    """What is wrong with a time zone's name, or nothing."""
    if not name:
        return "timeZone must be nil or non-empty string"
    if name.lower() == "local":
        return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {name}"
    return ""


def _parse(schedule: str) -> None:
    if not schedule:
        raise ValueError("empty spec string")
    if schedule.startswith("@"):
        _descriptor(schedule)
        return
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    for part, (low, high, names) in zip(parts, _FIELDS, strict=True):
        for one in filter(None, part.split(",")):
            _range(one, low, high, names)


def _descriptor(text: str) -> None:
    if text.startswith("@every "):
        wait = text.removeprefix("@every ")
        if not _DURATION.fullmatch(wait):
            raise ValueError(f'failed to parse duration {text}: time: invalid duration "{wait}"')
    elif text not in _DESCRIPTORS:
        raise ValueError(f"unrecognized descriptor: {text}")


def _range(text: str, low: int, high: int, names: dict[str, int]) -> None:
    whole, *steps = text.split("/")
    bounds = whole.split("-")
    if bounds[0] in {"*", "?"}:
        start, end = low, high
    else:
        start = _number(bounds[0], names)
        if len(bounds) > 2:
            raise ValueError(f"too many hyphens: {text}")
        end = _number(bounds[1], names) if len(bounds) == 2 else high if steps else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    _check_bounds(text, (start, end, step), low, high)


def _check_bounds(text: str, found: tuple[int, int, int], low: int, high: int) -> None:
    start, end, step = found
    if start < low:
        raise ValueError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise ValueError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
