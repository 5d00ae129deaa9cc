"""The scalars of built-in kinds: each read from JSON into the one form that the server writes."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from syncsource.localplane.admission.cel.quantity import parse_quantity

MAX_QUANTITY_LETTERS = 256
_INT32, _INT64 = 1 << 31, 1 << 63
_DECIMAL = ((18, "E"), (15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "u"), (-9, "n"))
_BINARY = ((60, "Ei"), (50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki"))


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _integer(limit: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
            raise TypeError
        return value

    return read


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def data(value: Any) -> str:
    """Base64 in its canonical form."""
    try:
        return base64.b64encode(base64.b64decode(text(value).replace("\n", "").replace("\r", ""), validate=True)).decode()
    except binascii.Error:
        raise ValueError(f"illegal base64 data at input byte {_first_illegal(value)}") from None


def _first_illegal(value: str) -> int:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    return next((place for place, letter in enumerate(value) if letter not in letters), len(value) // 4 * 4)


def _instant(value: Any) -> dt.datetime:
    wrong = ValueError(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as an instant')
    try:
        moment = dt.datetime.fromisoformat(text(value))
        if moment.tzinfo is None or "T" not in value:
            raise wrong
        return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise wrong from None


def time(value: Any) -> str | None:
    """To the second, in UTC; an empty text is no time."""
    return None if value == "" else _instant(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time(value: Any) -> str | None:
    """To the microsecond, with all six digits, as the server wants them."""
    if value == "":
        return None
    if isinstance(value, str) and not re.search(r"\.[0-9]{6}(Z|[+-][0-9:]{5})$", value):
        raise ValueError(f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "{value}" as an instant')
    return _instant(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def int_or_string(value: Any) -> int | str:
    if isinstance(value, str):
        return value
    return _integer(_INT32)(value)


def quantity(value: Any) -> str:
    """A resource quantity in its canonical form: `1000m` is `1`, `1024Mi` is `1Gi`, 0.5 is `500m`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    written = value if isinstance(value, str) else format(Decimal(repr(value)), "f")
    if len(written) > MAX_QUANTITY_LETTERS:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    amount = parse_quantity(written)
    if written.endswith("i"):
        return _binary(amount)
    if re.search(r"[eE][+-]?[0-9]+$", written):
        return _exponent(amount)
    return _decimal(amount)


def _rounded(amount: Fraction) -> int:
    """In billionths, which is as exact as a quantity is, away from zero."""
    scaled = abs(amount) * 10**9
    whole = -(-scaled.numerator // scaled.denominator)
    return whole if amount >= 0 else -whole


def _decimal(amount: Fraction) -> str:
    units = _rounded(amount)
    if not units:
        return "0"
    for power, suffix in _DECIMAL:
        size = 10 ** (power + 9)
        if units % size == 0:
            return f"{units // size}{suffix}"
    raise AssertionError(units)


def _exponent(amount: Fraction) -> str:
    units = _rounded(amount)
    if not units:
        return "0"
    power = next(power for power, _ in _DECIMAL if units % 10 ** (power + 9) == 0)
    whole = units // 10 ** (power + 9)
    return f"{whole}e{power}" if power else str(whole)


def _binary(amount: Fraction) -> str:
    if amount.denominator != 1 or abs(amount) < 1024:
        return _decimal(amount)
    for power, suffix in _BINARY:
        if amount.numerator % (1 << power) == 0:
            return f"{amount.numerator >> power}{suffix}"
    return str(amount.numerator)


def open_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError
    return value


def anything(value: Any) -> Any:
    return value


def words(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [text(item) for item in value]


SCALAR_READERS: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "bool": boolean,
    "int32": _integer(_INT32),
    "int64": _integer(_INT64),
    "float64": number,
    "bytes": data,
    "time": time,
    "micro": micro_time,
    "duration": text,
    "quantity": quantity,
    "intstr": int_or_string,
    "raw": anything,
    "any": open_object,
    "words": words,
}
