"""A text's lines, counted and grouped into records, for csv.reader to take."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TextIO

from syncsource.errors import PermanentError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.dialect import Dialect

LONGEST_CELL = 4 * 1024 * 1024
"""Characters of a cell. A longer one is a quote that nobody closed."""
LONGEST_RECORD = 2 * LONGEST_CELL
"""Characters of a record, however many lines and cells it has."""
_TAKEN = 10_000

csv.field_size_limit(LONGEST_CELL)  # of the whole process; nothing else in it reads such files


@dataclass(frozen=True, slots=True)
class Malformed:
    """Lines that the dialect's rules of quotes and escapes refuse."""

    why: str
    text: str


Row = list[str] | Malformed


class Lines:
    """A text's lines, one by one, for csv.reader; whoever takes a record from that sets ``fresh``."""

    def __init__(self, text: Iterable[str], name: str, *, number: int, comment: str | None) -> None:
        self._text, self._name, self._comment, self._size = text, name, comment, 0
        self.number = number
        """Lines of the text so far."""
        self.fresh = True
        """The next line begins a record."""
        self.start = 0
        """The line where the record under way began."""
        self.taken: list[str] = []
        """Its lines, the first of them."""
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        """Raises PermanentError (FileTooLarge) where a record has no end."""
        for line in self._text:
            self.number += 1
            if self.fresh:
                if self._comment is not None and line.startswith(self._comment):
                    continue
                self.start, self.taken, self.fresh, self._size = self.number, [], False, 0
            self._size += len(line)
            if self._size > LONGEST_RECORD:
                raise PermanentError(
                    f"{outside_text(self._name)}: the record of line {self.start:,} has more than {LONGEST_RECORD:,} characters: it is no record of a "
                    "table, or its quotes are to be mended",
                    reason=reasons.FILE_TOO_LARGE,
                )
            if len(self.taken) < _TAKEN:
                self.taken.append(line)
            yield line
        self.ended = True


class Rows:
    """The records of one text as rows of cells, each with the line where it began."""

    def __init__(self, text: TextIO, dialect: Dialect, name: str, *, skip: int = 0, comment: str | None = None) -> None:
        self._text, self._dialect, self._name, self._comment = text, dialect, name, comment
        self._number = sum(1 for _ in islice(text, skip))

    def take(self, size: int) -> tuple[Sequence[Row], Sequence[int]] | None:
        """The next rows, of about so many characters; None at the end. Raises PermanentError (FileDamaged) where a quote is never closed."""
        block = self._text.readlines(size)
        if not block:
            return None
        rows = self._plain(block) if self._comment is None else None
        if rows is None:
            return self._one_by_one(block)
        self._number += len(rows)
        return rows, range(self._number - len(rows) + 1, self._number + 1)

    def _plain(self, block: list[str]) -> list[list[str]] | None:
        """The rows of lines that are a record each, at the speed of the csv module; None where they are not."""
        try:
            rows = list(self._dialect.reader(block))
        except csv.Error:
            return None
        return rows if len(rows) == len(block) else None

    def _one_by_one(self, block: list[str]) -> tuple[Sequence[Row], Sequence[int]]:
        """The records that begin in the block. The last one may go on beyond it."""
        rows: list[Row] = []
        starts: list[int] = []
        lines = Lines(chain(block, self._text), self._name, number=self._number, comment=self._comment)
        reader, end = self._dialect.reader(iter(lines)), self._number + len(block)
        while lines.number < end and (row := self._next(reader, lines)) is not None:
            rows.append(row)
            starts.append(lines.start)
            lines.fresh = True
        self._number = lines.number
        return rows, starts

    def _next(self, reader: Iterator[list[str]], lines: Lines) -> Row | None:
        try:
            return next(reader, None)
        except csv.Error as error:
            if lines.ended or "field larger" in str(error):
                raise PermanentError(
                    f"{outside_text(self._name)}: a quote that opens in the record of line {lines.start:,} is not closed: the file is cut off, "
                    "or that line is to be mended",
                    reason=reasons.FILE_DAMAGED,
                ) from None
            return Malformed(str(error), "".join(lines.taken))
