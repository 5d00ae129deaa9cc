"""The slices that a partition is read in: one, or a long history window by window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from syncsource.errors import StalledError
from syncsource.records.cursors import at_moment, later, look_back, meaning
from syncsource.resource.incremental import Incremental


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, up to but not including ``until``; None: no bound."""

    since: str | None
    until: str | None = None
    last: bool = True
    closed: bool = False
    """Whether it ended at least its size before the run's start: then the cursor may stand at its end, even where no record came. Of younger
    ones records may still come late."""


def slices(incremental: Incremental | None, before: str | None, now: datetime, zone: tzinfo) -> Iterator[Span]:
    """What is to be read after the cursor ``before``. Raises StalledError where it does not go with lookback or window."""
    if incremental is None:
        return iter([Span(None)])
    try:
        since = look_back(before, incremental.lookback) if before is not None else None
    except ValueError as error:
        raise StalledError(f"spec.incremental.lookback: {error}; remove lookback or choose another cursor") from None
    return windows(incremental, incremental.window.start if incremental.window and since is None else since, now, zone)


def windows(incremental: Incremental, since: str | None, now: datetime, zone: tzinfo) -> Iterator[Span]:
    """What is to be read from ``since`` on. Raises StalledError as :func:`slices`."""
    if incremental.window is None or since is None:
        return iter([Span(since)])
    try:
        return spans(since, incremental.window.size, now, zone)
    except ValueError as error:
        raise StalledError(f"spec.incremental.window: {error}; remove window or choose another cursor") from None


def spans(first: str, size: timedelta, end: datetime, zone: tzinfo) -> Iterator[Span]:
    """The spans from ``first`` to ``end``, in the form of ``first``; each begins where the one before it ends.

    ValueError where ``first`` is neither an instant nor a date. A ``first`` after ``end`` is one span without an end.
    """
    bound, young = at_moment(first, end, zone), at_moment(first, end - size, zone)
    if meaning(first, zone) >= meaning(bound, zone):
        return iter([Span(first)])
    return _spans(first, size, bound, young, zone)


def _spans(first: str, size: timedelta, bound: str, young: str, zone: tzinfo) -> Iterator[Span]:
    since, end, edge = first, meaning(bound, zone), meaning(young, zone)
    while (here := meaning(until := later(since, size), zone)) < end:
        yield Span(since, until, last=False, closed=here <= edge)
        since = until
    yield Span(since, bound)
