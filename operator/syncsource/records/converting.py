"""What a type makes of one value: exact, or a ValueError that says why not.

JSON numbers arrive as int or Decimal, never as float.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec

from syncsource.errors import outside_text

_to_json = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
_from_json = msgspec.json.Decoder(float_hook=Decimal).decode
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,1000}(\.[0-9]{0,1000})?|\.[0-9]{1,1000})([eE][+-]?[0-9]{1,10})?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_FRACTION = re.compile(r"[.,]([0-9]+)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,6}0*)?)?")
_HEX = re.compile(r"(\\x|0x)?((?:[0-9a-fA-F]{2})*)")
_LARGEST = 1000
"""Digits of an integer."""

TRUE = ("true", "t", "yes", "1")
FALSE = ("false", "f", "no", "0")


def to_json(value: Any) -> str:
    """JSON text with sorted keys; decimals digit for digit."""
    return _to_json(value).decode()


def from_json(text: str) -> Any:
    """What a JSON text says, its numbers exact. ValueError where it is none."""
    try:
        return _from_json(text)
    except (ValueError, RecursionError):
        raise ValueError(f"{outside_text(text, 60)!r} is not JSON") from None


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
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _LARGEST and value == value.to_integral_value():
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
    if result in (float("inf"), float("-inf")) or (number and not result):
        raise _bad(value, "a number within the range of a double")
    return result


def to_boolean(value: Any, words: dict[str, bool]) -> bool:
    """true and false, and the texts among ``words``, in lower case; a number stands for its digits."""
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else str(value)
    if text in words:
        return words[text]
    raise _bad(value, "true or false")


def to_decimal(value: Any, precision: int, scale: int) -> Decimal:
    """An exact decimal with ``scale`` digits after the point: nothing is rounded away."""
    wanted = f"a decimal({precision},{scale})"
    number = _number(value, wanted)
    try:
        context = Context(prec=precision, traps=[Inexact, InvalidOperation])
        return context.plus(number.quantize(Decimal(1).scaleb(-scale), context=context))  # 0 has no sign in a database
    except (Inexact, InvalidOperation):
        before, after = _digits(number)
        raise _bad(value, f"{wanted}: it has {before} digits before the point and {after} after it") from None


def to_date(value: Any) -> date:
    """An ISO 8601 date; of a timestamp only where its time is midnight."""
    if type(value) is date:
        return value
    text = value.strip() if isinstance(value, str) else ""
    if _DATE.match(text) and text[10:] in ("", "T00:00:00", " 00:00:00", "T00:00:00Z"):
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise _bad(value, f"a date ({error})") from None
    raise _bad(value, "a date such as 2026-01-31")


def to_timestamp(value: Any, zone: tzinfo) -> datetime:
    """An ISO 8601 instant in UTC, exact to the microsecond. ``zone`` is that of texts that name none."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        moment = _read_instant(value)
    else:
        raise _bad(value, "a timestamp such as 2026-01-31T12:00:00Z")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _bad(value, "a timestamp between the years 1 and 9999") from None


def to_time(value: Any) -> str:
    """A time of day without a zone, as 12:00:00 or 12:00:00.250000."""
    text = value.isoformat() if isinstance(value, time) and value.tzinfo is None else value
    if isinstance(text, str) and _TIME.fullmatch(text.strip()):
        return time.fromisoformat(text.strip()[:15].replace(",", ".")).isoformat()
    raise _bad(value, "a time such as 12:00:00")


def to_bytes(value: Any, encoding: str) -> bytes:
    """Bytes of their base64 (RFC 4648, with either alphabet, padded or not) or hex text."""
    if isinstance(value, bytes):
        return value
    text = "".join(value.split()) if isinstance(value, str) else None
    if text is None:
        raise _bad(value, f"bytes as {encoding}")
    try:
        return _from_hex(text) if encoding == "hex" else _from_base64(text)
    except (binascii.Error, ValueError):
        raise _bad(value, f"bytes as {encoding}") from None


def to_uuid(value: Any) -> str:
    """A UUID in its canonical text."""
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise _bad(value, "a UUID") from None


def _number(value: Any, wanted: str) -> Decimal:
    if isinstance(value, Decimal) or type(value) is int:
        number = Decimal(value)
    elif isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            raise _bad(value, wanted)
        number = Decimal(text)
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


def _from_hex(text: str) -> bytes:
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError
    return bytes.fromhex(match[2])


def _from_base64(text: str) -> bytes:
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    return b64decode(standard + "=" * (-len(standard) % 4), validate=True)


def _read_instant(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = _parse_instant(value)
    fraction = _FRACTION.search(value)
    if fraction and fraction[1][6:].strip("0"):
        raise _bad(value, "a timestamp of at most six decimals of a second")
    return moment


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


def _bad(value: Any, wanted: str) -> ValueError:
    shown = outside_text(value if isinstance(value, str) else to_json(value), 60)
    return ValueError(f"{shown!r} is not {wanted}" if isinstance(value, str) else f"{shown} is not {wanted}")
