"""Typed rows, held by column: what is done to all values of a column is done at once, and rows are made where somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

from syncsource.records.columns import joined

Row = tuple[Any, ...]
"""One value per spec.field, in their order. By type: text str, integer int, float float, boolean bool, decimal Decimal,
date date, time str (12:00:00 or 12:00:00.250000), timestamp aware datetime in UTC, json str (JSON text with sorted keys), uuid str,
bytes bytes; None is NULL."""


class Rows(Sequence[Row]):
    """Rows of one width, at least one value each; as good as a list of them."""

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[Sequence[Any]]) -> None:
        self.columns = columns
        """All of one length, one for each value of a row."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        """The same rows, at least one, held by column."""
        return rows if isinstance(rows, Rows) else cls(list(zip(*rows, strict=True)))

    @classmethod
    def joined(cls, parts: Sequence[Sequence[Row]]) -> Sequence[Row]:
        """All of them, one after the other."""
        parts = [part for part in parts if part]
        if len(parts) < 2:
            return parts[0] if parts else ()
        return cls([joined(pieces) for pieces in zip(*(cls.of(part).columns for part in parts), strict=True)])

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        return zip(*self.columns, strict=True)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        found = tuple(column[index] for column in self.columns)
        return Rows(found) if isinstance(index, slice) else found

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))
