"""What undoes a transaction: where its rows are kept as they were before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The images of one transaction, and what it takes to use them."""

    batch: str
    images: str
    """The table that they are in."""
    schema: str | None
    table: str
    match: Sequence[str]
    """Columns that find a row: the primary key, or where there is none the key."""
    changed: Sequence[str]
    """Columns that updates set."""
    rows: int
    """Rows that were changed, inserted or deleted."""
