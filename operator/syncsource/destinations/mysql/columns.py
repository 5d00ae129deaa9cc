"""Which fields go into which columns of MySQL and MariaDB, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from syncsource.destinations.table import Found
from syncsource.destinations.values import (
    AS_IT_IS,
    Codec,
    Convert,
    at_most,
    at_most_bytes,
    bad,
    between,
    exact_double,
    exact_single,
    fixed,
    one_by_one,
    single,
    text_codec,
    text_form,
    together,
    whole,
)

_CREATED = {
    "text": "longtext",
    "integer": "bigint",
    "float": "double",
    "boolean": "boolean",
    "date": "date",
    "time": "time(6)",
    "timestamp": "datetime(6)",
    "json": "json",
    "uuid": "char(36) CHARACTER SET ascii COLLATE ascii_bin",
    "bytes": "longblob",
}
_MOST_DIGITS, _MOST_DECIMALS = 65, 30
_KEY_BYTES = 3072
"""Of an index of InnoDB."""

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_TEXT_BYTES = {"tinytext": 2**8 - 1, "text": 2**16 - 1, "mediumtext": 2**24 - 1, "longtext": 2**32 - 1}
_BLOB_BYTES = {"tinyblob": 2**8 - 1, "blob": 2**16 - 1, "mediumblob": 2**24 - 1, "longblob": 2**32 - 1}
_LONGEST_CHARACTER = 4
_ZONED = (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 7, 999_999, tzinfo=UTC))
"""What a TIMESTAMP holds."""


def created(field_type: str, sharing: int = 0) -> str:
    """The type of a column that we create. ``sharing``: of a column of the key, how many share its index, which has room for so much."""
    kind, _, digits = field_type.partition("(")
    if kind == "decimal":
        precision, scale = map(int, digits[:-1].split(","))
        return field_type if precision <= _MOST_DIGITS and scale <= _MOST_DECIMALS else "longtext"
    if sharing and kind == "text":
        return f"varchar({min(255, _KEY_BYTES // 4 // sharing)})"
    return f"varbinary({min(255, _KEY_BYTES // sharing)})" if sharing and kind == "bytes" else _CREATED[kind]


def codec(found: Found, field_type: str) -> Codec | None:
    """None where values of the field's type don't belong in the column."""
    kind, base = field_type.partition("(")[0], found.base
    if base in _BITS:
        return _integer(found, kind)
    if base in ("decimal", "float", "double"):
        return _number(found, field_type, kind)
    if base in ("char", "varchar") or base in _TEXT_BYTES:
        return None if kind == "bytes" else _text(found, field_type)
    if base in ("datetime", "timestamp", "time", "date"):
        return _moment(found, kind)
    if base in ("binary", "varbinary") or base in _BLOB_BYTES:
        return _bytes(found) if kind == "bytes" else None
    return _OTHERS[base](found, kind) if base in _OTHERS else None


def key_codec(found: Found, field_type: str) -> Codec | None:
    """The same for a column of the key, whose texts are as long as an index may hold: the server does not sort by the whole of longer ones."""
    plain = codec(found, field_type)
    if plain is None or found.base not in (*_TEXT_BYTES, *_BLOB_BYTES):
        return plain

    def convert(value: Any) -> Any:
        made = plain.column([value])[0] if plain.column else plain.convert(value) if plain.convert else value
        if len(made) * _LONGEST_CHARACTER > _KEY_BYTES and len(made if isinstance(made, bytes) else made.encode()) > _KEY_BYTES:
            raise bad(str(made), f"is longer than a key may be, which is {_KEY_BYTES:,} bytes")
        return made

    return Codec(None, convert)


def _sizes(found: Found) -> list[int]:
    """The numbers between the brackets of the type."""
    match = re.match(r"\w+\(([0-9, ]+)\)", found.type)
    return [int(part) for part in match[1].split(",")] if match else []


def _integer(found: Found, kind: str) -> Codec | None:
    bits = _BITS[found.base]
    unsigned = "unsigned" in found.type
    held = between(0 if unsigned else -(2 ** (bits - 1)), 2 ** (bits if unsigned else bits - 1) - 1, found.type)
    if kind == "boolean" and found.base == "tinyint":
        return AS_IT_IS
    digits = len(str(2 ** (bits - 1)))
    as_written = held if unsigned else replace(held, written=lambda texts: max(map(len, texts)) < digits)
    return {"integer": as_written, "decimal": Codec(None, whole(held, found.type))}.get(kind)


def _number(found: Found, field_type: str, kind: str) -> Codec | None:
    sizes = _sizes(found)
    if kind not in ("integer", "decimal", "float") or (found.base != "decimal" and sizes[1:]):
        return None  # FLOAT(7,2) rounds what it is given
    if found.base == "double":
        return AS_IT_IS if kind == "float" else Codec(None, exact_double)
    if found.base == "float":
        return Codec(None, single if kind == "float" else exact_single)
    precision, scale = (*sizes, 0)[:2] if sizes else (10, 0)
    if kind == "decimal":
        digits, after = map(int, field_type[8:-1].split(","))
        if after <= scale and digits - after <= precision - scale:
            return Codec(written=lambda texts: True)
    return Codec(None, fixed(precision, scale, found.type))


def _text(found: Found, field_type: str) -> Codec:
    form = text_form(field_type)
    if found.base in _TEXT_BYTES:
        return text_codec(field_type) if found.base == "longtext" else Codec(None, _bytes_of(found, form))
    limited = at_most(_sizes(found)[0], found.type, form)
    assert limited.convert is not None
    return Codec(None, _no_space_at_the_end(found.type, limited.convert)) if found.base == "char" else limited


def _bytes_of(found: Found, form: Convert | None) -> Convert:
    """The server tells of a text that is too long, unless all that it cuts are spaces. How many bytes a character of a set other than UTF-8 has,
    only the server knows."""
    most = _TEXT_BYTES[found.base]
    if found.collation.startswith("utf8"):
        return at_most_bytes(most, found.type, form)

    def convert(value: Any) -> str:
        text: str = value if form is None else form(value)
        if text.endswith(" ") and len(text) * _LONGEST_CHARACTER > most:
            raise bad(text, f"may be too long for {found.type}, which would cut the spaces at its end: make the column longtext")
        return text

    return convert


def _no_space_at_the_end(column: str, convert: Convert) -> Convert:
    def checked(value: Any) -> Any:
        text = convert(value)
        if text.endswith(" "):
            raise bad(text, f"ends with a space, which {column} drops: make the column varchar")
        return text

    return checked


def _moment(found: Found, kind: str) -> Codec | None:
    digits = (_sizes(found) or [0])[0]
    if found.base == "date":
        return AS_IT_IS if kind == "date" else None
    if found.base == "time":
        return Codec(None, _time(found, digits)) if kind == "time" else None
    if kind == "date":
        return AS_IT_IS if found.base == "datetime" else None
    if kind != "timestamp":
        return None
    if found.base == "datetime" and digits == 6:
        return Codec(column=_moments)
    return Codec(None, _checked_moment(found, digits))


def _moments(values: Sequence[datetime]) -> Sequence[str]:
    return one_by_one(together(values).replace("T", " ").replace("Z", ""))


def _checked_moment(found: Found, digits: int) -> Convert:
    step = 10 ** (6 - digits)

    def convert(value: datetime) -> str:
        if value.microsecond % step:
            raise bad(value, f"has more decimals of a second than {found.type} holds")
        if found.base == "timestamp" and not _ZONED[0] <= value <= _ZONED[1]:
            raise bad(value, f"is outside the range of {found.type}, 1970 to 2038: make the column datetime")
        return str(_moments([value])[0])

    return convert


def _time(found: Found, digits: int) -> Convert:
    def convert(value: str) -> str:
        if value.partition(".")[2][digits:].strip("0"):
            raise bad(value, f"has more decimals of a second than {found.type} holds")
        return value

    return convert


def _bytes(found: Found) -> Codec:
    exact, most = found.base == "binary", _BLOB_BYTES.get(found.base) or _sizes(found)[0]

    def convert(value: bytes) -> bytes:
        if len(value) > most or (exact and len(value) != most):
            raise ValueError(f"{len(value):,} bytes, and {found.type} holds {'exactly ' * exact}{most:,}")
        return value

    return Codec(None, convert)


def _enum(found: Found, kind: str) -> Codec | None:
    members = {_ESCAPED.sub(_unescaped, text) for text in re.findall(r"'((?:[^']|'')*)'", found.type)}

    def convert(value: str) -> str:
        if value not in members:
            raise bad(value, f"is not one of {found.type}")
        return value

    return Codec(None, convert) if kind == "text" else None


_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
"""How the information schema writes a member of an enum."""


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "0": "\0"}.get(match[1], match[1]) if match[1] else "'"


def _json(found: Found, kind: str) -> Codec | None:
    """MySQL's JSON makes doubles of the numbers in it; MariaDB's is a text."""
    return Codec(None, _survives) if kind == "json" else None


def _survives(value: str) -> str:
    def look(part: Any) -> None:
        if isinstance(part, dict):
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                look(one)
        elif isinstance(part, int) and not isinstance(part, bool) and not -(2**63) <= part < 2**64:
            raise bad(str(part), "in JSON does not survive as a number of MySQL: map it to a field of its own")
        elif isinstance(part, Decimal):
            exact_double(part)

    look(_decode(value))
    return value


_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_OTHERS: dict[str, Callable[[Found, str], Codec | None]] = {
    "enum": _enum,
    "json": _json,
    "uuid": lambda found, kind: AS_IT_IS if kind == "uuid" else None,
    "inet4": lambda found, kind: AS_IT_IS if kind == "text" else None,
    "inet6": lambda found, kind: AS_IT_IS if kind == "text" else None,
}
