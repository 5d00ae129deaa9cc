"""Takes back what transactions did to rows, by their images: rows that nobody changed since are as they were, the others are left alone."""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import target
from syncsource.destinations.images import AFTER, BATCH, BEFORE, DELETED, INSERTED, SEQ, SIDE
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import WORTH_STATISTICS, Joined, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.table import Column, Found, Layout, Table, listed
from syncsource.destinations.values import AS_IT_IS
from syncsource.destinations.working import Working
from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.records.images import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of rows: those that the run had changed and that have their former values, those that it had inserted and that are gone,
    those that it had deleted and that are back, and those that somebody has changed or removed since, which are left alone."""

    restored: int = 0
    removed: int = 0
    reinserted: int = 0
    left: int = 0

    def plus(self, other: Undone) -> Undone:
        """Both together."""
        return Undone(
            restored=self.restored + other.restored,
            removed=self.removed + other.removed,
            reinserted=self.reinserted + other.reinserted,
            left=self.left + other.left,
        )


class Undoer(Working):
    """One connection that takes back. ``table`` and ``source``: where rows are merged, whose bases go back with them."""

    def __init__(self, database: Database, table: Table | None = None, source: str = "") -> None:
        super().__init__(database, "to undo the run: a constraint holds what it wrote")
        self._table, self._source = table, source

    def undo(self, images: Taken) -> Undone:
        """One transaction's work; of several the last one's first. Inside :meth:`transaction`."""
        bases = self._table if self._table is not None and self._table.bases is not None else None
        return _Undoing(self._session, images, bases, self._source).run()

    def forget(self, images: Taken) -> None:
        """Deletes images, in a transaction of its own unless one is under way."""
        if self._session.layout(None, images.images) is not None:
            name, own = quoted(images.images), images.images.endswith(f"_{images.batch[:16]}")
            self._session.run(f"DROP TABLE {name}" if own else f"DELETE FROM {name} WHERE {BATCH} = '{images.batch}'")


class _Undoing:
    """``t`` is the table, ``b`` and ``a`` a changed row before and after, ``b`` alone an inserted or deleted one."""

    def __init__(self, session: Session, images: Taken, bases: Table | None, source: str) -> None:
        self._session, self._images, self._dialect, self._bases, self._source = session, images, session.dialect, bases, source
        kept, now = session.layout(None, images.images), session.layout(images.schema, images.table)
        if kept is None:
            raise PermanentError(f"the table {images.images!r}, in which the rows were kept, is gone", reason="NotUndoable")
        if now is None or now.kind != "table":
            raise SchemaMismatch(f"the table {images.table!r} is gone: what was done to its rows can't be undone")
        self._check_columns(kept, now)
        own = (BATCH, SEQ, SIDE)
        self._kept = {found.name: found for found in now.columns if found.name not in own and _named(kept, found.name)}
        self._added = [found for found in now.columns if not _named(kept, found.name)]
        self._target = target(self._dialect, now.schema, now.name)
        self._referrers, self._unique = session.referrers(now), set(images.match) >= set(now.primary) != set()

    def run(self) -> Undone:
        """Inserted rows go first, whose unique values rows to restore may need."""
        if self._images.rows >= WORTH_STATISTICS:
            for statement in self._dialect.analyzed(quoted(self._images.images)):
                self._session.run(statement)
        total = self._total()
        removed, restored, reinserted = self._remove(), self._restore(), self._reinsert()
        if self._bases is not None:
            self._rewind_bases(self._bases)
        return Undone(removed=removed, restored=restored, reinserted=reinserted, left=total - removed - restored - reinserted)

    def _total(self) -> int:
        where = f"b.{BATCH} = '{self._images.batch}' AND b.{SIDE} <> '{AFTER}'"
        return int(self._session.value(f"SELECT count(*) FROM {quoted(self._images.images)} AS b WHERE {where}"))

    def _remove(self) -> int:
        touched = [self._differs(found, "t", "b") for found in self._kept.values() if not found.generated]
        touched += [f"t.{quoted(found.name)} IS NOT NULL" for found in self._added if not (found.default or found.generated)]
        touched += [one.refers("t") for one in self._referrers]
        where = f"{self._side('b', INSERTED)} AND NOT ({' OR '.join(touched)}){self._alone}"
        match = [quoted(name) for name in self._images.match]
        return self._session.run(self._dialect.deleting(self._target, match, f"{quoted(self._images.images)} AS b", self._keys, where))

    def _restore(self) -> int:
        changed = [self._kept[name] for name in self._images.changed]
        if not changed:
            return 0
        touched = " OR ".join(f"({self._differs(found, 'b', 'a')} AND {self._differs(found, 't', 'a')})" for found in changed)
        after = f"a.{BATCH} = b.{BATCH} AND a.{SEQ} = b.{SEQ} AND a.{SIDE} = '{AFTER}'"
        joined = [Joined(f"{quoted(self._images.images)} AS b"), Joined(f"{quoted(self._images.images)} AS a", after)]
        assigned = [(found.name, self._former(found)) for found in changed]
        where = f"{self._side('b', BEFORE)} AND NOT ({touched})"
        return self._session.run(self._dialect.updating(self._target, assigned, self._images.match, joined, self._keys, where))

    def _reinsert(self) -> int:
        columns = [found.name for found in self._kept.values() if not found.generated or found.name in self._images.match]
        names, values = ", ".join(map(quoted, columns)), ", ".join(f"b.{quoted(name)}" for name in columns)
        there = f"SELECT 1 FROM {self._target} AS t WHERE {self._keys}"
        return self._session.run(
            f"{self._dialect.insert} {self._target} ({names}) {self._dialect.as_given}SELECT {values} "
            f"FROM {quoted(self._images.images)} AS b WHERE {self._side('b', DELETED)} AND NOT EXISTS ({there})"
        )

    def _rewind_bases(self, table: Table) -> None:
        """What the source last said of the rows is what it had said before: so the next run that reads them writes them again."""
        assert table.bases is not None
        changed = [column for column in table.columns if column.changeable and column.name in self._images.changed]
        keys = [quoted(name) for name in table.match]
        bases, images = quoted(table.bases.name), quoted(self._images.images)
        on = " AND ".join([f"t.{SOURCE} = '{self._source}'", *(f"t.{name} = b.{name}" for name in keys)])
        gone = f"SELECT 1 FROM {self._target} AS x WHERE {' AND '.join(f'x.{name} = b.{name}' for name in keys)}"
        match, removed = [SOURCE, *keys], f"{self._side('b', INSERTED)} AND NOT EXISTS ({gone})"
        self._session.run(self._dialect.deleting(bases, match, f"{images} AS b", on, removed))
        if not changed:
            return
        after = f"a.{BATCH} = b.{BATCH} AND a.{SEQ} = b.{SEQ} AND a.{SIDE} = '{AFTER}'"
        row = " AND ".join(f"x.{name} = b.{name}" for name in keys)
        back = " OR ".join(f"({self._differs(one.found, 'b', 'a')} AND {self._differs(one.found, 'x', 'b')})" for one in changed)
        joined = [Joined(f"{images} AS b"), Joined(f"{images} AS a", after), Joined(f"{self._target} AS x", f"{row} AND NOT ({back})")]
        assigned = [(one.name, self._former(one.found)) for one in changed]
        kept = [SOURCE, *table.match]
        self._session.run(self._dialect.updating(bases, assigned, kept, joined, on, self._side("b", BEFORE)))

    @property
    def _alone(self) -> str:
        """Without a primary key a row can't be told from another that is alike."""
        if self._unique:
            return ""
        same, names = (
            " AND ".join(f"d.{quoted(name)} = b.{quoted(name)}" for name in self._images.match),
            ", ".join(map(quoted, self._images.match)),
        )
        several = (
            f"SELECT {names} FROM {self._target} GROUP BY {names} HAVING count(*) > 1"  # apart, as MySQL wants it of the table that changes
        )
        return f" AND NOT EXISTS (SELECT 1 FROM ({several}) AS d WHERE {same})"

    @property
    def _keys(self) -> str:
        return " AND ".join(f"t.{quoted(name)} = b.{quoted(name)}" for name in self._images.match)

    def _side(self, alias: str, side: str) -> str:
        return f"{alias}.{BATCH} = '{self._images.batch}' AND {alias}.{SIDE} = '{side}'"

    def _former(self, found: Found) -> str:
        """What the run changed gets its former value; what somebody changed since, and the run did not, stays."""
        name = quoted(found.name)
        return f"CASE WHEN {self._differs(found, 'b', 'a')} THEN b.{name} ELSE t.{name} END"

    def _differs(self, found: Found, one: str, other: str) -> str:
        name = quoted(found.name)
        return self._dialect.differs(Column(found, "text", AS_IT_IS, False), f"{one}.{name}", f"{other}.{name}")

    def _check_columns(self, kept: Layout, now: Layout) -> None:
        for name in (*self._images.match, *self._images.changed):
            before, found = _named(kept, name), _named(now, name)
            if found is None or before is None or before.type != found.type:
                raise SchemaMismatch(
                    f"the column {name!r} of {now.name!r} is no longer what it was when the run wrote it ({before.type if before else 'unknown'}), "
                    f"so that the run can't be undone; the columns are {listed(now.columns)}"
                )


def _named(layout: Layout, name: str) -> Found | None:
    return next((found for found in layout.columns if found.name == name), None)
