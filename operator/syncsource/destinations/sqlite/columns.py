"""Which fields go into which columns of SQLite, and how. A column's affinity decides what it makes of a value.

What SQLite has no type for is TEXT in one fixed form: decimals (a NUMERIC column would make floats of them), instants in UTC as
2026-01-31T12:00:00.000000Z, dates, times, UUIDs, JSON.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from syncsource.destinations.table import Found
from syncsource.destinations.values import AS_IT_IS, Codec, Convert, at_most, bad, between, exact_double, text_codec, text_form, whole

_CREATED = {"integer": "INTEGER", "float": "REAL", "boolean": "BOOLEAN", "bytes": "BLOB"}
_INTEGER = between(-(2**63), 2**63 - 1, "SQLite's INTEGER")
_NUMERAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_LENGTH = re.compile(r"(?:VAR|N)?CHAR(?:ACTER)?\s*(?:VARYING)?\s*\((\d+)\)", re.IGNORECASE)


def created(field_type: str) -> str:
    """The type of a column that we create."""
    return _CREATED.get(field_type, "TEXT")


def codec(found: Found, field_type: str) -> Codec | None:
    """None where values of the field's type don't belong in the column."""
    kind = field_type.partition("(")[0]
    if kind == "bytes":
        return AS_IT_IS if found.base == "BLOB" else None
    if found.base == "TEXT":
        return _text(found, field_type)
    if kind in ("integer", "float", "boolean"):
        return _plain(found, kind)
    if kind == "decimal":
        return _as_text(field_type) if found.base == "BLOB" else Codec(None, _decimal(found))
    return _words(found, field_type, kind)


def _text(found: Found, field_type: str) -> Codec:
    """SQLite ignores a declared length; who declared it did not mean it to be."""
    length = _LENGTH.search(found.type)
    return at_most(int(length[1]), found.type, text_form(field_type)) if length else _as_text(field_type)


def _as_text(field_type: str) -> Codec:
    codec = text_codec(field_type)
    return replace(codec, written=_shortest) if field_type.startswith("decimal(") else codec


def _shortest(texts: Sequence[str]) -> bool:
    """Whether no decimal begins with a zero that could be left out: all have the digits of their scale."""
    joined = "\n".join(["", *texts])
    return all(joined.count(zero) == joined.count(f"{zero}.") for zero in ("\n0", "\n-0"))


def _plain(found: Found, kind: str) -> Codec:
    if kind == "boolean":
        return Codec(column=lambda values: list(map(int, values)))
    if kind == "float":
        return AS_IT_IS
    return Codec(None, exact_double) if found.base == "REAL" else _INTEGER


def _decimal(found: Found) -> Convert:
    """Where numbers are stored, a decimal goes in only if it comes out digit for digit."""
    as_integer = whole(_INTEGER, found.type)

    def convert(value: Decimal) -> Any:
        if found.base != "REAL" and value == value.to_integral_value():
            return as_integer(value)
        return exact_double(value)

    return convert


def _words(found: Found, field_type: str, kind: str) -> Codec | None:
    """Texts in a column that makes numbers of what looks like one. DATE, UUID, JSON and STRING are such types to SQLite."""
    if kind in ("date", "time", "timestamp"):
        return text_codec(field_type) if found.base in ("NUMERIC", "BLOB") else None
    if found.base == "BLOB":
        return AS_IT_IS
    return Codec(None, _no_numeral(found)) if found.base == "NUMERIC" else None


def _no_numeral(found: Found) -> Convert:
    def convert(value: str) -> str:
        if _NUMERAL.fullmatch(value):
            raise bad(value, f"would become a number in a column of type {found.type}: make the column TEXT")
        return value

    return convert
