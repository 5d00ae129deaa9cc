"""A text's lines, counted and grouped into records, for csv.reader to take."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from syncsource.errors import PermanentError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.dialect import Dialect

LONGEST_CELL = 4 * 1024 * 1024
"""Characters of a cell. A longer one is a quote that nobody closed."""

csv.field_size_limit(LONGEST_CELL)  # of the whole process; nothing else in it reads such files


@dataclass(frozen=True, slots=True)
class Malformed:
    """Lines that the dialect's rules of quotes and escapes refuse."""

    why: str
    text: str


Row = list[str] | Malformed


class Lines:
    """Iterated over by csv.reader; whoever takes a record from that sets ``fresh``."""

    def __init__(self, text: TextIO, *, skip: int = 0, comment: str | None = None) -> None:
        self._text, self._comment = text, comment
        self.number = sum(1 for _ in islice(text, skip))
        """Lines so far."""
        self.size = 0
        """Characters so far."""
        self.fresh = True
        """The next line begins a record."""
        self.start = 0
        """The line where the record under way began."""
        self.taken: list[str] = []
        """Its lines."""
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.number += 1
            if self.fresh:
                if self._comment is not None and line.startswith(self._comment):
                    continue
                self.start, self.taken, self.fresh = self.number, [], False
            self.taken.append(line)
            self.size += len(line)
            yield line
        self.ended = True


class Rows:
    """The records of one text as rows of cells, each with the line where it began."""

    def __init__(self, lines: Lines, dialect: Dialect, name: str) -> None:
        self.lines, self._name = lines, name
        self._reader = dialect.reader(iter(lines))

    def take(self, rows: int, size: int) -> tuple[list[Row], list[int]]:
        """Up to so many rows, or as many as reach ``size`` characters; none at the end.

        Raises PermanentError (FileDamaged) where a quote is never closed.
        """
        found: list[Row] = []
        starts: list[int] = []
        lines, most = self.lines, self.lines.size + size
        while len(found) < rows and lines.size < most:
            row = self._next()
            if row is None:
                break
            found.append(row)
            starts.append(lines.start)
            lines.fresh = True
        return found, starts

    def _next(self) -> Row | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            if self.lines.ended or "field larger" in str(error):
                raise PermanentError(
                    f"{outside_text(self._name)}: a quote that opens in the record of line {self.lines.start:,} is not closed: the file is cut off, "
                    "or that line is to be mended",
                    reason=reasons.FILE_DAMAGED,
                ) from None
            return Malformed(str(error), "".join(self.lines.taken))
