"""Records that are rows of cells under one header: as good as a list of objects, without making one of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from syncsource.records.columns import Texts

Record = dict[str, Any]


class Cells(Sequence[Record]):
    """Rows of JSON-like values, each as long as ``names``, which have no name twice. None is null; where ``nulls`` are given all cells are
    texts, and one of those is null, too."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]], nulls: frozenset[str] = frozenset()) -> None:
        self.names, self.nulls, self._count = names, nulls, len(rows)
        self._rows: Sequence[Sequence[Any]] | None = rows

    @classmethod
    def of_columns(cls, names: Sequence[str], columns: Sequence[Sequence[Any]], nulls: frozenset[str] = frozenset()) -> Cells:
        """The same of columns, at least one, one for each name and all of one length."""
        cells = cls(names, (), nulls)
        cells._columns, cells._rows, cells._count = columns, None, len(columns[0])
        return cells

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return list(map(self._record, self.rows[index])) if isinstance(index, slice) else self._record(self.rows[index])

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, self.rows)

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The cells of each record."""
        if self._rows is None:
            self._rows = list(zip(*self._columns, strict=True))
        return self._rows

    def column(self, name: str) -> list[Any]:
        """The cells under a name, top down; nulls where there is no such name."""
        cells = self._columns[self.names.index(name)] if self._count and name in self.names else None
        if cells is None:
            return [None] * self._count
        if self._has_nulls(cells):
            return [None if cell in self.nulls else cell for cell in cells]
        return Texts(cells) if self.nulls else list(cells)

    @cached_property
    def _columns(self) -> Sequence[Sequence[Any]]:
        """All at once is faster than each by itself."""
        return list(zip(*self.rows, strict=True))

    def _has_nulls(self, cells: Sequence[Any]) -> bool:
        """Empty cells, the usual nulls, are seen without a look into the set."""
        if not self.nulls:
            return False
        return not all(cells) if self.nulls == {""} else None in cells or not self.nulls.isdisjoint(cells)

    def _record(self, row: Sequence[Any]) -> Record:
        if not self.nulls:
            return dict(zip(self.names, row, strict=True))
        return {name: None if cell in self.nulls else cell for name, cell in zip(self.names, row, strict=True)}
