"""The slices that a partition is read in: one, or a long history window by window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from syncsource.records.cursors import at_moment, later, meaning


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, up to but not including ``until``; None: no bound."""

    since: str | None
    until: str | None = None
    last: bool = True


def spans(first: str, size: timedelta, end: datetime, zone: tzinfo) -> Iterator[Span]:
    """The spans from ``first`` to ``end``, in the form of ``first``; each begins where the one before it ends.

    ValueError where ``first`` is neither an instant nor a date. A ``first`` after ``end`` is one span without an end.
    """
    bound = at_moment(first, end, zone)
    if meaning(first, zone) >= meaning(bound, zone):
        return iter([Span(first)])
    return _spans(first, size, bound, zone)


def _spans(first: str, size: timedelta, bound: str, zone: tzinfo) -> Iterator[Span]:
    since, end = first, meaning(bound, zone)
    while meaning(until := later(since, size), zone) < end:
        yield Span(since, until, last=False)
        since = until
    yield Span(since, bound)
