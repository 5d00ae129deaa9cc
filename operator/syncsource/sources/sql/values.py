"""What the drivers give, as JSON-like values: exactly, or Unreadable with the reason."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from syncsource.errors import outside_text

Convert = Callable[[Any], Any]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Unreadable(ValueError):
    """A value that a record can't hold; the text says why. Never leaves this room."""


@dataclass(frozen=True, slots=True)
class Codec:
    """``convert`` makes a JSON-like value of what the driver gives, which is not None. ``passes``: that a whole column, None included, needs
    no conversion."""

    convert: Convert
    passes: Callable[[Sequence[Any]], bool] | None = None

    def column(self, values: Sequence[Any]) -> Sequence[Any]:
        """All of a column, None for NULL. Raises Unreadable."""
        if self.passes is not None and self.passes(values):
            return values
        convert = self.convert
        return [None if value is None else convert(value) for value in values]


def number(value: Decimal | float | str) -> Decimal:
    """A finite number, from a Decimal, a float or its text."""
    found = Decimal(repr(value) if isinstance(value, float) else value)
    if not found.is_finite():
        raise Unreadable(f"{value} is a number that JSON can't hold")
    return found


def single(value: str) -> Decimal:
    """The shortest decimal that stands for the same single-precision number, given as a double."""
    double = float(value)
    packed = struct.pack("<f", double)
    shortest = next((text for digits in range(6, 9) if struct.pack("<f", float(text := f"{double:.{digits}g}")) == packed), f"{double:.9g}")
    return number(shortest)


def instant(text: str) -> str:
    """ISO 8601 with Z, from PostgreSQL's text in UTC."""
    if text[-3:] == "+00" and text[10:11] == " " and text[4] == "-":
        return f"{text[:10]}T{text[11:-3]}Z"
    raise _beyond(text)


def local(text: str) -> str:
    """ISO 8601 without a zone."""
    if text[10:11] == " " and text[4] == "-" and text[-1] != "C":
        return f"{text[:10]}T{text[11:]}"
    raise _beyond(text)


def day(text: str) -> str:
    """An ISO 8601 date."""
    if len(text) == 10 and text[4] == "-":
        return text
    raise _beyond(text)


def octets(value: bytes) -> str:
    """Bytes as base64."""
    return b64encode(value).decode()


def bits(value: bytes) -> int:
    """MySQL's BIT as the number that it is."""
    return int.from_bytes(value)


def parsed(text: str | bytes) -> Any:
    """What a JSON text says."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"{_shown(text)} is not JSON that can be kept exactly: {outside_text(str(error), 100)}") from None


def json_text(value: Any) -> Any:
    """A text that is JSON, parsed; anything else as it is."""
    return parsed(value) if isinstance(value, str) else value


def texts(values: Sequence[Any]) -> bool:
    """Whether a column holds nothing but well-formed texts, integers and NULL."""
    kinds = set(map(type, values))
    if not kinds <= {str, int, type(None)}:
        return False
    if str not in kinds:
        return True
    return _well_formed("".join(filter(None, values) if int not in kinds else (value for value in values if type(value) is str)))


def loose(value: Any) -> Any:
    """What SQLite gives: any value in any column."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes):
        return octets(value)
    if isinstance(value, str) and not _well_formed(value):
        raise Unreadable("the text is not valid UTF-8")
    return value


def finite(values: Sequence[Any]) -> bool:
    """Whether a column holds nothing but finite decimals and NULL."""
    return all(map(Decimal.is_finite, filter(None, values)))


def nested(convert: Convert) -> Convert:
    """For arrays of any depth."""

    def converted(value: Any) -> Any:
        if isinstance(value, list):
            return [converted(one) for one in value]
        return None if value is None else convert(value)

    return converted


def presentable(value: Any) -> Any:
    """A value that could not be read, as JSON can hold it."""
    if isinstance(value, list):
        return [presentable(one) for one in value]
    if isinstance(value, bytes):
        return octets(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if value is None or isinstance(value, bool | int) or (isinstance(value, Decimal) and value.is_finite()) else str(value)


def _well_formed(text: str) -> bool:
    """Bytes that are no UTF-8 stand in a text as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str | bytes) -> str:
    return repr(outside_text(text if isinstance(text, str) else text.decode("utf-8", "replace"), 60))


def _beyond(text: str) -> Unreadable:
    return Unreadable(f"{_shown(text)} is no day between the years 1 and 9999")
