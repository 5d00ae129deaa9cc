"""JSON that PostgreSQL takes: columns of json are compared as jsonb, and a value that is none would end every later run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from syncsource.destinations.values import Codec, bad
from syncsource.records.converting import from_json

_LARGE = re.compile(r"[eE][+-]?\d{4}|\d{1000}", re.ASCII)
"""Where a number may be that jsonb does not take."""
_BEFORE, _AFTER = 131_072, 16_383
"""Digits of a number before and after the point."""


def codec(base: str) -> Codec:
    """For a column of json or jsonb. The server itself tells of numbers that jsonb does not take."""
    return Codec(_no_nul, _without_nul) if base == "jsonb" else Codec(None, _like_jsonb)


def _no_nul(values: Sequence[Any]) -> bool:
    return not any("\\u0000" in value for value in values)


def _without_nul(value: str) -> str:
    r"""``\\u0000`` written out is a backslash and digits, which is fine; \u0000 is NUL."""
    if "\\u0000" in value.replace("\\\\", ""):
        raise bad(value, "holds a NUL character, which jsonb does not")
    return value


def _like_jsonb(value: str) -> str:
    if _LARGE.search(value):
        _look(value, from_json(value))
    return _without_nul(value)


def _look(text: str, part: Any) -> None:
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            _look(text, one)
    elif isinstance(part, (int, Decimal)):
        number = Decimal(part)
        if number.adjusted() >= _BEFORE or -int(number.as_tuple().exponent) > _AFTER:
            raise bad(text, "holds a number that PostgreSQL can't compare")
