"""From rows of cells to pages of records, and what stands in a page for a line that is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from syncsource.errors import SchemaMismatch, outside_text
from syncsource.records.batch import Broken
from syncsource.records.cells import Cells
from syncsource.resource.csvsource import CsvSource
from syncsource.sources.base import Page
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.header import MOST_COLUMNS, named
from syncsource.sources.csvfiles.lines import Listed, Malformed, Row, Rows, Table

PAGE_ROWS = 5000
BLOCK = 256 * 1024
"""Characters that are read at a time."""
_EXCERPT = 10_000
"""Characters that are kept of lines that are no record."""
Filled = Sequence[str | None]
"""A row as long as there are columns."""
_UNDECODED = re.compile("[\udc80-\udcff]")


class Records:
    """The pages of one text. ``clean``: every byte of it could be decoded."""

    def __init__(self, rows: Rows, spec: CsvSource, name: str, *, clean: bool) -> None:
        self._rows, self._spec, self._name, self._clean = rows, spec, name, clean
        self._nulls, self._place = frozenset(spec.null_values), outside_text(name)
        self.names: Sequence[str] = spec.columns or self._header()
        self.blank = 0
        """Lines without any content, which are no records."""

    def pages(self) -> Iterator[Page]:
        """All of them."""
        width = len(self.names) if self._clean and not self._spec.trim else 0
        while found := self._rows.take(BLOCK, width):
            for place in range(0, len(found.starts), PAGE_ROWS):
                part = slice(place, place + PAGE_ROWS)
                yield self._table(found, part) if isinstance(found, Table) else self._page(found.rows[part], found.starts[part])

    def _header(self) -> Sequence[str]:
        """The first row that is not blank."""
        while isinstance(found := self._rows.take(1), Listed):
            for row in found.rows:
                if isinstance(row, Malformed):
                    raise self._no_header(f"has a malformed header: {row.why}")
                if any(cell.strip() for cell in row):
                    return named(list(map(_shown, row)), self._name)
        raise self._no_header("is empty: there is not even a header")

    def _no_header(self, why: str) -> SchemaMismatch:
        return SchemaMismatch(f"{outside_text(self._name)} {why}; mend the file, or set spec.source.csv.header to false")

    def _table(self, found: Table, part: slice) -> Page:
        columns = [column[part] for column in found.columns]
        return Page(Cells.of_columns(self.names, columns, self._nulls), place=self._place, positions=found.starts[part])

    def _page(self, rows: Sequence[Row], starts: Sequence[int]) -> Page:
        if self._clean and not self._spec.trim and self._even(rows):
            return Page(Cells(self.names, rows, self._nulls), place=self._place, positions=starts)  # type: ignore[arg-type]
        kept = [(made, start) for row, start in zip(rows, starts, strict=True) if (made := self._made(row, start)) is not None]
        self.blank += len(rows) - len(kept)
        return Page(self._records([made for made, _ in kept]), place=self._place, positions=[start for _, start in kept])

    def _even(self, rows: Sequence[Any]) -> bool:
        """Whether the page is what it should be, at C speed: no malformed, ragged or blank lines in it."""
        return set(map(type, rows)) == {list} and set(map(len, rows)) == {len(self.names)} and [""] * len(self.names) not in rows

    def _made(self, row: Row, start: int) -> Filled | Broken | None:
        """The row as it should be, or what is wrong with it; None where it is blank."""
        if isinstance(row, Malformed):
            return Broken(reasons.MALFORMED_LINE, f"{_line(start)} is malformed: {row.why}", _shown(row.text))
        cells = list(map(str.strip, row)) if self._spec.trim else row
        if not any(cells):
            return None
        if not self._clean and any(map(_UNDECODED.search, cells)):
            message = f"{_line(start)} has bytes that are not in the file's encoding; declare spec.source.csv.encoding"
            return Broken(reasons.NOT_TEXT, message, _beginning(cells))
        return cells if len(cells) == len(self.names) else self._ragged(cells, start)

    def _ragged(self, cells: list[str], start: int) -> Filled | Broken:
        width = len(self.names)
        if self._spec.on_ragged == "Fill" and not any(cells[width:]):
            return [*cells[:width], *[None] * (width - len(cells))]
        many = f"{len(cells):,} cell{'s' * (len(cells) != 1)}"
        return Broken(reasons.RAGGED_LINE, f"{_line(start)} has {many}, and there are {width:,} columns", _beginning(cells))

    def _records(self, made: list[Filled | Broken]) -> Sequence[Any]:
        rows = [one for one in made if not isinstance(one, Broken)]
        cells = Cells(self.names, rows, self._nulls)
        if len(rows) == len(made):
            return cells
        whole = iter(cells)
        return [one if isinstance(one, Broken) else next(whole) for one in made]


def _line(start: int) -> str:
    return f"the record of line {start:,}"


def _beginning(cells: Sequence[str]) -> list[str]:
    """What is kept of a line that is no record."""
    return list(map(_shown, cells[:MOST_COLUMNS]))


def _shown(text: str) -> str:
    """A text that any encoding can hold, with what could not be decoded as \\xNN."""
    return text[:_EXCERPT].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
