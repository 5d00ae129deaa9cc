"""Cursors: kept as the source's own text, compared by what they mean, rounded down when they must change.

Instants compare as instants whatever their zone or precision, numbers as numbers, other texts as texts. Among cursors of several kinds instants
are the highest, and "" is the lowest: a stray "N/A" or "" among instants would stay the highest for good, and hide all that changes from then on.
0, "" and false are cursors; only an absent or null value is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from syncsource.records.types import to_json

_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?P<sep>[T ])(?P<time>\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>\s?(?:Z|z|UTC|[+-]\d\d(?::?\d\d)?))?"
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,6})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Meaning = tuple[int, Any, Any]
"""One of the kinds below, and what cursors of that kind are compared by."""

EMPTY, NUMBER, TEXT, INSTANT = range(4)


def cursor_text(value: Any) -> str:
    """A cursor as the source's own text."""
    return value if isinstance(value, str) else to_json(value)


def cursor_texts(values: list[Any]) -> list[str | None]:
    """Each cursor's text; None where it is absent."""
    if set(map(type, values)) == {str}:
        return values
    return [None if value is None else cursor_text(value) for value in values]


def highest(values: Iterable[Any], zone: tzinfo = UTC) -> str | None:
    """The text of the highest cursor; None where all are absent. ``zone``: of instants that name none."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    kinds = set(map(type, present))
    if kinds == {int} or (kinds == {str} and _sorts_as_text(present)):
        return cursor_text(max(present))
    return max(map(cursor_text, present), key=lambda text: meaning(text, zone))


def higher(one: str | None, other: str | None, zone: tzinfo = UTC) -> str | None:
    """The higher of two cursors, of which either may be absent."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=lambda text: meaning(text, zone))


def lowest(texts: Sequence[str | None], zone: tzinfo = UTC) -> str | None:
    """The lowest of several cursors; None where one is absent, or all are."""
    present = [text for text in texts if text is not None]
    return min(present, key=lambda text: meaning(text, zone)) if present and len(present) == len(texts) else None


def meaning(text: str, zone: tzinfo = UTC) -> Meaning:
    """What cursors are compared by."""
    if _NUMBER.fullmatch(text):
        return NUMBER, Decimal(text), 0
    instant = Instant.parse(text, zone)
    if instant is not None:
        return INSTANT, instant.seconds, instant.part
    if _DAY.fullmatch(text):
        return INSTANT, _midnight(text, zone), Decimal(0)
    return (TEXT, text, 0) if text else (EMPTY, 0, 0)


def look_back(text: str, by: timedelta) -> str:
    """The cursor ``by`` earlier, in the same form, rounded down; not before the year 1. ValueError where it is not an instant."""
    if not by:
        return text
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        return (day - min(timedelta(days=math.ceil(by / timedelta(days=1))), day - date.min)).isoformat()
    instant = Instant.parse(text, UTC)
    if instant is None:
        raise ValueError(f"the cursor {text[:60]!r} is not an instant, so that lookback can't be taken from it")
    first = datetime.min.replace(tzinfo=instant.local.tzinfo)
    return instant.written(instant.local - min(timedelta(seconds=math.ceil(by.total_seconds())), instant.local - first))


def later(text: str, by: timedelta) -> str:
    """The cursor ``by`` later, in the same form; a date by whole days, at least one. ValueError where it is neither an instant nor a date."""
    if _DAY.fullmatch(text):
        return (date.fromisoformat(text) + max(timedelta(days=by.days), timedelta(days=1))).isoformat()
    instant = Instant.parse(text, UTC)
    if instant is None:
        raise ValueError(f"the cursor {text[:60]!r} is neither an instant nor a date in ISO 8601")
    return instant.written(instant.local + by)


def at_moment(text: str, moment: datetime, zone: tzinfo = UTC) -> str:
    """``moment`` in the form of the cursor, rounded down; a date rounded up, so that today is within. ValueError as :func:`later`."""
    if _DAY.fullmatch(text):
        return (moment.astimezone(zone).date() + timedelta(days=1)).isoformat()
    instant = Instant.parse(text, zone)
    if instant is None:
        raise ValueError(f"the cursor {text[:60]!r} is neither an instant nor a date in ISO 8601")
    return instant.at(moment)


def cap(text: str, moment: datetime, zone: tzinfo = UTC) -> str:
    """The cursor, or ``moment`` in the same form and rounded down where the cursor is a later instant."""
    instant = Instant.parse(text, zone)
    if instant is None or (instant.seconds, instant.part) <= (math.floor(moment.timestamp()), Decimal(moment.microsecond) / 1_000_000):
        return text
    return instant.at(moment)


@dataclass(frozen=True, slots=True)
class Instant:
    """An ISO 8601 instant taken apart, so that it can be written again in its own form."""

    match: re.Match[str]
    local: datetime
    """Date and time as written, without fraction, in its own offset."""

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Instant | None:
        """None where the text is not an instant."""
        match = _INSTANT.fullmatch(text)
        if match is None:
            return None
        try:
            return cls(match, datetime.fromisoformat(f"{match['day']}T{match['time']}").replace(tzinfo=_offset(match["zone"]) or zone))
        except ValueError:
            return None

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970 in UTC."""
        return int((self.local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())

    @property
    def part(self) -> Decimal:
        """The fraction of a second, every digit of it."""
        return Decimal("0" + (self.match["fraction"] or ""))

    def written(self, local: datetime) -> str:
        """Another local time in this form, the fraction kept."""
        match = self.match
        return f"{local:%Y-%m-%d}{match['sep']}{local:%H:%M:%S}{match['fraction'] or ''}{match['zone'] or ''}".rjust(len(match[0]), "0")

    def at(self, moment: datetime) -> str:
        """An instant in this form, its fraction rounded down to none."""
        zeros = re.sub(r"\d", "0", self.match["fraction"] or "")
        local = moment.astimezone(self.local.tzinfo)
        return f"{local:%Y-%m-%d}{self.match['sep']}{local:%H:%M:%S}{zeros}{self.match['zone'] or ''}"


def _offset(zone: str | None) -> tzinfo | None:
    if zone is None:
        return None
    digits = zone.strip().replace(":", "")
    if digits in ("Z", "z", "UTC"):
        return UTC
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:] or 0))
    return timezone(-offset if digits[0] == "-" else offset)


def _midnight(day: str, zone: tzinfo) -> float:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _sorts_as_text(values: list[str]) -> bool:
    """Instants of one form, all in UTC, sort as their texts do."""
    return len(set(map(len, values))) == 1 and values[0].endswith("Z") and _INSTANT.fullmatch(max(values)) is not None and _all_z(values)


def _all_z(values: list[str]) -> bool:
    return "".join(value[-1] for value in values).count("Z") == len(values)
