"""The types of fields: what values a type takes, and what it makes of them. Exact, or a ValueError that says why not.

JSON numbers arrive as int or Decimal, never as float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from syncsource.errors import outside_text

Convert = Callable[[Any], Any]
NONE = type(None)

_to_json = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INTEGER = re.compile(r"[+-]?\d{1,1000}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?")
_TRUE = frozenset(("true", "t", "yes", "1"))
_FALSE = frozenset(("false", "f", "no", "0"))


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type: values of the classes in ``accepts`` are rows' values as they are; ``convert`` takes any other, but None."""

    name: str
    accepts: frozenset[type]
    convert: Convert


def field_type(name: str, time_zone: str | None = None) -> FieldType:
    """The type that spec.fields[].type names. ``time_zone``: of timestamps that name none (None: UTC)."""
    if name.startswith("decimal("):
        precision, scale = map(int, name[8:-1].split(","))
        return FieldType(name, frozenset(), lambda value: to_decimal(value, precision, scale))
    if name == "timestamp":
        zone = ZoneInfo(time_zone) if time_zone and time_zone != "UTC" else UTC
        return FieldType(name, frozenset(), lambda value: to_timestamp(value, zone))
    return _PLAIN[name]


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
    """An exact decimal that fits (precision, scale) without rounding."""
    number = _number(value, f"a decimal({precision},{scale})")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if -exponent > scale or len(digits) + exponent > precision - scale:
        number = _rescaled(number, precision, scale, value)
    return number


def to_date(value: Any) -> date:
    """An ISO 8601 date; of a timestamp only where its time is midnight."""
    text = value.strip() if isinstance(value, str) else ""
    if _DATE.match(text) and text[10:] in ("", "T00:00:00", " 00:00:00", "T00:00:00Z"):
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise _bad(value, f"a date ({error})") from None
    raise _bad(value, "a date such as 2026-01-31")


def to_timestamp(value: Any, zone: ZoneInfo | Any) -> datetime:
    """An ISO 8601 instant in UTC, exact to the microsecond. ``zone`` is that of texts that name none."""
    if not isinstance(value, str):
        raise _bad(value, "a timestamp such as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = _parse_instant(value)
    if len(value) > 26 and _loses_digits(value):
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


def _rescaled(number: Decimal, precision: int, scale: int, value: Any) -> Decimal:
    """The number without the zeros that end its fraction, if it then fits. Decimal.normalize would round at 28 digits."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if not number:
        return Decimal(0)
    while exponent < 0 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    before, after = max(len(digits) + exponent, 0), max(-exponent, 0)
    if after > scale or before > precision - scale:
        raise _bad(value, f"a decimal({precision},{scale}): it has {before} digits before the point and {after} after it")
    return Decimal((sign, digits, exponent))


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
        FieldType("text", frozenset(), to_text),
        FieldType("integer", frozenset((int,)), to_integer),
        FieldType("float", frozenset(), to_float),
        FieldType("boolean", frozenset((bool,)), to_boolean),
        FieldType("date", frozenset(), to_date),
        FieldType("json", frozenset(), to_json),
        FieldType("uuid", frozenset(), to_uuid),
    )
}
