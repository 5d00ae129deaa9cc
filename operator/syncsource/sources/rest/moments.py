"""Instants as a request wants them: a cursor in another form or zone, rounded so that nothing is missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from syncsource.records.cursors import INSTANT, meaning

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (
    ("f", timedelta(microseconds=1)),
    ("ST", timedelta(seconds=1)),
    ("M", timedelta(minutes=1)),
    ("H", timedelta(hours=1)),
)
"""The finest directive of a pattern says what it rounds to; without any of these it is the day."""


def written(text: str, form: str, *, zone: tzinfo = UTC, source: tzinfo = UTC, up: bool = False) -> str:
    """The instant ``text`` in this form: iso8601, date, epochSeconds, epochMilliseconds or a pattern of strftime.

    ``zone``: in which it is written. ``source``: of texts that name none. What does not fit is rounded down, or ``up``.
    Raises ValueError where it is no instant, or one that can't be written.
    """
    kind, seconds, part = meaning(text, source)
    if kind != INSTANT:
        raise ValueError(f"{text[:60]!r} is not an instant")
    try:
        return _FORMS.get(form, _in_pattern)(int(seconds), Decimal(part), zone, up, form)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text[:60]!r} can't be written as {form}: {error}") from None


def _iso(seconds: int, part: Decimal, zone: tzinfo, up: bool, form: str) -> str:
    """Every digit of the fraction is kept, so that nothing is rounded."""
    local = _local(seconds, zone)
    offset = "Z" if zone is UTC else local.isoformat()[19:]
    return local.replace(tzinfo=None).isoformat() + (f"{part:f}"[1:] if part else "") + offset


def _epoch(seconds: int, part: Decimal, zone: tzinfo, up: bool, form: str) -> str:
    scale = 1000 if form == "epochMilliseconds" else 1
    return str(int(((seconds + part) * scale).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)))


def _in_pattern(seconds: int, part: Decimal, zone: tzinfo, up: bool, form: str) -> str:
    pattern = "%Y-%m-%d" if form == "date" else form
    unit = next((unit for letters, unit in _UNITS if any(f"%{letter}" in pattern for letter in letters)), timedelta(days=1))
    micro = part * 1_000_000
    local = _local(seconds, zone) + timedelta(microseconds=int(micro))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    past = (local.replace(tzinfo=None) - midnight.replace(tzinfo=None)) % unit
    found = local - past + (unit if up and (past or micro % 1) else timedelta(0))
    return found.strftime(pattern.replace("%Y", f"{found.year:04d}"))  # the C library may write the year 999 as such


def _local(seconds: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)


_FORMS: dict[str, Callable[[int, Decimal, tzinfo, bool, str], str]] = {"iso8601": _iso, "epochSeconds": _epoch, "epochMilliseconds": _epoch}
