"""Columns of values: converted at C speed where nothing in them is out of the ordinary, else one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NONE = type(None)
Bulk = Callable[[list[Any]], list[Any]]
Convert = Callable[[Any], Any]


class Unusual(Exception):
    """A column holds a value that needs a look of its own."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type. ``convert`` makes a row's value of one JSON value that is not null, or raises ValueError.

    ``bulk`` does the same for a whole column at C speed, or raises one of :data:`SLOWER` where any value is out of the
    ordinary: then each is converted by itself.
    """

    name: str
    convert: Convert
    bulk: Bulk

    def column(self, values: list[Any]) -> list[Any]:
        """The column converted; None stays None. Raises as ``bulk`` does."""
        return over_present(self.bulk, values)


SLOWER = (Unusual, ValueError, TypeError, LookupError, ArithmeticError)
"""What :attr:`FieldType.bulk` raises where each value must be looked at."""


def over_present(bulk: Bulk, values: list[Any]) -> list[Any]:
    """``bulk`` over the values that are not None; None stays None."""
    if NONE not in map(type, values):
        return bulk(values)
    converted = iter(bulk([value for value in values if value is not None]))
    return [None if value is None else next(converted) for value in values]


def each(convert: Convert) -> Bulk:
    """One by one: for types that have no quicker way."""
    return lambda values: list(map(convert, values))


def as_they_are(kind: type, otherwise: Bulk | None = None) -> Bulk:
    """Values of one Python type need no conversion; a column of texts takes ``otherwise``."""

    def bulk(values: list[Any]) -> list[Any]:
        kinds = set(map(type, values))
        if kinds <= {kind}:
            return values
        if otherwise is None or kinds != {str}:
            raise Unusual
        return otherwise(values)

    return bulk


def plain_numerals(values: list[str]) -> list[str]:
    """The texts, where none has what Python's numbers take and ours don't: underscores, digits of other scripts, NaN and Infinity."""
    joined = "".join(values)
    if not joined.isascii() or "_" in joined or "n" in joined or "N" in joined or max(map(len, values), default=0) > LONGEST_NUMERAL:
        raise Unusual
    return values


LONGEST_NUMERAL = 1000
"""Characters of a number in a text."""
