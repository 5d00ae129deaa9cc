"""What separates and encloses cells: declared, or told from the first lines."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from syncsource.resource.csvsource import CsvSource

SAMPLE = 64 * 1024
"""Characters at a text's beginning that tell its separator."""
_CANDIDATES = ("\t", ";", "|", ",")  # of equally good ones the first: commas are in texts and numbers, too
_ROWS = 50


@dataclass(frozen=True, slots=True)
class Dialect:
    """The arguments of csv.reader."""

    delimiter: str
    quote: str
    escape: str | None
    trim: bool

    def reader(self, lines: Any, *, strict: bool = True) -> Any:
        """A csv.reader over lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape,
            skipinitialspace=self.trim and not self.delimiter.isspace(),
            strict=strict,
        )


def dialect(spec: CsvSource, sample: str, *, whole: bool) -> tuple[Dialect, int]:
    """The dialect, and how many lines of the sample say nothing but that: Excel's ``sep=;``. ``whole``: the sample is all of the text."""
    first, newline, _ = sample.partition("\n")
    said = first.rstrip("\r").strip('"')
    if newline and said[:4].lower() == "sep=" and len(said) == 5:
        return Dialect(spec.delimiter or said[4], spec.quote, spec.escape, spec.trim), 1
    delimiter = spec.delimiter or _divides(spec, sample, whole)
    return Dialect(delimiter, spec.quote, spec.escape, spec.trim), 0


def _divides(spec: CsvSource, sample: str, whole: bool) -> str:
    """The candidate that cuts most lines into as many cells as the first; of equally good ones the one that makes most cells."""
    lines = sample.splitlines(keepends=True)
    if not whole:
        lines.pop()
    if spec.comment:
        lines = [line for line in lines if not line.startswith(spec.comment)]
    candidates = [one for one in _CANDIDATES if one not in (spec.quote, spec.escape)]
    return max(candidates, key=lambda one: _evenness(Dialect(one, spec.quote, spec.escape, spec.trim), lines))


def _evenness(one: Dialect, lines: list[str]) -> tuple[float, int, bool]:
    rows = [row for row in one.reader(lines, strict=False) if row][:_ROWS]
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0, one.delimiter == ","
    return round(sum(len(row) == width for row in rows) / len(rows), 1), width, False
