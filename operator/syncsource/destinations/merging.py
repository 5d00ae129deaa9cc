"""Merging by field: what the source last said of a row is kept beside the table, so that a column that people changed since is told from one
that the source changed (as kubectl apply does with the last applied configuration).

``t`` is the table, ``s`` what is staged, ``b`` what was staged the last time, the base; a base that is not there is NULL.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.destinations.dialect import Dialect
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import Joined, quoted
from syncsource.destinations.table import Column, Table
from syncsource.resource.writing import Conflict

MANUAL, ALWAYS = "Manual", "(1 = 1)"


@dataclass(frozen=True, slots=True)
class Merge:
    """Conditions on the columns of a row that the table has. ``source``: whose bases these are."""

    dialect: Dialect
    table: Table
    source: str
    conflict: Conflict

    @property
    def join(self) -> Joined:
        """The bases, and what joins them to what is staged."""
        if self.table.bases is None:  # nothing was ever merged: a base of nothing but NULL
            return Joined(f"(SELECT * FROM {quoted(self.table.schema, self.table.name)} WHERE 1 = 0) AS b", "1 = 1", outer=True)
        pairs = [f"b.{quoted(found.name)} = s.{staged}" for found, staged in self.table.matching]
        return Joined(f"{quoted(self.table.bases.name)} AS b", f"b.{SOURCE} = '{self.source}' AND {' AND '.join(pairs)}", outer=True)

    def writes(self, place: int) -> str:
        """Whether a column that differs gets what is staged."""
        return f"({self._differ(self.table.columns[place], place)} AND {self.gets(place)})"

    @property
    def splits(self) -> str:
        """Whether a row gets some of what is staged, and not the rest of it."""
        places = [place for place, column in enumerate(self.table.columns) if column.changeable]
        kept = [f"({self._differ(self.table.columns[place], place)} AND NOT {self.gets(place)})" for place in places]
        return f"({' OR '.join(kept) or '1 = 0'})"

    def gets(self, place: int) -> str:
        """Whether a column is to be what is staged: the source changed it, and nobody else did, or the source wins."""
        column, wins = self.table.columns[place], self._wins(self.table.columns[place])
        return self.said(place) if wins == ALWAYS else f"({self.said(place)} AND NOT ({self._edited(column)} AND NOT {wins}))"

    def conflicts(self, place: int) -> str:
        """Whether both sides changed a column, and not alike."""
        column = self.table.columns[place]
        return f"({self._differ(column, place)} AND {self.said(place)} AND {self._edited(column)})"

    @property
    def news(self) -> str:
        """Whether the source says anything of a row that it did not say the last time, or says something of it for the first time."""
        said = [self.said(place) for place, column in enumerate(self.table.columns) if column.changeable]
        return f"({' OR '.join([f'b.{quoted(self.table.match[0])} IS NULL', *said])})"

    def said(self, place: int, base: str = "b") -> str:
        """Whether the source says of a column what it did not say the last time."""
        column = self.table.columns[place]
        return self.dialect.differs(column, f"s.c{place}", f"{base}.{quoted(column.name)}")

    @property
    def manual(self) -> list[int]:
        """Places of the columns whose conflicts wait for people."""
        return [place for place, column in enumerate(self.table.columns) if column.changeable and self._resolve(column) == MANUAL]

    def _resolve(self, column: Column) -> str:
        return next((one.resolve for one in self.conflict.columns or () if one.column == column.field), self.conflict.resolve)

    def _differ(self, column: Column, place: int) -> str:
        return self.dialect.differs(column, f"t.{quoted(column.name)}", f"s.c{place}")

    def _edited(self, column: Column) -> str:
        name = quoted(column.name)
        return self.dialect.differs(column, f"t.{name}", f"b.{name}")

    def _wins(self, column: Column) -> str:
        resolve = self._resolve(column)
        if resolve != "Newest":
            return ALWAYS if resolve == "Source" else "(1 = 0)"
        place, newest = next((place, column) for place, column in enumerate(self.table.columns) if column.field == self.conflict.field)
        ours, theirs = f"s.c{place}", f"t.{quoted(newest.name)}"
        return f"({ours} IS NOT NULL AND ({theirs} IS NULL OR {self.dialect.later(newest, ours, theirs)}))"
