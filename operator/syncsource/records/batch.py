"""What passes from reading to writing: typed rows, and records that are not rows, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from syncsource.records.rows import Row


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands in a page for a record that a source could not make out, such as a line with too few columns. ``record``: what there was of it,
    as JSON can hold it."""

    reason: str
    message: str
    record: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that can't be written. ``record`` is its JSON; ``field`` the column at fault, if one is."""

    record: str
    reason: str
    message: str
    field: str | None = None
    excerpt: str | None = None
    """The value at fault, capped."""
    place: str | None = None
    """Where the record stood, as its page says."""
    position: int | None = None
    """Its line or number in that place."""
    as_row: bool = False
    """Whether ``record`` is the row that was made of it, by column: what is left of it once it is typed."""
    partial: bool = False
    """Whether ``record`` is only what the source could make out of it (:class:`Broken`): no row may be made of that."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A page of records, typed. ``read`` is their number; rows, rejected and skipped together are as many."""

    read: int
    rows: Sequence[Row]
    rejected: list[Rejected] = field(default_factory=list)
    cursor: str | None = None
    """The highest cursor in the page, in the source's own text; None where no record has one."""
    cursors: Sequence[str | None] | None = None
    """Each row's own cursor, where the source has cursors: of two rows with one key, the higher is the newer."""
    skipped: int = 0
    """Records that spec.filter leaves out."""
    resume: str | None = None
    """Where a later read goes on after this page; None: it can't from here."""
