"""How a field's values go into a column: a quick look at all of them, and a conversion for those that need one.

What would not come back as it went in is refused here, with the value and the way out, before a database rounds or cuts it.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import repeat
from typing import Any

import msgspec

from syncsource.errors import outside_text
from syncsource.records.types import to_decimal, to_json

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """``passes`` says of a column's values, none of them None, that all can go as they are; ``convert`` makes one what the
    driver takes, or raises a ValueError that says why it can't; ``column`` makes all of them that at once, where none can be
    refused, since a driver's own way from a Python object to text is slow. All absent: every value goes as it is.

    ``written`` says whether values that are written out can go as their texts are."""

    passes: Callable[[Sequence[Any]], bool] | None = None
    convert: Convert | None = None
    column: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    written: Callable[[Sequence[str]], bool] | None = None


AS_IT_IS = Codec()


def bad(value: Any, why: str) -> ValueError:
    """A ValueError that shows the value, capped."""
    shown = value if isinstance(value, str) else str(value)
    return ValueError(f"{outside_text(shown, 60)!r} {why}" if isinstance(value, str) else f"{outside_text(shown, 60)} {why}")


def between(low: int, high: int, column: str) -> Codec:
    """Integers from low to high, both included."""

    def convert(value: int) -> int:
        if low <= value <= high:
            return value
        raise bad(value, f"is outside the range of {column}, {low} to {high}: a column of decimals with scale 0 holds any integer")

    return Codec(lambda values: low <= min(values) and max(values) <= high, convert)


def at_most(limit: int, column: str, form: Convert | None = None) -> Codec:
    """Texts of at most ``limit`` characters, spaces at the end included. ``form``: what makes a text of a value."""

    def convert(value: Any) -> str:
        text: str = value if form is None else form(value)
        if len(text) <= limit:
            return text
        raise bad(text, f"has {len(text)} characters and {column} holds {limit}")

    return Codec((lambda values: max(map(len, values)) <= limit) if form is None else None, convert)


def at_most_bytes(limit: int, column: str, form: Convert | None = None) -> Convert:
    """Texts of at most ``limit`` bytes of UTF-8. ``form``: what makes a text of a value."""

    def convert(value: Any) -> str:
        text: str = value if form is None else form(value)
        if len(text) * 4 > limit and len(text.encode()) > limit:
            raise bad(text, f"has {len(text.encode()):,} bytes and {column} holds {limit:,}")
        return text

    return convert


def fixed(precision: int, scale: int, column: str) -> Convert:
    """Decimals that fit (precision, scale) without rounding."""

    def convert(value: Any) -> Decimal:
        try:
            return to_decimal(Decimal(repr(value)) if isinstance(value, float) else value, precision, scale)
        except ValueError:
            raise bad(value, f"does not fit {column} without rounding") from None

    return convert


def whole(codec: Codec, column: str) -> Convert:
    """Decimals without a fraction, as integers that ``codec`` takes."""

    def convert(value: Decimal) -> Any:
        if value != value.to_integral_value() or codec.convert is None:
            raise bad(value, f"has a fraction and {column} holds integers")
        return codec.convert(int(value))

    return convert


def exact_double(value: Any) -> float:
    """An integer or decimal that a double gives back digit for digit."""
    number = Decimal(value)
    if abs(number) < Decimal("1e300") and Decimal(repr(float(number))) == number:
        return float(number)
    raise bad(value, "does not survive as a floating-point number: a column of decimals holds it")


def exact_single(value: Any) -> float:
    """An integer or decimal that a real of four bytes gives back digit for digit: six digits always do."""
    number = Decimal(value)
    if len(number.normalize().as_tuple().digits) <= 6 and (not number or Decimal("1e-37") < abs(number) < Decimal("1e38")):
        return float(number)
    raise bad(value, "may not survive in a real, which holds six digits: make the column numeric")


def single(value: float) -> float:
    """A double that a real can hold: rounded to the nearest, as the column's owner chose, but not to infinity or zero."""
    try:
        (held,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        held = 0.0
    if held or not value:
        return value
    raise bad(value, "is outside the range of real: make the column double precision")


def text_form(field_type: str) -> Convert | None:
    """What writes values of a field's type as text, one form for each value; None where they are texts."""
    if field_type.startswith("decimal("):
        scale = int(field_type[8:-1].split(",")[1])
        return lambda value: f"{value:.{scale}f}"
    return _TEXT_FORMS.get(field_type)


def text_codec(field_type: str) -> Codec:
    """Writes values of a field's type as text, one form for each value."""
    if field_type.startswith("decimal("):
        return Codec(column=decimal_column(int(field_type[8:-1].split(",")[1])))
    if field_type == "timestamp":
        return Codec(column=instant_column)
    form = _TEXT_FORMS.get(field_type)
    return Codec(None, form) if form else AS_IT_IS


def decimal_column(scale: int) -> Callable[[Sequence[Decimal]], Sequence[str]]:
    """Decimals as text, with ``scale`` digits after the point."""
    return lambda values: list(map(format, values, repeat(f".{scale}f")))


def instants(values: Sequence[datetime]) -> list[str]:
    """Instants in UTC as RFC 3339 texts."""
    return one_by_one(together(values))


def together(values: Sequence[datetime]) -> str:
    """The texts of :func:`instants` in one, which :func:`one_by_one` takes apart: written by msgspec, at thirty times the speed of datetime.isoformat."""
    return _to_json(values).decode()


def one_by_one(text: str) -> list[str]:
    """What :func:`together` wrote, each by itself."""
    return text[2:-2].split('","')


def instant_column(values: Sequence[datetime]) -> Sequence[str]:
    """The texts of :func:`instant_text`."""
    text = together(values)
    if "." not in text:
        text = text.replace('Z"', '.000000Z"')
    texts = one_by_one(text)
    return texts if text.count(".") == len(texts) else [one if len(one) == _INSTANT_LENGTH else f"{one[:-1]}.000000Z" for one in texts]


def instant_text(value: datetime) -> str:
    """An instant in UTC, to the microsecond, always 27 characters."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def row_json(names: Sequence[str], types: Sequence[str], row: Sequence[Any]) -> str:
    """The record that a row was made of, as far as its fields tell, as JSON."""
    shown = {name: _shown(kind, value) for name, kind, value in zip(names, types, row, strict=True)}
    try:
        return to_json(shown)
    except (ValueError, UnicodeEncodeError):
        return to_json(
            {name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value for name, value in shown.items()}
        )


def _shown(kind: str, value: Any) -> Any:
    """A value as the record had it, whether it comes from a row or back from the staging table."""
    if isinstance(value, datetime):
        return value.date() if kind == "date" else instant_text(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if kind == "json" and isinstance(value, str):
        return _json.decode(value)
    if kind.startswith("decimal(") and isinstance(value, str):
        return Decimal(value)
    if kind == "boolean" and isinstance(value, (int, float)):
        return bool(value)
    return value if value is None or isinstance(value, (str, int, float, Decimal, date)) else str(value)


_json = msgspec.json.Decoder(float_hook=Decimal)
_to_json = msgspec.json.Encoder().encode
_INSTANT_LENGTH = len("2026-01-31T12:00:00.000000Z")

_TEXT_FORMS: dict[str, Convert] = {
    "integer": str,
    "float": repr,
    "boolean": lambda value: "true" if value else "false",
    "date": date.isoformat,
    "timestamp": instant_text,
}
