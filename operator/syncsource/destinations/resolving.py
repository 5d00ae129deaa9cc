"""Conflicts of merging, listed and resolved: what the source says is in the bases, what people say in the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from syncsource.destinations.absent import Owner
from syncsource.destinations.bases import BATCH, COLUMN, SEEN, SEQ, marked, waiting
from syncsource.destinations.database import Database
from syncsource.destinations.dialect import target
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import Joined, quoted
from syncsource.destinations.table import Column, Table
from syncsource.destinations.working import Working


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A column of a row that both sides changed. Values are as the driver reads them."""

    id: str
    column: str
    field: str
    """The column's name in spec.fields."""
    key: Sequence[Any]
    """Of the key's columns, in their order."""
    source: Any
    destination: Any
    seen: str


class Conflicts(Working):
    """Of one source."""

    def __init__(self, database: Database, table: Table, owner: Owner) -> None:
        super().__init__(database, "to resolve conflicts")
        self._table, self._owner = table, owner

    @property
    def total(self) -> int:
        """How many wait."""
        return waiting(self._session, self._table, self._owner.source)

    def listed(self, limit: int | None = None) -> list[Conflict]:
        """The first of them, column by column, in the order in which they were seen."""
        if self._table.conflicts is None or self._table.bases is None:
            return []
        return list(islice((one for column in self._table.columns if column.changeable for one in self._of(column)), limit))

    def resolve(self, chosen: Sequence[Conflict] | None, *, take_source: bool) -> int:
        """Resolves conflicts, all where ``chosen`` is None; returns how many. ``take_source``: the column gets what the source says; otherwise it
        stays. Inside :meth:`transaction`."""
        done = 0
        for column in self._table.columns if self._table.conflicts is not None else ():
            mine = None if chosen is None else [one for one in chosen if one.column == column.name]
            if column.changeable and mine != []:
                done += self._resolve(column, mine, take_source)
        return done

    def _of(self, column: Column) -> Iterator[Conflict]:
        keys = [self._table.columns[place] for place in self._table.telling]
        read, name = self._session.dialect.readable, quoted(column.name)
        values = [read(one, f"t.{quoted(one.name)}") for one in keys] + [read(column, f"b.{name}"), read(column, f"t.{name}")]
        found = self._session.rows(
            f"SELECT k.{BATCH}, k.{SEQ}, k.{SEEN}, {', '.join(values)} FROM {self._conflicts} AS k JOIN {self._bases.table} ON {self._bases.on} "
            f"JOIN {self._target} AS t ON {self._table.joined('t', 'k')} WHERE k.{self._mine(column)} ORDER BY k.{SEEN}, k.{BATCH}, k.{SEQ}"
        )
        for batch, seq, seen, *key, ours, theirs in found:
            yield Conflict(
                id=f"{batch}-{seq}-{column.name}",
                column=column.name,
                field=column.field,
                key=key,
                source=ours,
                destination=theirs,
                seen=seen,
            )

    def _resolve(self, column: Column, chosen: Sequence[Conflict] | None, take_source: bool) -> int:
        only = "" if chosen is None else f" AND ({' OR '.join(map(_this, chosen))})"
        if take_source:
            joined = [Joined(f"{self._conflicts} AS k"), self._bases]
            kept = self._table.match
            assigned, where = [(column.name, f"b.{quoted(column.name)}")], f"k.{self._mine(column)}{only}"
            self._session.run(self._session.dialect.updating(self._target, assigned, kept, joined, self._table.joined("t", "k"), where))
        return self._session.run(f"DELETE FROM {self._conflicts} WHERE {self._mine(column)}{only}")

    @property
    def _conflicts(self) -> str:
        assert self._table.conflicts is not None
        return quoted(self._table.conflicts.name)

    @property
    def _bases(self) -> Joined:
        assert self._table.bases is not None
        return Joined(f"{quoted(self._table.bases.name)} AS b", f"b.{SOURCE} = k.{SOURCE} AND {self._table.joined('b', 'k')}")

    @property
    def _target(self) -> str:
        return target(self._session.dialect, self._table.schema, self._table.name)

    def _mine(self, column: Column) -> str:
        return f"{SOURCE} = '{self._owner.source}' AND {COLUMN} = '{marked(column)}'"


def _this(one: Conflict) -> str:
    batch, seq, _ = one.id.split("-", 2)
    return f"({BATCH} = '{batch}' AND {SEQ} = {int(seq)})"
