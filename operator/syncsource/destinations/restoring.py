"""Makes a table's rows those of a copy again: rows added since go, changed ones are set back, and those that are gone come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from syncsource.destinations.images import AFTER, BEFORE, DELETED, INSERTED, Images
from syncsource.destinations.quoting import GONE, NUMBER, Joined, quoted
from syncsource.destinations.referring import check_unreferred
from syncsource.destinations.session import Session
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Column, Companion, Found, Layout, Table, listed
from syncsource.destinations.values import AS_IT_IS
from syncsource.errors import SchemaMismatch
from syncsource.records.images import Taken

_SIDE = "syncsource_side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of rows: set back, added since and so removed, and gone and so inserted again."""

    restored: int
    removed: int
    reinserted: int
    taken: Taken | None
    """What it takes to undo it; None where it is not kept."""


class Restoring:
    """One transaction's. ``t`` is the table, ``b`` its copy, ``g`` the rows that are not alike, by their primary key, each with what is to be
    done to it: a side of images. A column that the table has gained since stays as it is."""

    def __init__(self, session: Session, copy: Layout, now: Layout, images: Companion | None) -> None:
        check_alike({column.name: column.type for column in copy.columns}, now)
        self._session, self._dialect, self._now = session, session.dialect, now
        there = {column.name for column in copy.columns}
        self._columns = [found for found in now.columns if found.name in there]
        self._primary = [quoted(name) for name in now.primary]
        columns = tuple(Column(found, "text", AS_IT_IS, False) for found in self._columns if self._is_set(found, now))
        self._table = Table(now.schema, now.name, columns, now.primary, True, images=images)
        self._statements = Statements(session.dialect, self._table)
        self._images = Images(session, self._table, self._statements)
        self._copy, self._gone = f"{quoted(copy.name)} AS b", f"{self._statements.temporary(GONE)} AS g"

    def run(self) -> Restored:
        """Rows that go are the first, whose unique values others may need."""
        self._list()
        lock = self._dialect.locks(f"{self._gone} {self._dialect.join} {self._target} AS t ON {self._same('t', 'g')}", f"g.{NUMBER}")
        if lock is not None:
            self._session.value(lock)
        removed, restored, reinserted = self._remove(), self._set_back(), self._reinsert()
        taken = self._images.taken(removed + restored + reinserted)
        return Restored(restored=restored, removed=removed, reinserted=reinserted, taken=taken)

    def _list(self) -> None:
        """Numbers the rows that are not alike."""
        both, target = f"{self._target} AS t JOIN {self._copy} ON {self._same('t', 'b')}", f"{self._target} AS t"
        differs = [self._dialect.differs(one, f"t.{quoted(one.name)}", f"b.{quoted(one.name)}") for one in self._table.columns]
        present = " AND ".join(f"b.{name} IS NOT NULL" for name in self._primary)
        parts = [
            self._sided(DELETED, "t", f"{target} WHERE NOT EXISTS (SELECT 1 FROM {self._copy} WHERE {self._same('t', 'b')})"),
            *([self._sided(BEFORE, "t", f"{both} WHERE {' OR '.join(differs)}")] if differs else []),
            self._sided(
                INSERTED, "b", f"{self._copy} WHERE {present} AND NOT EXISTS (SELECT 1 FROM {target} WHERE {self._same('t', 'b')})"
            ),
        ]
        names = ", ".join([_SIDE, *self._primary])
        self._session.run(
            f"CREATE TEMPORARY TABLE {GONE} {self._dialect.numbered}SELECT row_number() OVER (ORDER BY {names}) AS {NUMBER}, {names} "
            f"FROM ({' UNION ALL '.join(parts)}) found"
        )

    def _remove(self) -> int:
        where = self._to_be(DELETED)
        check_unreferred(self._session, self._now, f"{self._gone} JOIN {self._target} AS t ON {self._same('t', 'g')}", where)
        self._images.of_gone(DELETED, self._same("t", "g"), where)
        return self._session.run(self._dialect.deleting(self._target, self._primary, self._gone, self._same("t", "g"), where))

    def _set_back(self) -> int:
        if not self._table.columns:
            return 0
        matched, where = self._same("t", "g"), self._to_be(BEFORE)
        assigned = [(one.name, f"b.{quoted(one.name)}") for one in self._table.columns]
        names = [name for name, _ in assigned]
        kept = [name for name in self._table.primary if name not in names]
        joined = [Joined(self._gone), Joined(self._copy, self._same("b", "g"))]
        self._images.of_gone(BEFORE, matched, where)
        done = self._session.run(self._dialect.updating(self._target, assigned, kept, joined, matched, where))
        self._images.of_gone(AFTER, matched, where)
        return done

    def _reinsert(self) -> int:
        columns = [found.name for found in self._columns if not found.generated or found.name in self._table.primary]
        names, values = ", ".join(map(quoted, columns)), ", ".join(f"b.{quoted(name)}" for name in columns)
        done = self._session.run(
            f"{self._dialect.insert} {self._target} ({names}) {self._dialect.as_given}SELECT {values} "
            f"FROM {self._gone} JOIN {self._copy} ON {self._same('b', 'g')} WHERE {self._to_be(INSERTED)}"
        )
        self._images.of_gone(INSERTED, self._same("t", "g"), self._to_be(INSERTED))
        return done

    @property
    def _target(self) -> str:
        return self._statements.target

    def _same(self, one: str, other: str) -> str:
        """Joins on the primary key."""
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in self._primary)

    def _sided(self, side: str, alias: str, source: str) -> str:
        return f"SELECT '{side}' AS {_SIDE}, {', '.join(f'{alias}.{name} AS {name}' for name in self._primary)} FROM {source}"

    def _to_be(self, side: str) -> str:
        return f"g.{_SIDE} = '{side}'"

    def _is_set(self, found: Found, now: Layout) -> bool:
        """Columns of the primary key only where equal ones may differ."""
        return not found.generated and (found.name not in now.primary or found.collation not in ("", "BINARY"))


def check_alike(before: Mapping[str, str], now: Layout) -> None:
    """SchemaMismatch where rows can't be put back. ``before``: the columns that the table had, and their types."""
    if now.kind != "table" or not now.primary:
        raise SchemaMismatch(f"the table {now.name!r} has no primary key any more: its rows can't be told apart")
    for found in now.columns:
        changed = found.name in before and before[found.name] != found.type
        if changed or (found.name in now.primary and found.name not in before):
            raise SchemaMismatch(
                f"the column {found.name!r} of {now.name!r} is no longer what it was when the backup was made "
                f"({before.get(found.name, 'unknown')}), so that it can't be restored; the columns are {listed(now.columns)}"
            )
