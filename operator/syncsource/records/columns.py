"""Columns of values: converted at C speed where nothing in them is out of the ordinary, else one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Any, cast, overload

NONE = type(None)
Bulk = Callable[[list[Any]], Sequence[Any]]
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

    def column(self, values: list[Any]) -> Sequence[Any]:
        """The column converted; None stays None. Raises as ``bulk`` does."""
        return over_present(self.bulk, values)


SLOWER = (Unusual, ValueError, TypeError, LookupError, ArithmeticError)
"""What :attr:`FieldType.bulk` raises where each value must be looked at."""


class Texts(list[str]):
    """A column of texts, none of them null: known, so that nobody looks again."""


class Written(Sequence[Any]):
    """A column of values, none of them None, kept in the texts that they came in: numbers in digits, with a point or without, as any database
    reads them. They are typed where somebody looks."""

    __slots__ = ("_typed", "_values", "texts")

    def __init__(self, texts: Sequence[str], typed: Callable[[str], Any], values: list[Any] | None = None) -> None:
        self.texts, self._typed, self._values = texts, typed, values

    @classmethod
    def joined(cls, parts: Sequence[Written]) -> Written:
        """Columns of one type, one after the other."""
        values = None if any(part._values is None for part in parts) else list(chain.from_iterable(part.values for part in parts))
        return cls(list(chain.from_iterable(part.texts for part in parts)), parts[0]._typed, values)

    def chosen(self, wanted: Sequence[bool]) -> Written:
        """Some of them."""
        return Written(list(compress(self.texts, wanted)), self._typed)

    @property
    def values(self) -> list[Any]:
        """All of them, typed."""
        if self._values is None:
            self._values = list(map(self._typed, self.texts))
        return self._values

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __eq__(self, other: object) -> bool:
        return self.values == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Written: ...
    def __getitem__(self, index: int | slice) -> Any:
        return Written(self.texts[index], self._typed) if isinstance(index, slice) else self._typed(self.texts[index])


def joined(parts: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Parts of one column, one after the other; what is known of all of them stays known."""
    found = set(map(type, parts))
    if found == {Written}:
        return Written.joined(cast(Sequence[Written], parts))
    values = chain.from_iterable(parts)
    return Texts(values) if found == {Texts} else list(values)


def chosen(values: Sequence[Any], wanted: Sequence[bool]) -> Sequence[Any]:
    """Some of a column; numbers that are written out stay so."""
    return values.chosen(wanted) if isinstance(values, Written) else list(compress(values, wanted))


def kinds(values: Sequence[Any]) -> set[type]:
    """The Python types in a column."""
    return {str} if type(values) is Texts else set(map(type, values))


def has_nulls(values: Sequence[Any]) -> bool:
    """Whether a column holds None."""
    if type(values) is Texts or isinstance(values, Written) or all(values):  # which is quicker to tell than who is not None
        return False
    return NONE in map(type, values)


def over_present(bulk: Bulk, values: list[Any]) -> Sequence[Any]:
    """``bulk`` over the values that are not None; None stays None."""
    if not has_nulls(values):
        return bulk(values)
    converted = iter(bulk([value for value in values if value is not None]))
    return [None if value is None else next(converted) for value in values]


def each(convert: Convert) -> Bulk:
    """One by one: for types that have no quicker way."""
    return lambda values: list(map(convert, values))


def as_they_are(kind: type, otherwise: Bulk | None = None) -> Bulk:
    """Values of one Python type need no conversion; a column of texts takes ``otherwise``."""

    def bulk(values: list[Any]) -> Sequence[Any]:
        found = kinds(values)
        if found <= {kind}:
            return values
        if otherwise is None or found != {str}:
            raise Unusual
        return otherwise(values)

    return bulk


def all_match(lines: re.Pattern[str], values: list[str]) -> bool:
    """Whether ``lines``, a pattern of any number of lines with their ends, is what the texts are like. None of them has a newline in it then."""
    joined = "\n".join(values) + "\n"
    return lines.fullmatch(joined) is not None and joined.count("\n") == len(values)


def plain_numerals(values: list[str]) -> list[str]:
    """The texts, where none has what Python's numbers take and ours don't: underscores, digits of other scripts, NaN and Infinity."""
    joined = "".join(values)
    if not joined.isascii() or "_" in joined or "n" in joined or "N" in joined or max(map(len, values), default=0) > LONGEST_NUMERAL:
        raise Unusual
    return values


LONGEST_NUMERAL = 1000
"""Characters of a number in a text."""
