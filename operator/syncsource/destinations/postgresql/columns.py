"""Which fields go into which columns of PostgreSQL, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncsource.destinations.postgresql import documents, spoken
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
    instants,
    single,
    text_codec,
    text_form,
    whole,
)

CREATED = {
    "text": "text",
    "integer": "bigint",
    "float": "double precision",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "timestamp": "timestamptz",
    "json": "jsonb",
    "uuid": "uuid",
    "bytes": "bytea",
}
"""Types of the columns that we create; decimal(p,s) is numeric(p,s)."""

_INTEGERS = {"int2": (-(2**15), 2**15 - 1), "int4": (-(2**31), 2**31 - 1), "int8": (-(2**63), 2**63 - 1)}
_TEXTS = frozenset(("text", "varchar", "bpchar", "citext", "name"))
_AS_TEXT = frozenset(("enum", "inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "ltree"))
"""Types that only texts go into: the server reads them."""

_NAME_BYTES = 63


def created(field_type: str) -> str:
    """The type of a column that we create."""
    return CREATED.get(field_type) or field_type.replace("decimal", "numeric")


def codec(found: Found, field_type: str, key: bool) -> Codec | None:
    """None where values of the field's type don't belong in the column."""
    kind, base = field_type.partition("(")[0], found.base
    if base in _INTEGERS:
        return _integer(found, kind)
    if base in ("numeric", "float4", "float8"):
        return _number(found, field_type, kind)
    if base in _TEXTS:
        return None if kind == "bytes" else _text(found, field_type)
    if base in ("timestamp", "timestamptz"):
        return _timestamp(found, kind)
    if base in ("json", "jsonb"):
        return documents.codec(base) if kind == "json" and not key else None
    if base == "time" and kind == "time":
        return AS_IT_IS if found.size in (-1, 6) else Codec(None, _time_of(found))
    if base in spoken.CODECS:
        return spoken.CODECS[base](found) if kind == "text" else None
    fits = {"bool": "boolean", "date": "date", "uuid": "uuid", "bytea": "bytes"}.get(base) == kind or (base in _AS_TEXT and kind == "text")
    return AS_IT_IS if fits else None


def _integer(found: Found, kind: str) -> Codec | None:
    held = between(*_INTEGERS[found.base], found.type)
    digits = len(str(_INTEGERS[found.base][1]))
    as_written = replace(held, written=lambda texts: max(map(len, texts)) < digits)
    return {"integer": as_written, "decimal": Codec(None, whole(held, found.type))}.get(kind)


def _number(found: Found, field_type: str, kind: str) -> Codec | None:
    if kind not in ("integer", "decimal", "float"):
        return None
    if found.base != "numeric":
        return _floating(found, kind)
    exact = Codec(column=_texts if kind == "decimal" else None, written=lambda texts: True)
    if found.size == -1:
        return exact
    precision, scale = (found.size - 4) >> 16 & 0xFFFF, ((found.size - 4 & 0x7FF) ^ 1024) - 1024
    return exact if _within(field_type, precision, scale) else Codec(None, fixed(precision, scale, found.type))


def _texts(values: Sequence[Any]) -> Sequence[str]:
    return list(map(str, values))


def _within(field_type: str, precision: int, scale: int) -> bool:
    """Whether every decimal of the field's type fits (precision, scale)."""
    if not field_type.startswith("decimal("):
        return False
    digits, after = map(int, field_type[8:-1].split(","))
    return after <= scale and digits - after <= precision - scale


def _floating(found: Found, kind: str) -> Codec:
    if found.base == "float8":
        return AS_IT_IS if kind == "float" else Codec(None, exact_double)
    return Codec(None, single if kind == "float" else exact_single)


def _text(found: Found, field_type: str) -> Codec:
    form = text_form(field_type)
    if found.base == "name":
        return Codec(None, at_most_bytes(_NAME_BYTES, found.type, form))
    limit = found.size - 4
    if limit < 0:
        return text_codec(field_type)
    return at_most(limit, found.type, form)


def _timestamp(found: Found, kind: str) -> Codec | None:
    """A timestamp without time zone holds UTC: the server leaves the offset out, and it is always 0."""
    if kind == "date":
        return AS_IT_IS if found.base == "timestamp" else None
    if kind != "timestamp":
        return None
    return Codec(column=instants) if found.size in (-1, 6) else Codec(None, _rounded_to(found))


def _rounded_to(found: Found) -> Convert:
    step = 10 ** (6 - found.size)

    def convert(value: datetime) -> datetime:
        if value.microsecond % step:
            raise bad(value, f"has more decimals of a second than {found.type} holds")
        return value

    return convert


def _time_of(found: Found) -> Convert:
    def convert(value: str) -> str:
        if value.partition(".")[2][found.size :].strip("0"):
            raise bad(value, f"has more decimals of a second than {found.type} holds")
        return value

    return convert
