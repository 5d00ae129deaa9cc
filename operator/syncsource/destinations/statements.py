"""The statements of a run, in the SQL that all dialects share. ``t`` is the table, ``s`` its staging table, ``v`` the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncsource.destinations.dialect import Dialect, target
from syncsource.destinations.merging import Merge
from syncsource.destinations.policy import UPSERT, Policy
from syncsource.destinations.quoting import ASIDE, CHANGES, REFUSED, STAGE, Joined, in_a_row, quoted
from syncsource.destinations.table import Table

MESSAGE_LIMIT = 400
"""Characters of a refused row's message."""

TOLD = 2
"""Among the changes: of a row that stays as it is. 1: it is inserted; 0: it is changed."""

Span = tuple[int, int]
"""First and last seq."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements for one table in one dialect."""

    dialect: Dialect
    table: Table
    policy: Policy = UPSERT
    returned: str | None = None
    """A condition on a staged row: its row was marked as deleted, and is no more. None: there are none."""
    merge: Merge | None = None
    """How columns are merged that people changed. None: what is staged is written."""

    @property
    def target(self) -> str:
        """The table's quoted name."""
        return target(self.dialect, self.table.schema, self.table.name)

    @property
    def staged_keys(self) -> str:
        """The key's columns in the staging table."""
        return ", ".join(staged for _, staged in self.table.matching)

    @property
    def keys(self) -> str:
        """Joins on the key as the table's columns compare it: they stand on the left, so that their collation decides."""
        return " AND ".join(f"t.{quoted(found.name)} = s.{staged}" for found, staged in self.table.matching)

    @property
    def differs(self) -> str:
        """Whether a column that may be changed is not what was staged. The key's own columns never are."""
        if not self._differences:
            return "(1 = 0)"
        differs, newer = f"({' OR '.join(self._differences)})", self.policy.newer
        return differs if newer is None else f"({differs} AND {self._not_newer(newer)})"

    @property
    def outdated(self) -> str:
        """Whether a row among the changes is still to be changed."""
        marker = self.table.marker
        return self.differs if marker is None else f"({self.differs} OR (v.is_back = 1 AND {marker.is_set('t')}))"

    def temporary(self, name: str) -> str:
        """A temporary table's qualified name."""
        return f"{self.dialect.temp}.{name}" if self.dialect.temp else name

    def work_tables(self) -> list[str]:
        """Creates the small tables that the writing needs beside the staging table: as few and as narrow as can be, since each
        costs PostgreSQL entries in its catalog, and twice as many where texts have no limit."""
        columns = {
            CHANGES: "seq bigint NOT NULL, is_new int NOT NULL, is_back int NOT NULL",
            ASIDE: "seq bigint NOT NULL",
            REFUSED: f"seq bigint, reason varchar(32), message varchar({MESSAGE_LIMIT}), field varchar(64)",
        }
        return [f"CREATE TEMPORARY TABLE {name} {self.dialect.work_table(has)}" for name, has in columns.items()]

    def lose(self) -> str:
        """An INSERT of one loser."""
        return f"INSERT INTO {self.temporary(ASIDE)} VALUES ({self.dialect.placeholder})"

    def drop_losers(self) -> str:
        """Takes the losers out of the staging table."""
        return f"DELETE FROM {self.temporary(STAGE)} WHERE seq IN (SELECT seq FROM {self.temporary(ASIDE)})"

    def compare(self, *, pending: bool, refused: bool) -> str:
        """Lists the rows to write, and of rows that are merged those of which the source says what it did not say the last time. ``pending``: only
        those set aside; ``refused``: some rows are out already."""
        said = self.merge is not None and not pending
        where = [self._told if said else self._wanted, *([self.accepted] if refused else [])]
        kind = f"CASE WHEN {self.lacking} THEN 1 ELSE 0 END"
        if said:
            kind = f"CASE WHEN NOT {self._wanted} THEN {TOLD} WHEN {self.lacking} THEN 1 ELSE 0 END"
        back = "0" if self.returned is None else f"CASE WHEN {self.returned} THEN 1 ELSE 0 END"
        only = f"JOIN {self.temporary(ASIDE)} AS p ON p.seq = s.seq " if pending else ""
        return (
            f"INSERT INTO {self.temporary(CHANGES)} SELECT s.seq, {kind}, {back} "
            f"FROM {self.temporary(STAGE)} AS s {only}{self.based}LEFT JOIN {self.target} AS t ON {self.keys} WHERE {' AND '.join(where)}"
        )

    def sample(self, rows: Sequence[int]) -> str:
        """Of staged rows with these seq: how many there are, and how many of them are to be changed."""
        joined = f"{self.temporary(STAGE)} AS s {self.based}LEFT JOIN {self.target} AS t ON {self.keys}"
        changed = f"sum(CASE WHEN NOT {self.lacking} AND {self.differs} THEN 1 ELSE 0 END)"
        return f"SELECT count(*), {changed} FROM {joined} WHERE s.seq IN ({', '.join(map(str, rows))})"

    def back_again(self) -> str:
        """Notes among the changes the rows that are no longer deleted."""
        back = f"SELECT s.seq FROM {self.temporary(STAGE)} AS s WHERE {self.returned}"
        return f"UPDATE {self.temporary(CHANGES)} SET is_back = 1 WHERE seq IN ({back})"

    def missing(self) -> str:
        """How many rows the table lacks, of those that are not out."""
        joined = f"{self.temporary(STAGE)} AS s LEFT JOIN {self.target} AS t ON {self.keys}"
        return f"SELECT count(*) FROM {joined} WHERE {self.lacking} AND {self.accepted}"

    def rows(self) -> str:
        """How many rows the table has."""
        return f"SELECT count(*) FROM {self.target}"

    def foresee(self) -> str:
        """Of every row staged, in the order of reading: seq, whether the table lacks it, and whether each column that may be changed differs."""
        conditions = [self.lacking, *self._differences]
        flags = ", ".join(f"CASE WHEN {condition} THEN 1 ELSE 0 END" for condition in conditions)
        staged = f"{self.temporary(STAGE)} AS s {self.based}LEFT JOIN {self.target} AS t ON {self.keys}"
        return f"SELECT s.seq, {flags} FROM {staged} ORDER BY s.seq"

    def lock(self) -> str | None:
        """Locks the rows to update in the order of their primary key, and counts them."""
        return self.dialect.locks(f"{self._changed()} WHERE v.is_new = 0", self.order)

    @property
    def order(self) -> str:
        """That of the primary key, in which rows are locked."""
        return ", ".join(f"t.{quoted(name)}" for name in self.table.primary) or self.staged_keys

    def lost(self) -> str:
        """Rows to update that the table has no more."""
        return (
            f"INSERT INTO {self.temporary(ASIDE)} SELECT s.seq FROM {self.temporary(CHANGES)} AS v "
            f"JOIN {self.temporary(STAGE)} AS s ON s.seq = v.seq LEFT JOIN {self.target} AS t ON {self.keys} "
            f"WHERE v.is_new = 0 AND {self.lacking}"
        )

    def unsettled(self) -> str:
        """Sets aside the rows to update that are gone, or that differ: somebody was at them while an UPDATE that locks by itself was under way."""
        joined = f"JOIN {self.temporary(STAGE)} AS s ON s.seq = v.seq {self.based}LEFT JOIN {self.target} AS t ON {self.keys}"
        return (
            f"INSERT INTO {self.temporary(ASIDE)} SELECT s.seq FROM {self.temporary(CHANGES)} AS v {joined} "
            f"WHERE v.is_new = 0 AND ({self.lacking} OR {self.outdated})"
        )

    def fewer(self, rows: int) -> str:
        """Whether the table has no more rows than so many, in a time that goes with them."""
        return f"SELECT count(*) <= {rows} FROM (SELECT 1 FROM {self.target} LIMIT {rows + 1}) counted"

    def update(self, span: Span | None, *, locked: bool = True, whole: bool = False, split: bool = True, listed: bool = True) -> str:
        """Compares again, under the lock, and changes what differs. ``locked``: whether the rows are locked already; ``whole``: they are nearly all;
        ``split``: also rows of which merging leaves columns as they are; ``listed``: see :meth:`staged`."""
        merged = self._merged if split else "s.c{}".format
        assigned = [(column.name, merged(place)) for place, column in enumerate(self.table.columns) if column.changeable]
        kept = [found.name for found, _ in self.table.matching if found.moves]
        if (marker := self.table.marker) is not None:
            name = marker.found.name
            assigned.append((name, f"CASE WHEN v.is_back = 1 THEN {marker.value(None)} ELSE t.{quoted(name)} END"))
        joined = self.staged(listed=listed)
        select = f"SELECT s.* FROM {in_a_row(joined)}{' WHERE v.is_new = 0' if listed else ''}"
        sorted_ = None if locked or marker is not None else self.dialect.in_order(select, self.staged_keys)
        joined = joined if sorted_ is None else [Joined(f"{sorted_} AS s")]
        joined += [self.merge.join] if self.merge else []
        where = self.to_change(span, listed=listed) if sorted_ is None else self.differs
        where += "" if split or self.merge is None else f" AND NOT {self.merge.splits}"
        return self.dialect.updating(self.target, assigned, kept, joined, self.keys, where, whole=whole)

    def staged(self, *, listed: bool) -> list[Joined]:
        """What is staged. ``listed``: of it what is among the changes; otherwise all, which is quicker where the changes are all that is staged."""
        stage = f"{self.temporary(STAGE)} AS s"
        return [Joined(f"{self.temporary(CHANGES)} AS v"), Joined(stage, "s.seq = v.seq")] if listed else [Joined(stage)]

    def to_change(self, span: Span | None, *, listed: bool) -> str:
        """Whether a staged row is still to be changed."""
        return f"v.is_new = 0 AND {self.outdated}{within(span)}" if listed else self.differs

    def insert(self, span: Span | None, *, listed: bool) -> str:
        """Inserts the rows that the table has not. ``listed``: those among the changes; otherwise all."""
        names = ", ".join(quoted(column.name) for column in self.table.columns)
        values = ", ".join(f"s.c{place}" for place in range(len(self.table.columns)))
        join = f" JOIN {self.temporary(CHANGES)} AS v ON v.seq = s.seq" if listed else ""
        where = "v.is_new = 1" if listed else "1 = 1"
        return f"{self.dialect.insert} {self.target} ({names}) SELECT {values} FROM {self.temporary(STAGE)} AS s{join} WHERE {where}{within(span)}"

    def exists(self, seq: int) -> str:
        """A row where the table has the key of a staged row."""
        return f"SELECT 1 FROM {self.temporary(STAGE)} AS s JOIN {self.target} AS t ON {self.keys} WHERE s.seq = {seq} LIMIT 1"

    def refuse(self) -> str:
        """An INSERT of one refused row: seq, reason, message, field."""
        return f"INSERT INTO {self.temporary(REFUSED)} VALUES ({', '.join([self.dialect.placeholder] * 4)})"

    def refused(self, after: int, limit: int) -> str:
        """Refused rows in the order of reading: seq, reason, message, field, and the values."""
        values = ", ".join(self.dialect.readable(column, f"s.c{place}") for place, column in enumerate(self.table.columns))
        return (
            f"SELECT r.seq, r.reason, r.message, r.field, {values} FROM {self.temporary(REFUSED)} AS r "
            f"JOIN {self.temporary(STAGE)} AS s ON s.seq = r.seq WHERE r.seq > {after} AND r.reason IS NOT NULL ORDER BY r.seq LIMIT {limit}"
        )

    @property
    def _differences(self) -> list[str]:
        """A condition for each column that may be changed: its value is not what it is to be."""
        if self.merge is not None:
            return [self.merge.writes(place) for place, column in enumerate(self.table.columns) if column.changeable]
        return [
            self.dialect.differs(column, f"t.{quoted(column.name)}", f"s.c{place}")
            for place, column in enumerate(self.table.columns)
            if column.changeable
        ]

    @property
    def based(self) -> str:
        """Joins the bases, where rows are merged."""
        return f"LEFT JOIN {self.merge.join.table} ON {self.merge.join.on} " if self.merge else ""

    def _merged(self, place: int) -> str:
        if self.merge is None:
            return f"s.c{place}"
        return f"CASE WHEN {self.merge.gets(place)} THEN s.c{place} ELSE t.{quoted(self.table.columns[place].name)} END"

    @property
    def lacking(self) -> str:
        """Whether the table lacks a row."""
        return f"t.{quoted(self.table.match[0])} IS NULL"

    @property
    def _wanted(self) -> str:
        """Whether a row is to be written, as the policy says."""
        if not self.policy.update:
            return self.lacking
        differs = self.differs if self.returned is None else f"({self.differs} OR {self.returned})"
        return f"({self.lacking} OR {differs})" if self.policy.insert else f"(NOT {self.lacking} AND {differs})"

    @property
    def _told(self) -> str:
        """Whether a row is to be written, or the source says something new of it: what it gets is among that."""
        assert self.merge is not None
        back = "" if self.returned is None else f" OR {self.returned}"
        return f"({self.lacking} OR {self.merge.news}{back})"

    @property
    def accepted(self) -> str:
        """Whether a staged row was neither refused nor kept out."""
        return f"NOT EXISTS (SELECT 1 FROM {self.temporary(REFUSED)} AS r WHERE r.seq = s.seq)"

    @property
    def newer(self) -> str | None:
        """A condition on a row and what is staged: it may be written over what the row has; None: whatever it has."""
        return None if self.policy.newer is None else self._not_newer(self.policy.newer)

    def _not_newer(self, name: str) -> str:
        found, staged = f"t.{quoted(name)}", f"s.c{self.table.names.index(name)}"
        return f"({found} IS NULL OR {found} <= {staged})"

    def _changed(self) -> str:
        join = self.dialect.join
        return (
            f"{self.temporary(CHANGES)} AS v {join} {self.temporary(STAGE)} AS s ON s.seq = v.seq {join} {self.target} AS t ON {self.keys}"
        )


def within(span: Span | None) -> str:
    """A condition on seq, to be added to others."""
    return "" if span is None else f" AND s.seq BETWEEN {span[0]} AND {span[1]}"
