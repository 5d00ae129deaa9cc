"""Rows as COPY's text format takes them (PostgreSQL's documentation of COPY, "Text Format"). psycopg's own writer takes what is not among the plain
kinds of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Copy

from syncsource.destinations import tabbed

_ROWS = 2000
"""Rows that are made one text: wide ones must not be held twice."""


def send(copy: Copy, columns: Sequence[Sequence[Any]]) -> None:
    """Writes rows, held by column, of which there is at least one. Raises what psycopg does, and UnicodeError."""
    for start in range(0, len(columns[0]), _ROWS):
        part = [column[start : start + _ROWS] for column in columns]
        lines = tabbed.lines(part, _FORMS)
        if lines is None:
            for row in zip(*part, strict=True):
                copy.write_row(row)
        else:
            copy.write("\n".join(lines) + "\n")


_FORMS: dict[type, tabbed.Form] = {
    int: tabbed.mapped(str),
    bool: tabbed.mapped({True: "t", False: "f"}.__getitem__),
    float: tabbed.mapped(repr),
    Decimal: tabbed.mapped(str),
    date: tabbed.mapped(date.isoformat),
}
