"""A table as a run sees it: the mapped columns, the key, and what makes the key unique."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncsource.destinations.quoting import quoted
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
    moves: bool = False
    """Whether the database gives it another value in an UPDATE that does not set it."""


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
    field: str = ""
    """Its name in spec.fields, which may differ in case."""
    protected: bool = False
    """Whether it is filled by inserts alone."""
    fixed: bool = False
    """Whether it is of the primary key where other keys find rows: it stays as it is."""

    @property
    def name(self) -> str:
        """Its name in the table and in spec.fields."""
        return self.found.name

    @property
    def changeable(self) -> bool:
        """Whether a row that is there may get another value in it."""
        return not (self.key or self.protected or self.fixed)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several keys by which a record may find its row. ``id`` tells it from others of the table, whichever source has them."""

    id: str
    places: tuple[int, ...]
    normalizers: tuple[str | None, ...]
    """What is done to the text of each of them before it is compared; None: nothing."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another table, a row of which keeps staged rows out that have the same values in all of ``pairs``: its column, and the place of ours."""

    schema: str | None
    name: str
    pairs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Companion:
    """A table of ours beside the table, in the connection's default schema. ``columns`` are those of the table that it has, too."""

    name: str
    columns: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """A column that tells that a row is deleted: when, as the codec writes it; or where there is none whether."""

    found: Found
    codec: Codec | None

    def is_set(self, alias: str) -> str:
        """A condition on a row."""
        name = f"{alias}.{quoted(self.found.name)}"
        return f"{name} IS NOT NULL" if self.codec else f"coalesce({name} = TRUE, FALSE)"

    def value(self, now: datetime | None) -> str:
        """What marks a row as deleted now; None: what marks it as not deleted."""
        if self.codec is None:
            return "FALSE" if now is None else "TRUE"
        return "NULL" if now is None else f"'{_written(self.codec, now.replace(microsecond=0))}'"


def _written(codec: Codec, moment: datetime) -> Any:
    if codec.column is not None:
        return codec.column([moment])[0]
    return moment.isoformat(" ") if codec.convert is None else codec.convert(moment)


@dataclass(frozen=True, slots=True)
class Referrer:
    """A foreign key of another table that refers to this one. ``pairs``: its column and ours."""

    schema: str | None
    name: str
    constraint: str
    pairs: tuple[tuple[str, str], ...]

    def refers(self, alias: str) -> str:
        """A condition: a row of the other table refers to this one."""
        pairs = " AND ".join(f"f.{quoted(theirs)} = {alias}.{quoted(ours)}" for theirs, ours in self.pairs)
        return f"EXISTS (SELECT 1 FROM {quoted(self.schema, self.name)} AS f WHERE {pairs})"


@dataclass(frozen=True, slots=True)
class Table:
    """The destination's table. ``columns`` are in the order of spec.fields, as rows are."""

    schema: str | None
    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...]
    key_unique: bool
    """Whether an index keeps the key unique, so that no key can match two rows."""
    skip_if: tuple[Elsewhere, ...] = ()
    owned: Companion | None = None
    """What knows whose rows are whose, where rows are deleted that their source has no more."""
    referrers: tuple[Referrer, ...] = ()
    """Foreign keys that refer to it, where rows are deleted."""
    marker: Marker | None = None
    """The column that marks such rows, where they are not deleted."""
    bases: Companion | None = None
    """What the source last said of each row, where rows are merged."""
    conflicts: Companion | None = None
    """Columns that wait for people."""
    candidates: tuple[Candidate, ...] = ()
    """The keys, strongest first, where one that the database compares does not do: rows are found by them, and then joined by ``identity``."""
    identity: tuple[Found, ...] = ()
    """The primary key's columns, where there are candidates."""
    known: Companion | None = None
    """Which keys are known of which rows, where there are candidates."""
    seen: Companion | None = None
    """What the keys' columns held when that was found out."""
    images: Companion | None = None
    """Where what a run does to rows is kept, so that it can be undone."""
    created: bool = field(default=False, compare=False)
    """Whether this call created it."""

    def joined(self, one: str, other: str) -> str:
        """Joins two tables, by their aliases, that have the key's columns under their own names."""
        return " AND ".join(f"{one}.{quoted(name)} = {other}.{quoted(name)}" for name in self.match)

    @property
    def matching(self) -> Sequence[tuple[Found, str]]:
        """What finds a row: columns of the table, and what the staging table calls them."""
        if self.candidates:
            return [(found, f"p{place}") for place, found in enumerate(self.identity)]
        return [(column.found, f"c{place}") for place, column in enumerate(self.columns) if column.key]

    @property
    def match(self) -> Sequence[str]:
        """Names of the table's columns that find a row."""
        return [found.name for found, _ in self.matching]

    @property
    def telling(self) -> Sequence[int]:
        """Places of the columns that tell people which record a row is of."""
        if self.candidates:
            return sorted({place for candidate in self.candidates for place in candidate.places})
        return [place for place, column in enumerate(self.columns) if column.key]

    @property
    def alone(self) -> bool:
        """Whether runs that write to it must take turns: what they know of its keys is kept unique by nothing else."""
        return not self.key_unique or self.owned is not None or self.bases is not None or bool(self.candidates)

    @property
    def names(self) -> Sequence[str]:
        """Names of the mapped columns."""
        return [column.name for column in self.columns]


def folded(columns: Sequence[Found], name: str) -> Found | None:
    """The column of this name where names fold case: one that is written alike comes first."""
    alike = [column for column in columns if column.name.lower() == name.lower()]
    return next((column for column in alike if column.name == name), alike[0] if alike else None)


def listed(columns: Sequence[Found]) -> str:
    """Their names, for people."""
    names = ", ".join(column.name for column in columns[:30])
    return f"{names}, …" if len(columns) > 30 else names
