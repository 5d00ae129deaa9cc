"""Fields that nobody declared, from the records of a page: conservative, text where in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

from syncsource.records.columns import SLOWER
from syncsource.records.types import field_type

MOST = 500
LONGEST = 63
"""Bytes of a column's name that every database takes."""
_ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TEXTS = (("uuid", _UUID), ("date", _DAY), ("timestamp", _ZONED))
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NOTHING = ""
"""The type of a field that is null in all records."""
DECIMAL = "decimal(38,10)"
"""Numbers with a fraction: the first page does not tell how long later ones are."""


def inferred(records: Sequence[Any]) -> dict[str, str]:
    """Top-level fields of the records that are objects, in the order of their appearance, and their types."""
    objects = _objects(records)
    names = [name for name in _names(objects) if _can_name(name)][:MOST]
    return {name: _type([record[name] for record in objects if record.get(name) is not None]) for name in names}


def left_out(records: Sequence[Any], found: Iterable[str]) -> list[str]:
    """Names of the records that are not among those ``found``: they can't name a column, or are too many."""
    return [name for name in _names(_objects(records)) if name not in set(found)]


def _objects(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [record for record in records if isinstance(record, dict)]


def _names(objects: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(objects)))


def _can_name(name: str) -> bool:
    """Every database takes it, and a terminal can show it."""
    return 0 < len(name.encode(errors="surrogatepass")) <= LONGEST and _UNSEEN.search(name) is None


def _type(values: list[Any]) -> str:
    kinds = set(map(type, values))
    if not kinds:
        return NOTHING
    if kinds & {dict, list}:
        return "json"
    if kinds == {bool}:
        return "boolean"
    if kinds <= {int, Decimal}:
        return next((name for name in ("integer", DECIMAL) if _fits(name, values)), "text")
    if kinds == {str}:
        return next((name for name, form in _TEXTS if all(map(form.fullmatch, values)) and _fits(name, values)), "text")
    return "text"


def _fits(name: str, values: list[Any]) -> bool:
    if name == "integer" and not all(type(value) is int and -(2**63) <= value < 2**63 for value in values):
        return False
    kind = field_type(name)
    try:
        for value in values:
            kind.convert(value)
    except SLOWER:
        return False
    return True
