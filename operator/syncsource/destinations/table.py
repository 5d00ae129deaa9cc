"""A table as a run sees it: the mapped columns, the key, and what makes the key unique."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from syncsource.destinations.values import Codec


@dataclass(frozen=True, slots=True)
class Found:
    """A column of the table as it was found, mapped or not."""

    name: str
    type: str
    """As the database writes it, with length or precision."""
    base: str
    """What decides which values it takes: PostgreSQL's internal name, SQLite's affinity."""
    nullable: bool
    default: bool
    """Whether an insert that does not name it gets a value from the database."""
    generated: bool
    """Whether the database alone may write it."""
    size: int = -1
    """PostgreSQL's type modifier; -1 where there is none."""
    collation: str = ""
    """SQLite: the collation that compares the column. PostgreSQL: set where equal values may differ."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All that reflection tells of a table."""

    schema: str | None
    name: str
    kind: str
    """table, or what it is instead: view, foreign table, …"""
    columns: tuple[Found, ...]
    primary: tuple[str, ...]
    unique: tuple[frozenset[str], ...]
    """The column sets that a plain, immediate unique index covers, the primary key's included."""


@dataclass(frozen=True, slots=True)
class Column:
    """A mapped column: its place in a row is its place in :attr:`Table.columns`."""

    found: Found
    field_type: str
    codec: Codec
    key: bool

    @property
    def name(self) -> str:
        """Its name in the table and in spec.fields."""
        return self.found.name


@dataclass(frozen=True, slots=True)
class Table:
    """The destination's table. ``columns`` are in the order of spec.fields, as rows are."""

    schema: str | None
    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...]
    key_unique: bool
    """Whether an index keeps the key unique, so that no key can match two rows."""
    created: bool = field(default=False, compare=False)
    """Whether this call created it."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the mapped columns."""
        return [column.name for column in self.columns]


def folded(columns: Sequence[Found], name: str) -> Found | None:
    """The column of this name where names fold case: one that is written alike comes first."""
    alike = [column for column in columns if column.name.lower() == name.lower()]
    return next((column for column in alike if column.name == name), alike[0] if alike else None)
