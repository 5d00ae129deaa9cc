"""The types of fields: what values a type takes, and what it makes of them. Exact, or a ValueError that says why not.

JSON numbers arrive as int or Decimal, never as float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from syncsource.errors import outside_text

_to_json = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INTEGER = re.compile(r"[+-]?\d{1,1000}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?")
_TRUE = frozenset(("true", "t", "yes", "1"))
_FALSE = frozenset(("false", "f", "no", "0"))


NONE = type(None)
Bulk = Callable[[list[Any]], list[Any]]


class Unusual(Exception):
    """A column holds a value that needs a look of its own."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type. ``convert`` makes a row's value of one JSON value that is not null, or raises ValueError.

    ``bulk`` does the same for a whole column at C speed, or raises :class:`Unusual`, ValueError, TypeError or
    ArithmeticError where any value is out of the ordinary: then each is converted by itself.
    """

    name: str
    convert: Callable[[Any], Any]
    bulk: Bulk

    def column(self, values: list[Any]) -> list[Any]:
        """The column converted; None stays None. Raises as ``bulk`` does."""
        if NONE not in map(type, values):
            return self.bulk(values)
        converted = iter(self.bulk([value for value in values if value is not None]))
        return [None if value is None else next(converted) for value in values]


def field_type(name: str, time_zone: str | None = None) -> FieldType:
    """The type that spec.fields[].type names. ``time_zone``: of timestamps that name none (None: UTC)."""
    if name.startswith("decimal("):
        precision, scale = map(int, name[8:-1].split(","))
        return _decimal_type(name, precision, scale)
    if name == "timestamp":
        zone = ZoneInfo(time_zone) if time_zone and time_zone != "UTC" else UTC
        return FieldType(name, partial(to_timestamp, zone=zone), partial(_timestamps, zone=zone))
    return _PLAIN[name]


def _decimal_type(name: str, precision: int, scale: int) -> FieldType:
    exact = Context(prec=precision, traps=[Inexact, InvalidOperation])
    step = Decimal(1).scaleb(-scale)

    def bulk(values: list[Any]) -> list[Any]:
        if not set(map(type, values)) <= {Decimal, int}:
            raise Unusual
        return list(map(exact.quantize, values, repeat(step)))

    return FieldType(name, partial(to_decimal, precision=precision, scale=scale), bulk)


def _each(convert: Callable[[Any], Any]) -> Bulk:
    return lambda values: list(map(convert, values))


def _as_they_are(kind: type) -> Bulk:
    def bulk(values: list[Any]) -> list[Any]:
        if set(map(type, values)) - {kind}:
            raise Unusual
        return values

    return bulk


def _texts(values: list[Any]) -> list[Any]:
    if "\x00" in "".join(values):  # a TypeError where one is no text
        raise Unusual
    return values


def _timestamps(values: list[Any], zone: tzinfo) -> list[Any]:
    if max(map(len, values), default=0) > 26:  # fromisoformat would drop a seventh decimal
        raise Unusual
    moments = list(map(datetime.fromisoformat, values))
    zones = set(map(attrgetter("tzinfo"), moments))
    if zones == {UTC}:
        return moments
    if None in zones:
        moments = [moment if moment.tzinfo else moment.replace(tzinfo=zone) for moment in moments]
    return [moment.astimezone(UTC) for moment in moments]


def to_json(value: Any) -> str:
    """JSON text with sorted keys; decimals digit for digit."""
    return _to_json(value).decode()


def to_text(value: Any) -> str:
    """Any JSON value as text: numbers digit for digit, objects and lists as JSON. NUL has no place in a database's text."""
    text = value if isinstance(value, str) else to_json(value)
    if "\x00" in text:
        raise _bad(value, "a text without NUL characters")
    return text


def to_integer(value: Any) -> int:
    """An integer of any size: a number without a fraction, or its digits as text."""
    if type(value) is int:
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise _bad(value, "an integer")


