"""Keys that were read more than once in a run: the newest row wins, the others are skipped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from operator import lt
from typing import Any

from syncsource.destinations.quoting import ASIDE, STAGE
from syncsource.destinations.session import Session
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table
from syncsource.records.columns import Written, has_nulls
from syncsource.records.cursors import Meaning, meaning

PART = 5000
_LOWEST: Meaning = (-1, 0, 0)
"""A row without a cursor is older than any that has one."""


class Rising:
    """Whether a key is one integer that rises from row to row: many sources send their records so, and then none can be there twice."""

    def __init__(self, table: Table) -> None:
        keys = [place for place, column in enumerate(table.columns) if column.key]
        self._place = keys[0] if [table.columns[place].field_type for place in keys] == ["integer"] else None
        self._last = -math.inf
        self.rising = self._place is not None
        """So far."""

    def look(self, columns: Sequence[Sequence[Any]]) -> None:
        """Takes the next rows, at least one, by column."""
        if self._place is None or not self.rising:
            return
        found = columns[self._place]
        values = found.values if isinstance(found, Written) else found
        self.rising = not has_nulls(values) and self._last < values[0] and all(map(lt, values, islice(values, 1, None)))
        self._last = values[-1]


def drop_older(session: Session, statements: Statements, *, cursors: bool, zone: tzinfo) -> int:
    """Leaves one row of each key in the staging table; returns how many went.

    ``cursors``: the highest wins, by meaning, and of equals the last read. Otherwise the last read wins. The database finds the
    keys, as their columns compare them; only rows of keys that occur twice pass through here, one at a time.
    """
    if session.value(_repeated(statements)) is None:
        return 0
    if cursors:
        losers = older(session.stream(_rivals(statements)), zone)
        while part := list(islice(losers, PART)):
            session.run_many(statements.lose(), part)
    else:
        session.run(_keep_last(statements))
    dropped = session.run(statements.drop_losers())
    session.run(f"DELETE FROM {statements.temporary(ASIDE)}")
    return dropped


def older(rivals: Iterator[tuple[Any, ...]], zone: tzinfo) -> Iterator[tuple[int]]:
    """seq of every row but the newest of its key. ``rivals``: the key's first seq, seq, cursor; those of one key follow each other in the order of
    reading."""
    key, newest, highest = -1, -1, _LOWEST
    for first, seq, cursor in rivals:
        rank = _LOWEST if cursor is None else meaning(cursor, zone)
        if first != key:
            key, newest, highest = first, seq, rank
        elif rank >= highest:
            yield (newest,)
            newest, highest = seq, rank
        else:
            yield (seq,)


def _repeated(statements: Statements) -> str:
    """A row where a key was staged more than once."""
    return f"SELECT 1 FROM {statements.temporary(STAGE)} GROUP BY {_keys(statements)} HAVING count(*) > 1 LIMIT 1"


def _keep_last(statements: Statements) -> str:
    """Of each key, all but the last read lose."""
    place = f"row_number() OVER (PARTITION BY {_keys(statements)} ORDER BY seq DESC) AS place"
    ranked = f"SELECT seq, {place} FROM {statements.temporary(STAGE)}"
    return f"INSERT INTO {statements.temporary(ASIDE)} SELECT seq FROM ({ranked}) ranked WHERE place > 1"


def _rivals(statements: Statements) -> str:
    """(the key's first seq, seq, cursor) of every row whose key was staged more than once, key by key, in the order of reading."""
    window = f"PARTITION BY {_keys(statements)}"
    told = f'min(seq) OVER ({window}) AS "first", seq, "cursor", count(*) OVER ({window}) AS rows_of_key'
    counted = f"SELECT {told} FROM {statements.temporary(STAGE)}"
    return f'SELECT "first", seq, "cursor" FROM ({counted}) counted WHERE rows_of_key > 1 ORDER BY "first", seq'


def _keys(statements: Statements) -> str:
    """The key's columns in the staging table, so that keys are one only where they are alike."""
    keys = [(f"c{place}", column) for place, column in enumerate(statements.table.columns) if column.key]
    return ", ".join(statements.dialect.exact(column, name) or name for name, column in keys)
