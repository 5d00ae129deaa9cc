"""Where a value stands in a record. Paths are JMESPath; a plain name or dotted names take a shorter way."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import itemgetter
from typing import Any

import jmespath

_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
Column = Callable[[list[Any]], list[Any]]


def finder(path: str) -> Callable[[Any], Any]:
    """A function from a record to the value at ``path``; None where there is none."""
    if not _NAMES.fullmatch(path):
        return jmespath.compile(path).search
    names = path.split(".")
    return lambda record: reduce(_step, names, record)


def column(path: str) -> Column:
    """A function from a page of records to the values at ``path``, one each."""
    one = finder(path)
    if not _NAMES.fullmatch(path):
        return lambda records: list(map(one, records))
    steps = [itemgetter(name) for name in path.split(".")]

    def values(records: list[Any]) -> list[Any]:
        try:
            found = records
            for step in steps:
                found = list(map(step, found))
        except (KeyError, TypeError, IndexError):  # absent or null on the way
            return list(map(one, records))
        return found

    return values


def _step(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
