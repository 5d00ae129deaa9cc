"""Rows of a table that share a key, as the key's columns compare: how many there are, and all but one of each key deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncsource.destinations.database import Database
from syncsource.destinations.images import Images, open_images
from syncsource.destinations.matching import Groups, candidates
from syncsource.destinations.matching.candidates import is_single
from syncsource.destinations.matching.groups import GROUP
from syncsource.destinations.quoting import GONE, NUMBER, SHARED, quoted
from syncsource.destinations.referring import check_unreferred
from syncsource.destinations.session import Session
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Column, Companion, Found, Layout, Table, listed
from syncsource.destinations.values import AS_IT_IS
from syncsource.destinations.working import Working
from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.records.images import Taken
from syncsource.resource.fields import Key
from syncsource.resource.spec import SqlDestination

_ALIKE, _PLACE = "syncsource_alike", "syncsource_place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which row of a key stays: the one with the lowest or highest value, NULL being neither; of equals the one with the lowest primary key."""

    by: str | None = None
    """A column. None: the primary key."""
    highest: bool = False
    field: str = "--by"
    """What people have given ``by`` as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Rows that share a key. One without a value in a field of the key shares it with none."""

    groups: int
    """Keys of more than one row."""
    surplus: int
    """Rows over one of each of these keys."""
    examples: Sequence[tuple[Sequence[Any], int]]
    """Keys, those of most rows first, each with the number of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What was deleted. ``groups``: keys of which one row stayed."""

    groups: int
    rows: int
    taken: Taken | None
    """What it takes to undo it; None where it is not kept."""


class Duplicates(Working):
    """Of one table and one key.

    PermanentError (NotFound) where the table is not there, SchemaMismatch where it has not the columns, or no primary key to tell rows apart.
    """

    def __init__(self, database: Database, destination: SqlDestination, keys: Sequence[Key]) -> None:
        super().__init__(database, "to delete the rows: a constraint holds one of them")
        self._destination, self._keys = destination, keys
        self._images: Companion | None = None

    def find(self, examples: int) -> Shared:
        """Counts them, and writes nothing."""
        table = self._table(self._layout())
        sharing, values = _Sharing(self._session, table), [f"v{place}" for place in range(len(table.columns))]
        listed = ", ".join(f"t.{quoted(column.name)} AS {value}" for column, value in zip(table.columns, values, strict=True))
        order = ", ".join([*(f"t.{quoted(name)}" for name in table.primary), *sharing.names])
        groups = f"PARTITION BY {', '.join(sharing.names)}"
        ranked = (
            f"SELECT {listed}, count(*) OVER ({groups}) AS {_ALIKE}, row_number() OVER ({groups} ORDER BY {order}) AS {_PLACE} "
            f"FROM {Statements(self._session.dialect, table).target} AS t {sharing.joined} WHERE {sharing.present}"
        )
        found = f"FROM ({ranked}) AS t WHERE {_PLACE} = 1 AND {_ALIKE} > 1"
        [[keys, rows]] = self._session.rows(f"SELECT count(*), sum({_ALIKE}) {found}")
        shown = ", ".join(self._session.dialect.readable(column, f"t.{value}") for column, value in zip(table.columns, values, strict=True))
        firsts = self._session.rows(f"SELECT {_ALIKE}, {shown} {found} ORDER BY {_ALIKE} DESC, {', '.join(values)} LIMIT {examples}")
        return Shared(groups=keys, surplus=int(rows or 0) - keys, examples=[(key, count) for count, *key in firsts])

    def keep_images(self) -> None:
        """From now on what is deleted is kept, so that it can be undone. Before :meth:`transaction`."""
        self._images = open_images(self._session, self._layout())

    def drop(self, rule: Rule) -> Dropped:
        """Deletes all but one row of each key. Inside :meth:`transaction`, once."""
        layout = self._layout()
        table = replace(self._table(layout), images=self._images)
        if not table.primary:
            raise _no_primary(layout)
        return _Dropping(self._session, layout, table, rule).run()

    def _layout(self) -> Layout:
        sql = self._destination
        layout = self._session.layout(sql.schema_, sql.table)
        if layout is None:
            raise PermanentError(f"the database has no table {sql.table!r} yet: run it first", reason="NotFound")
        if layout.kind != "table":
            raise SchemaMismatch(f"{layout.name!r} is a {layout.kind}: name its table in spec.destination.sql.table")
        return layout

    def _table(self, layout: Layout) -> Table:
        """With the columns of the keys only."""
        named = list(dict.fromkeys(name for key in self._keys for name in key.fields))
        single = is_single(self._keys)
        columns = tuple(Column(_named(self._session, layout, name, "spec.keys"), "text", AS_IT_IS, single, name) for name in named)
        unique = any(one <= {column.name for column in columns} for one in layout.unique) if single else bool(layout.primary)
        found = candidates(self._keys, columns)
        identity = tuple(one for name in layout.primary for one in layout.columns if one.name == name) if found else ()
        if found and not identity:
            raise _no_primary(layout)
        return Table(layout.schema, layout.name, columns, layout.primary, unique, candidates=found, identity=identity)


