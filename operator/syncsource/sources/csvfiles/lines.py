"""A text's lines, counted and grouped into records, for csv.reader to take."""

from __future__ import annotations

import csv
import io
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


@dataclass(frozen=True, slots=True)
class Table:
    """Lines that are a record each, all of one width, by column."""

    columns: Sequence[Sequence[str]]
    starts: range
    """Their numbers."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Records of any width, each with the line where it began."""

    rows: Sequence[Row]
    starts: Sequence[int]


class Rows:
    """The records of one text."""

    def __init__(self, text: TextIO, dialect: Dialect, name: str, *, skip: int = 0, comment: str | None = None) -> None:
        self._text, self._dialect, self._name, self._comment = text, dialect, name, comment
        self._number = sum(1 for _ in islice(text, skip))

    def take(self, size: int, width: int = 0) -> Table | Listed | None:
        """The next records, of about so many characters; None at the end. ``width``: where all have so many cells, and none is blank, a Table
        will do. Raises PermanentError (FileDamaged) where a quote is never closed."""
        block = self._text.read(size)
        if not block:
            return None
        if not block.endswith("\n"):
            block += self._text.readline()
        found = self._plain(block, width) if self._comment is None else None
        if found is None:
            return self._one_by_one(_lines(block))
        self._number += len(found.starts)
        return found

    def _plain(self, block: str, width: int) -> Table | Listed | None:
        """The records of lines that are one each; None where they are not."""
        columns = split(block, self._dialect, width)
        if columns is not None:
            return Table(columns, range(self._number + 1, self._number + len(columns[0]) + 1))
        lines = _lines(block)
        try:
            rows = list(self._dialect.reader(lines))
        except csv.Error:
            return None
        return Listed(rows, range(self._number + 1, self._number + len(rows) + 1)) if len(rows) == len(lines) else None

    def _one_by_one(self, block: list[str]) -> Listed:
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
        return Listed(rows, starts)

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


def split(block: str, dialect: Dialect, width: int) -> list[list[str]] | None:
    """The columns of lines that are nothing but ``width`` cells and what separates them: such a text is cut up at several times the speed of
    the csv module. None where any line is not, or is blank, or anything in the block has a meaning beyond that."""
    if width < 2 or len(block) > LONGEST_CELL or any(mark in block for mark in (dialect.quote, dialect.escape) if mark):
        return None
    text = block.removesuffix("\n").removesuffix("\r").replace("\r\n", "\n")
    if "\r" in text:
        return None
    cells, step, ends = (
        text.replace("\n", f"{dialect.delimiter}\n{dialect.delimiter}").split(dialect.delimiter),
        width + 1,
        text.count("\n"),
    )
    if len(cells) != width + ends * step or cells[width::step].count("\n") != ends:
        return None
    columns = [cells[place::step] for place in range(width)]
    return columns if all(columns[0]) or all(map(any, zip(*columns, strict=True))) else None


def _lines(block: str) -> list[str]:
    """With their ends, as a file's text has them."""
    return io.StringIO(block, newline="").readlines()
