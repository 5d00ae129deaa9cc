"""Names in statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

STAGE = "syncsource_stage"
"""seq, the run's order of reading; cursor; c0, c1, … the mapped columns."""
CHANGES = "syncsource_changes"
"""seq of the rows to write, and whether the table has none for their key."""
ASIDE = "syncsource_aside"
"""seq of rows set aside: before the comparison, those that a newer one of their key replaces; after it, those that somebody
else's writing made uncertain, which are compared again."""
GONE = "syncsource_gone"
"""Rows that are to go, numbered from 1: those that the source has no more, or those that share their key with one that stays."""
SHARED = "syncsource_shared"
"""Rows that share their key with others, numbered from 1."""
NUMBER = "syncsource_n"
"""The number of a row in a table of ours that has columns of the table, too."""
ROW_ID = "row_id"
"""The primary key of tables that we create without a key that all records have: numbered by the database, and never again."""
REFUSED = "syncsource_refused"
"""seq of the rows that can't be written, with why."""


WORTH_STATISTICS = 1000
"""Rows from which a bad plan costs more than statistics."""


class Joined(NamedTuple):
    """A table with its alias, and by what it is joined to those before it."""

    table: str
    on: str = ""
    outer: bool = False
    """Whether rows without one of it count, too."""


def quoted(*parts: str | None) -> str:
    """A name of several parts, quoted; parts that are None are left out."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts if part is not None)


def index_name(table: str, place: int) -> str:
    """The name of one of the indexes of a table of ours, quoted."""
    return quoted(f"{table}_key{place or ''}")


def updating(update: str, target: str, assigned: Sequence[tuple[str, str]], joined: Sequence[Joined], keys: str, where: str) -> str:
    """An UPDATE as PostgreSQL and SQLite know it, of ``t`` from other tables. ``assigned``: columns and values."""
    pairs = ", ".join(f"{quoted(name)} = {value}" for name, value in assigned)
    return f"{update} {target} AS t SET {pairs} FROM {in_a_row(joined)} WHERE {keys} AND {where}"


def in_a_row(joined: Sequence[Joined], join: str = "JOIN") -> str:
    """Tables, each joined to those before it."""
    first, *others = joined
    return " ".join([first.table, *(f"{'LEFT JOIN' if one.outer else join} {one.table} ON {one.on}" for one in others)])
