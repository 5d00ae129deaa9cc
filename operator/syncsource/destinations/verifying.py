"""How the table compares with what is staged: rows that it lacks, cells that differ, rows that nobody staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncsource.destinations.quoting import STAGE, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.sieve import Sieve
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table


@dataclass(frozen=True, slots=True)
class Example:
    """A row that is not as it should be. ``columns``: those that differ; none where it is missing."""

    key: Sequence[Any]
    columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """``rows`` are staged, one for each key."""

    rows: int
    missing: int
    different: int
    ambiguous: int
    """Rows whose key finds more than one row of the table, or only as the columns compare it: none of their cells counts as equal."""
    columns: Mapping[str, int]
    """Of each column outside the key, how many cells differ; those of missing and ambiguous rows are not among them."""
    extra: int
    """Rows of the table that no staged row has the key of, but for those that are marked as deleted."""
    examples: Sequence[Example]


def compared(session: Session, table: Table, statements: Statements, examples: int, unfound: int = 0) -> Compared:
    """Compares what is staged, and writes nothing. ``unfound``: rows that are refused already, since their keys find none of their own."""
    sieve = Sieve(statements)
    ambiguous = unfound if table.key_unique else session.run(sieve.ambiguous())
    ambiguous += session.run(sieve.collisions()) if sieve.folds else 0
    others = [(place, column) for place, column in enumerate(table.columns) if not column.key]
    differs = [session.dialect.differs(column, f"t.{quoted(column.name)}", f"s.c{place}") for place, column in others]
    missing = statements.lacking
    sums = [missing, f"NOT {missing} AND ({' OR '.join(differs) or '1 = 0'})", *(f"NOT {missing} AND {one}" for one in differs)]
    counted = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)" for condition in sums)
    joined = f"{statements.temporary(STAGE)} AS s LEFT JOIN {statements.target} AS t ON {statements.keys}"
    [[rows, *found]] = session.rows(f"SELECT count(*), {counted} FROM {joined} WHERE {statements.accepted}")
    lacks, different, *columns = [int(one or 0) for one in found]
    wrong = f"{statements.accepted} AND ({' OR '.join([missing, *differs])})"
    return Compared(
        rows=int(rows) + ambiguous,
        missing=lacks,
        different=different,
        ambiguous=ambiguous,
        columns={column.name: count for (_, column), count in zip(others, columns, strict=True)},
        extra=int(session.value(_extra(statements))),
        examples=_examples(session, table, [missing, *differs], f"{joined} WHERE {wrong} ORDER BY s.seq LIMIT {examples}")
        if examples
        else [],
    )


def _extra(statements: Statements) -> str:
    staged = f"SELECT 1 FROM {statements.temporary(STAGE)} AS s WHERE {statements.keys}"
    marker = statements.table.marker
    marked = f" AND NOT ({marker.is_set('t')})" if marker else ""
    return f"SELECT count(*) FROM {statements.target} AS t WHERE NOT EXISTS ({staged}){marked}"


def _examples(session: Session, table: Table, conditions: Sequence[str], source: str) -> list[Example]:
    keys = [session.dialect.readable(table.columns[place], f"s.c{place}") for place in table.telling]
    flags = [f"CASE WHEN {condition} THEN 1 ELSE 0 END" for condition in conditions]
    names = [column.name for column in table.columns if not column.key]
    found = session.rows(f"SELECT {', '.join([*keys, *flags])} FROM {source}")
    return [_example(row[: len(keys)], row[len(keys) :], names) for row in found]


def _example(key: Sequence[Any], flags: Sequence[int], names: Sequence[str]) -> Example:
    missing, *differs = flags
    return Example(key, [] if missing else [name for name, different in zip(names, differs, strict=True) if different])