def to_float(value: Any) -> float:
    """A finite IEEE double: the nearest to the number given."""
    number = _number(value, "a number")
    try:
        result = float(number)
    except OverflowError:
        result = float("inf")
    if result in (float("inf"), float("-inf")):
        raise _bad(value, "a number within the range of a double")
    return result


def to_boolean(value: Any) -> bool:
    """true and false, 1 and 0, and their usual texts."""
    text = value.strip().lower() if isinstance(value, str) else str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise _bad(value, "true or false")


def to_decimal(value: Any, precision: int, scale: int) -> Decimal:
    """An exact decimal with ``scale`` digits after the point: nothing is rounded away."""
    wanted = f"a decimal({precision},{scale})"
    number = _number(value, wanted)
    try:
        return number.quantize(Decimal(1).scaleb(-scale), context=Context(prec=precision, traps=[Inexact, InvalidOperation]))
    except (Inexact, InvalidOperation):
        before, after = _digits(number)
        raise _bad(value, f"{wanted}: it has {before} digits before the point and {after} after it") from None


def to_date(value: Any) -> date:
    """An ISO 8601 date; of a timestamp only where its time is midnight."""
    text = value.strip() if isinstance(value, str) else ""
    if _DATE.match(text) and text[10:] in ("", "T00:00:00", " 00:00:00", "T00:00:00Z"):
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise _bad(value, f"a date ({error})") from None
    raise _bad(value, "a date such as 2026-01-31")


def to_timestamp(value: Any, zone: tzinfo) -> datetime:
    """An ISO 8601 instant in UTC, exact to the microsecond. ``zone`` is that of texts that name none."""
    if not isinstance(value, str):
        raise _bad(value, "a timestamp such as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = _parse_instant(value)
    if _loses_digits(value):
        raise _bad(value, "a timestamp of at most six decimals of a second")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _bad(value, "a timestamp between the years 1 and 9999") from None


def to_uuid(value: Any) -> str:
    """A UUID in its canonical text."""
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise _bad(value, "a UUID") from None


def _number(value: Any, wanted: str) -> Decimal:
    if isinstance(value, Decimal) or type(value) is int:
        number = Decimal(value)
    elif isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise _bad(value, wanted) from None
    else:
        raise _bad(value, wanted)
    if not number.is_finite():
        raise _bad(value, wanted)
    return number


def _digits(number: Decimal) -> tuple[int, int]:
    """How many digits stand before and after the point, without the zeros that end the fraction."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    while exponent < 0 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    return max(len(digits) + exponent, 0), max(-exponent, 0)


def _parse_instant(value: str) -> datetime:
    """Forms that datetime.fromisoformat refuses: a zone without colon or after a space, more than six decimals."""
    match = _INSTANT.fullmatch(value.strip())
    if match is None:
        raise _bad(value, "a timestamp such as 2026-01-31T12:00:00Z")
    day, time, fraction, zone = match.groups()
    zone = {None: "", "Z": "+00:00", "z": "+00:00", "UTC": "+00:00"}.get(zone, zone)
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6].ljust(6, '0')}{zone}" if fraction else f"{day}T{time}{zone}")
    except ValueError as error:
        raise _bad(value, f"a timestamp ({error})") from None


def _loses_digits(value: str) -> bool:
    match = _INSTANT.fullmatch(value.strip())
    return bool(match and match[3] and match[3][6:].strip("0"))


def _bad(value: Any, wanted: str) -> ValueError:
    shown = outside_text(value if isinstance(value, str) else to_json(value), 60)
    return ValueError(f"{shown!r} is not {wanted}" if isinstance(value, str) else f"{shown} is not {wanted}")


_PLAIN = {
    kind.name: kind
    for kind in (
        FieldType("text", to_text, _texts),
        FieldType("integer", to_integer, _as_they_are(int)),
        FieldType("float", to_float, _each(to_float)),
        FieldType("boolean", to_boolean, _as_they_are(bool)),
        FieldType("date", to_date, _each(to_date)),
        FieldType("json", to_json, _each(to_json)),
        FieldType("uuid", to_uuid, _each(to_uuid)),
    )
}
