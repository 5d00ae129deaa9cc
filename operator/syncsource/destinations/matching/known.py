"""Which keys are known of which rows: one table of digests, of what a source said of a row, or of what its columns hold as those who have the same
keys saw it; and one of what they saw, so that only rows that are new or changed since are looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any

from syncsource.destinations.companions import at_once, find_companion, open_companion
from syncsource.destinations.dialect import target
from syncsource.destinations.matching.candidates import digests, readable
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import NUMBER, WORTH_STATISTICS, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.table import Companion, Layout, Table

KEY, DIGEST = "syncsource_candidate", "syncsource_digest"
_OWN = {SOURCE: "varchar(32)", KEY: "varchar(16)", DIGEST: "varchar(22)"}
_STALE, _FRESH = "syncsource_stale", "syncsource_fresh"
_KNOWN, _SEEN = "syncsource_known", "syncsource_seen"
_THERE = "syncsource_there"
_PART = 20_000
"""Rows that are looked at at once."""


def open_known(session: Session, layout: Layout, table: Table) -> tuple[Companion, Companion]:
    """Both tables, created unless they are there."""
    known, seen = _indexes(table)
    found = open_companion(session, layout, "known", _OWN, table.identity, index=known)
    return found, open_companion(session, layout, _seen(table), {}, [*table.identity, *_others(table)], index=seen)


def find_known(session: Session, layout: Layout, table: Table) -> tuple[Companion | None, Companion | None]:
    """The same, if they are there."""
    known = find_companion(session, layout, "known", table.identity)
    return known, find_companion(session, layout, _seen(table), [*table.identity, *_others(table)])


def _indexes(table: Table) -> tuple[list[list[str]], list[list[str]]]:
    names = [found.name for found in table.identity]
    return [[DIGEST], [*names, KEY]], [names]


def _seen(table: Table) -> str:
    """Who has other keys has not seen a row by them."""
    return f"seen_{_own_set(table)}"


def _own_set(table: Table) -> str:
    return sha256(" ".join(one.id for one in table.candidates).encode()).hexdigest()[:8]


def _others(table: Table) -> list[Any]:
    names = {found.name for found in table.identity}
    found = [table.columns[place].found for place in table.telling if table.columns[place].name not in names]
    return sorted(found, key=lambda one: one.name)


class Known:
    """What is known of a table's rows, for one connection. ``a`` is a digest, ``e`` what was seen, ``t`` the table, ``g`` a stale row."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table, self._dialect = session, table, session.dialect
        self._target = target(session.dialect, table.schema, table.name)
        self._names = [quoted(found.name) for found in table.identity]
        self._columns = [table.columns[place] for place in table.telling]
        self.name, self._seen = (quoted(one.name) if one is not None else "" for one in (table.known, table.seen))
        self._own = f"={_own_set(table)}"  # no source is called so
        self._borrowed = False
        self._layout = Layout(table.schema, table.name, "table", (), (), ())

    def borrow(self) -> None:
        """From now on what is found out is forgotten with the connection: for who only looks, and locks nobody out."""
        known, seen = _indexes(self._table)
        for name, own, columns, index in (
            (_KNOWN, _OWN, self._table.identity, known),
            (_SEEN, {}, [*self._table.identity, *_others(self._table)], seen),
        ):
            self._session.create_companion(name, own, columns, self._layout, index, temporary=True)
            listed, before = ", ".join(map(quoted, [*own, *(one.name for one in columns)])), self.name if own else self._seen
            if before:
                self._run(f"INSERT INTO {self.temporary(name)} ({listed}) SELECT {listed} FROM {before}")
        self.name, self._seen, self._borrowed = self.temporary(_KNOWN), self.temporary(_SEEN), True

    @property
    def fresh(self) -> str:
        """A query's tables: ``w`` has the digests that :meth:`look` found, ``g`` the primary keys of their rows."""
        return f"{self.temporary(_FRESH)} AS w JOIN {self.stale} AS g ON g.{NUMBER} = w.seq"

    def temporary(self, name: str) -> str:
        """A temporary table's qualified name."""
        return f"{self._dialect.temp}.{name}" if self._dialect.temp else name

    def look(self) -> None:
        """At the rows that are new or changed since the last time. Of those that are gone nothing is known any more."""
        self.replace(_STALE, self._found)
        self._run(f"DROP {self._dialect.temporary}TABLE IF EXISTS {self.temporary(_FRESH)}")
        self._run(f"CREATE TEMPORARY TABLE {_FRESH} {self._dialect.work_table(digest_columns(self._table))}")
        rows = int(self._session.value(f"SELECT count(*) FROM {self.stale}"))
        if not rows:
            return
        gone, match = f"{self.stale} AS g", self._joined("t", "g")
        over = f"(t.{SOURCE} = '{self._own}' OR (g.{_THERE} = 0 AND t.{SOURCE} NOT LIKE '=%'))"
        self._run(self._dialect.deleting(self.name, [SOURCE, KEY, *self._names], gone, match, over))
        self._run(self._dialect.deleting(self._seen, self._names, gone, match, "1 = 1"))
        names = ", ".join([*self._names, *(quoted(column.name) for column in self._columns if quoted(column.name) not in self._names)])
        values = ", ".join(f"t.{name}" for name in names.split(", "))
        with self._at_once(self._table.seen, _indexes(self._table)[1], rows):
            self._run(
                f"INSERT INTO {self._seen} ({names}) SELECT {values} FROM {gone} JOIN {self._target} AS t ON {match} WHERE g.{_THERE} = 1"
            )
        self._digest(rows)

    def enter(self) -> None:
        """What was found is known from now on. What a source said of a row is known already: most rows are as it said."""
        primary, entered = ", ".join(f"g.{name}" for name in self._names), 0
        for rank, candidate in enumerate(self._table.candidates):
            said = f"k.{KEY} = '{candidate.id}' AND k.{DIGEST} = w.d{rank} AND k.{SOURCE} NOT LIKE '=%' AND {self._joined('k', 'g')}"
            entered += self._run(
                f"{self._into} SELECT '{self._own}', '{candidate.id}', w.d{rank}, {primary} "
                f"FROM {self.fresh} WHERE w.d{rank} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {self.name} AS k WHERE {said})"
            )
        self.grown(entered)

    def remember(self, source: str, key: str, said: str) -> int:
        """What a source says of rows by a key: ``said`` is a query of digests and primary keys. Returns how many."""
        return self._run(f"{self._into} SELECT '{source}', '{key}', {said}")

    def forget(self, source: str, key: str, said: str) -> None:
        """What a source said of rows and says no more: ``said`` is a temporary table of digests and primary keys. Where it was what the row holds nothing
        else tells so: it is kept as that until somebody looks again, which is the next who has these keys."""
        listed, gone = ", ".join(f"z.{name}" for name in self._names), f"{said} AS z"
        held = f"SELECT 1 FROM {self.name} AS k WHERE k.{KEY} = '{key}' AND k.{SOURCE} LIKE '=%' AND {self._joined('k', 'z')}"
        self._run(f"{self._into} SELECT '{self._own}', '{key}', z.{DIGEST}, {listed} FROM {gone} WHERE NOT EXISTS ({held})")
        mine = f"t.{SOURCE} = '{source}' AND t.{KEY} = '{key}' AND t.{DIGEST} = z.{DIGEST}"
        self._run(self._dialect.deleting(self.name, [SOURCE, KEY, *self._names], gone, self._joined("t", "z"), mine))
        self._run(self._dialect.deleting(self._seen, self._names, gone, self._joined("t", "z"), "1 = 1"))

    def filling(self, rows: int) -> AbstractContextManager[bool]:
        """While what a source said of so many rows is remembered. Tells whether they are the first, and very many."""
        return self._at_once(self._table.known, _indexes(self._table)[0], rows)

    def _at_once(self, companion: Companion | None, index: Sequence[Sequence[str]], rows: int) -> AbstractContextManager[bool]:
        return at_once(self._session, None if self._borrowed else companion, index, rows)

    @property
    def _into(self) -> str:
        return f"INSERT INTO {self.name} ({SOURCE}, {KEY}, {DIGEST}, {', '.join(self._names)})"

    def grown(self, rows: int) -> None:
        """By so many: joins with what is known are planned for how many there are."""
        for statement in self._dialect.analyzed(self.name) if rows >= WORTH_STATISTICS else ():
            self._run(statement)

    def replace(self, name: str, query: str) -> None:
        """Makes a temporary table of a query, and numbers its rows: in place of the one of this name, which a transaction that was rolled back may
        have left."""
        self._run(f"DROP {self._dialect.temporary}TABLE IF EXISTS {self.temporary(name)}")
        numbered = f"SELECT row_number() OVER () AS {NUMBER}, found.* FROM ({query}) AS found"
        self._run(f"CREATE TEMPORARY TABLE {name} {self._dialect.numbered}{numbered}")

    @property
    def _found(self) -> str:
        primary = ", ".join(f"t.{name}" for name in self._names)
        changed = " OR ".join(
            self._dialect.differs(column, f"t.{quoted(column.name)}", f"e.{quoted(column.name)}") for column in self._columns
        )
        joined, first = self._joined("e", "t"), self._names[0]
        gone = ", ".join(f"e.{name}" for name in self._names)
        return (
            f"SELECT {primary}, 1 AS {_THERE} FROM {self._target} AS t LEFT JOIN {self._seen} AS e ON {joined} WHERE e.{first} IS NULL OR {changed} "
            f"UNION ALL SELECT {gone}, 0 FROM {self._seen} AS e LEFT JOIN {self._target} AS t ON {joined} WHERE t.{first} IS NULL"
        )

    def _digest(self, rows: int) -> None:
        values = ", ".join(readable(self._dialect, column, f"e.{quoted(column.name)}") for column in self._columns)
        of = f"SELECT g.{NUMBER}, {values} FROM {self.stale} AS g JOIN {self._seen} AS e ON {self._joined('e', 'g')} WHERE g.{_THERE} = 1"
        for first in range(1, rows + 1, _PART):
            found = self._session.rows(f"{of} AND g.{NUMBER} BETWEEN {first} AND {first + _PART - 1}")
            load_digests(self._session, self._table, self.temporary(_FRESH), found)
        indexes = self._dialect.indexes(self.stale, [NUMBER])
        for statement in (*indexes, *self._dialect.analyzed(self.temporary(_FRESH)), *self._dialect.analyzed(self.stale)):
            self._run(statement)

    @property
    def stale(self) -> str:
        """The rows that :meth:`look` found, numbered."""
        return self.temporary(_STALE)

    def _joined(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in self._names)

    def _run(self, statement: str) -> int:
        return self._session.run(statement)


def digest_columns(table: Table) -> str:
    """The columns of a table that :func:`load_digests` fills: what a row is numbered by, the best key that is complete, and each key's digest."""
    return ", ".join(["seq bigint NOT NULL", "best int", *(f"d{rank} varchar(22)" for rank in range(len(table.candidates)))])


def sought(table: Table) -> list[str]:
    """Its columns by which rows are looked for."""
    return [f"d{rank}" for rank in range(len(table.candidates))]


def load_digests(session: Session, table: Table, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """``rows``: a number, and what the keys' columns hold, in the order of their places."""
    if not rows:
        return
    numbers, *columns = zip(*rows, strict=True)
    at = {place: columns[index] for index, place in enumerate(table.telling)}
    found = [digests(one, [at[place] for place in one.places]) for one in table.candidates]
    leads = [next((rank for rank, one in enumerate(row) if one), None) for row in zip(*found, strict=True)]
    session.fill(into, [numbers, leads, *found])
