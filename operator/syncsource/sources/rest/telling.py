"""What an answer tells of pages and totals, in its body or in a header."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncsource.records.paths import finder
from syncsource.resource.pagination import Told
from syncsource.sources.rest.answers import Answer
from syncsource.sources.rest.decoding import look_up

Telling = Callable[[Answer], Any]
_FALSE = frozenset(("", "0", "false", "no", "null", "none"))
_DIGITS = 16


def telling(path: str | None, header: str | None, field: str) -> Telling:
    """A function from an answer to what stands there; None where nothing does. ``field`` names the path in messages."""
    if header is not None:
        return lambda answer: answer.headers.get(header)
    assert path is not None
    search = finder(path)
    return lambda answer: look_up(search, answer, field)


def told(where: Told | None, name: str) -> Telling | None:
    """The same for a field of ``spec.source.http.pagination.stop``."""
    return telling(where.path, where.header, f"spec.source.http.pagination.stop.{name}.path") if where else None


def number(value: Any) -> int | None:
    """A total that makes sense; None for any other value."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value.adjusted() < _DIGITS and value == int(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_DIGITS else None


def truth(value: Any) -> bool:
    """Whether a value says yes: neither absent nor empty, and no word for no."""
    return value.strip().lower() not in _FALSE if isinstance(value, str) else bool(value)
