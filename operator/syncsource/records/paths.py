"""Where a value stands in a record. Paths are JMESPath; plain, dotted and quoted names take a shorter way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import itemgetter
from typing import Any

from syncsource.records.cells import Cells
from syncsource.records.expressions import ExpressionFailed, compiled

_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\`]|\\.)+"')
_NAMES = re.compile(rf"(?:{_NAME.pattern})(?:\.(?:{_NAME.pattern}))*")
Column = Callable[[Sequence[Any]], list[Any]]


def finder(path: str) -> Callable[[Any], Any]:
    """A function from a record to the value at ``path``; None where there is none. It raises ExpressionFailed."""
    way = names(path)
    if way is None:
        return compiled(path)
    return lambda record: reduce(_step, way, record)


def column(path: str) -> Column:
    """A function from a page of records to the values at ``path``, one each. It raises ExpressionFailed where any of them is not
    what the path is for."""
    one, way = finder(path), names(path)
    if way is None:
        return lambda records: list(map(one, records))
    steps = [itemgetter(name) for name in way]

    def values(records: Sequence[Any]) -> list[Any]:
        inner = isinstance(records, Cells)
        start: list[Any] = records.column(way[0]) if isinstance(records, Cells) else list(records)
        found = start
        try:
            for step in steps[inner:]:
                found = list(map(step, found))
        except (KeyError, TypeError, IndexError):  # absent or null on the way
            return [reduce(_step, way[1:], cell) for cell in start] if inner else list(map(one, records))
        return found

    return values


def quoted(name: str) -> str:
    """A field's name as JMESPath, so that any name can stand for itself."""
    return name if name.isidentifier() and name.isascii() else json.dumps(name, ensure_ascii=False)


def top_level(path: str) -> str | None:
    """The field of the record that a path of names begins with; None where it is an expression."""
    way = names(path)
    return None if way is None else way[0]


def names(path: str) -> list[str] | None:
    """The names that a path consists of; None where it is an expression."""
    if not _NAMES.fullmatch(path):
        return None
    try:
        return [json.loads(name) if name.startswith('"') else name for name in _NAME.findall(path)]
    except ValueError:  # JMESPath says what is wrong with it
        return None


def _step(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


__all__ = ["Column", "ExpressionFailed", "column", "finder", "names", "quoted", "top_level"]