class _Dropping:
    """One transaction's. ``t`` is the table, ``g`` a list of rows by their primary key."""

    def __init__(self, session: Session, layout: Layout, table: Table, rule: Rule) -> None:
        self._session, self._layout, self._table = session, layout, table
        self._by, self._highest = _by(session, layout, rule), rule.highest
        self._statements, self._sharing = Statements(session.dialect, table), _Sharing(session, table)
        self._primary = [quoted(name) for name in table.primary]
        self._matched = " AND ".join(f"t.{name} = g.{name}" for name in self._primary)

    def run(self) -> Dropped:
        """What is to go is decided once all rows in question are locked, those that stay included: people may have changed them meanwhile."""
        dialect, names, target = self._session.dialect, ", ".join(self._sharing.names), self._statements.target
        self._list(SHARED, f"count(*) OVER (PARTITION BY {names})", f"{target} AS t {self._sharing.joined}")
        shared = f"{self._statements.temporary(SHARED)} AS g"
        lock = dialect.locks(f"{shared} {dialect.join} {target} AS t ON {self._matched}", f"g.{NUMBER}")
        if lock is not None:
            self._session.value(lock)
        self._sharing.settle()
        locked = f"{shared} JOIN {target} AS t ON {self._matched} {self._sharing.joined}"
        self._list(GONE, f"row_number() OVER (PARTITION BY {names} ORDER BY {self._order})", locked)
        alike = f"SELECT 1 FROM {locked} WHERE {self._sharing.present} GROUP BY {names} HAVING count(*) > 1"
        groups = self._session.value(f"SELECT count(*) FROM ({alike}) found")
        return self._delete(int(groups))

    def _list(self, name: str, place: str, source: str) -> None:
        """Numbers the rows whose ``place`` is above 1."""
        primary = ", ".join(self._primary)
        ranked = f"SELECT {', '.join(f't.{one}' for one in self._primary)}, {place} AS {_PLACE} FROM {source} WHERE {self._sharing.present}"
        self._session.run(
            f"CREATE TEMPORARY TABLE {name} {self._session.dialect.numbered}SELECT row_number() OVER (ORDER BY {primary}) AS {NUMBER}, "
            f"{primary} FROM ({ranked}) ranked WHERE {_PLACE} > 1"
        )

    def _delete(self, groups: int) -> Dropped:
        images, gone = Images(self._session, self._table, self._statements), f"{self._statements.temporary(GONE)} AS g"
        check_unreferred(self._session, self._layout, f"{gone} JOIN {self._statements.target} AS t ON {self._matched}", "1 = 1")
        images.of_gone("D", self._matched, "1 = 1")
        rows = self._session.run(self._session.dialect.deleting(self._statements.target, self._primary, gone, self._matched, "1 = 1"))
        return Dropped(groups=groups, rows=rows, taken=images.taken(rows))

    @property
    def _order(self) -> str:
        down = " DESC" if self._highest else ""
        if self._by is None:
            return ", ".join(f"t.{name}{down}" for name in self._primary)
        name = f"t.{quoted(self._by)}"
        ties = [f"t.{one}" for one in self._primary]
        return ", ".join([f"CASE WHEN {name} IS NULL THEN 1 ELSE 0 END", f"{name}{down}", *ties])


def _by(session: Session, layout: Layout, rule: Rule) -> str | None:
    return None if rule.by is None else _named(session, layout, rule.by, rule.field).name


def _named(session: Session, layout: Layout, name: str, place: str) -> Found:
    found = session.dialect.find(layout.columns, name)
    if found is None:
        raise SchemaMismatch(f"{place}: the table {layout.name!r} has no column {name!r}: its columns are {listed(layout.columns)}")
    return found


def _no_primary(layout: Layout) -> SchemaMismatch:
    return SchemaMismatch(
        f"the table {layout.name!r} has no primary key, so that rows of one key can't be told apart: give it one, "
        f"such as a column of numbers that the database counts"
    )


class _Sharing:
    """What rows ``t`` of one key have in common: the values of its columns, or where there are several keys the group that they are in."""

    def __init__(self, session: Session, table: Table) -> None:
        self._groups = Groups(session, table) if table.candidates else None
        self.joined = self._groups.joined if self._groups is not None else ""
        self.names = [f"k.{GROUP}"] if self._groups is not None else [f"t.{quoted(column.name)}" for column in table.columns]
        self.present = " AND ".join(f"{name} IS NOT NULL" for name in self.names)

    def settle(self) -> None:
        """Once the rows are locked."""
        if self._groups is not None:
            self._groups.leave_changed()
