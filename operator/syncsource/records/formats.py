"""Dates and times that are not written as ISO 8601 has them: strptime's directives, and seconds or milliseconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import partial
from itertools import repeat
from typing import Any

from syncsource.errors import outside_text
from syncsource.records.columns import Bulk, FieldType, Unusual

EPOCHS = {"epochSeconds": 1_000_000, "epochMilliseconds": 1000}
"""Microseconds of one."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,20}(\.[0-9]{1,20})?\s*")
_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_ENDS: dict[str, Callable[[datetime, tzinfo], Any]] = {
    "date": lambda moment, zone: _day(moment),
    "time": lambda moment, zone: moment.time().isoformat(),
    "timestamp": lambda moment, zone: (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC),
}
"""What a type makes of the moment that was read. ``zone``: of those that name none."""


def formatted(name: str, formats: Sequence[str], zone: tzinfo) -> FieldType:
    """A type of dates, times or timestamps that are written in one of ``formats``; the first that fits counts."""
    end = partial(_ended, _ENDS[name], zone)
    quick = _epoch_column(formats[0], name) if formats[0] in EPOCHS else _strptime_column(formats[0], name, end)
    return FieldType(name, partial(_converted, name, tuple(formats), end), quick)


def _ended(end: Callable[[datetime, tzinfo], Any], zone: tzinfo, moment: datetime) -> Any:
    return end(moment, zone)


def _converted(name: str, formats: tuple[str, ...], end: Callable[[datetime], Any], value: Any) -> Any:
    for text in formats:
        try:
            return end(_moment(value, text))
        except (ValueError, OverflowError):
            continue
    shown = outside_text(value if isinstance(value, str) else str(value), 60)
    raise ValueError(f"{shown!r} is not a {name} in the format {' or '.join(formats)}")


def _moment(value: Any, text: str) -> datetime:
    if text in EPOCHS:
        return since_1970(value, EPOCHS[text])
    if not isinstance(value, str):
        raise ValueError
    return datetime.strptime(value.strip(), text)  # noqa: DTZ007


def since_1970(value: Any, unit: int) -> datetime:
    """The instant so many units of ``unit`` microseconds after 1970, exactly. ValueError, OverflowError."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not Decimal(value).is_finite() or Decimal(value).adjusted() > 20:
        raise ValueError
    exact = Decimal(value) * unit
    if exact != exact.to_integral_value():
        raise ValueError
    return _EPOCH + timedelta(microseconds=int(exact))


def _day(moment: datetime) -> date:
    """Of a moment only where its time is midnight."""
    if moment.time() != time():
        raise ValueError
    return moment.date()


def _epoch_column(text: str, name: str) -> Bulk:
    """Whole numbers, as they mostly are."""
    unit = "seconds" if text == "epochSeconds" else "milliseconds"

    def bulk(values: list[Any]) -> list[Any]:
        if set(map(type, values)) == {str}:
            values = list(map(int, values)) if "".join(values).isdigit() and "".join(values).isascii() else []
        if name != "timestamp" or set(map(type, values)) != {int} or max(map(abs, values)) > 10**15:
            raise Unusual
        return [_EPOCH + timedelta(**{unit: value}) for value in values]

    return bulk


def _strptime_column(text: str, name: str, end: Callable[[datetime], Any]) -> Bulk:
    places = _places(text)

    def bulk(values: list[Any]) -> list[Any]:
        if places is not None and set(map(len, values)) == {places.width}:
            parts = places.parts(values)
            whole_days = name == "date" and places.whole_days
            return list(map(date, *parts[:3])) if whole_days else list(map(end, map(datetime, *parts)))
        return list(map(end, map(datetime.strptime, values, repeat(text))))

    return bulk


class _Places:
    """A format of which every part has a fixed width: its digits are cut out, at many times the speed of strptime."""

    def __init__(self, spans: dict[str, slice], literals: dict[int, str], width: int) -> None:
        self._spans, self._literals, self.width = spans, literals, width
        self.whole_days = not set(spans) & set("HMS")

    def parts(self, values: list[str]) -> list[Iterable[int]]:
        """Years, months, days, hours, minutes and seconds of texts that all have the format's width. Unusual where one is not written so."""
        joined = "".join(values)
        if any(set(joined[place :: self.width]) != {literal} for place, literal in self._literals.items()):
            raise Unusual
        return [self._numbers(values, self._spans.get(name)) for name in "YmdHMS"]

    def _numbers(self, values: list[str], span: slice | None) -> Iterable[int]:
        if span is None:
            return repeat(0)
        cut = [value[span] for value in values]
        joined = "".join(cut)
        if not (joined.isascii() and joined.isdigit()):
            raise Unusual
        return list(map(int, cut))


def _places(text: str) -> _Places | None:
    """None where the format is not made of year, month and day in digits, with or without a time in digits."""
    spans: dict[str, slice] = {}
    literals: dict[int, str] = {}
    at = 0
    for directive, literal in re.findall(r"%(.)|([^%])", text, re.DOTALL):
        if literal:
            literals[at] = literal
            at += 1
            continue
        if directive not in _WIDTHS or directive in spans:
            return None
        spans[directive] = slice(at, at + _WIDTHS[directive])
        at += _WIDTHS[directive]
    return _Places(spans, literals, at) if {"Y", "m", "d"} <= set(spans) else None
