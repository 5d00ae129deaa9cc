"""Records that are rows of cells under one header: as good as a list of objects, without making one of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, overload

Record = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Cells(Sequence[Record]):
    """Rows of texts, each as long as ``names``; None is null, too. A cell whose text is one of ``nulls`` is null."""

    names: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    nulls: frozenset[str] = frozenset()
    _places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {name: place for place, name in enumerate(self.names)})

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        return list(map(self._record, self.rows[index])) if isinstance(index, slice) else self._record(self.rows[index])

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, self.rows)

    def column(self, name: str) -> list[Any]:
        """The cells under a name, top down; nulls where there is no such name."""
        place = self._places.get(name)
        if place is None:
            return [None] * len(self.rows)
        cells = list(map(itemgetter(place), self.rows))
        if self.nulls.isdisjoint(cells):
            return cells
        return [None if cell in self.nulls else cell for cell in cells]

    def _record(self, row: Sequence[str | None]) -> Record:
        return {name: None if cell in self.nulls else cell for name, cell in zip(self.names, row, strict=True)}
