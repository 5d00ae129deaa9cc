"""Tables of ours beside a table, with columns that have the types of its own: what is kept in them compares and comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256

from syncsource.destinations.quoting import quoted
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.table import Companion, Found, Layout

MANY = 20_000
"""Rows from which indexes are better made after them."""


def open_companion(
    session: Session,
    layout: Layout,
    kind: str,
    own: Mapping[str, str],
    columns: Sequence[Found],
    *,
    index: Sequence[Sequence[str]] = (),
    changing: bool = False,
) -> Companion:
    """The companion of a kind, created unless it is there. Another one where a column of the table is another than it was.

    ``own``: the columns that only the companion has, with their types; together they are its primary key, unless ``index`` names columns, once or
    more often several of them, by which rows are to be found quickly. ``changing``: its rows are changed where they stand, often all at once.
    """
    name = f"syncsource_{kind}_{_digest(layout, columns)}"
    if session.layout(None, name) is None:
        with nameless(f"to create the table {name!r}"), session.transaction(session.dialect.begin):
            session.create_companion(name, own, columns, layout, index)
            _run(session, session.dialect.changing(name) if changing else ())
    return Companion(name, tuple(columns))


def find_companion(session: Session, layout: Layout, kind: str, columns: Sequence[Found], also: Sequence[Found] = ()) -> Companion | None:
    """The companion, if it is there and has the columns ``also``."""
    name = f"syncsource_{kind}_{_digest(layout, columns)}"
    found = session.layout(None, name)
    there = {(column.name, column.type) for column in found.columns} if found else set()
    return Companion(name, tuple(columns)) if found and all((one.name, one.type) in there for one in also) else None


@contextmanager
def at_once(session: Session, companion: Companion | None, index: Sequence[Sequence[str]], rows: int) -> Iterator[bool]:
    """While so many rows are inserted. The first very many of a companion get its indexes afterwards: one by one they would take five times as long. Tells
    whether these are. Where runs that write to the table take turns, see :attr:`Table.alone`; None: it is no companion. Somebody else's keeps its indexes."""
    first = companion is not None and rows >= MANY and session.value(f"SELECT 1 FROM {quoted(companion.name)} LIMIT 1") is None
    apart = [companion.name] if companion is not None and first and session.value(session.dialect.owned(companion.name)) else []
    for name in apart:
        _run(session, session.dialect.drop_indexes(name, index))
    yield first
    for name in apart:
        _run(session, session.dialect.make_indexes(name, index))


def keep_columns(session: Session, name: str, columns: Sequence[Found]) -> None:
    """Gives a companion the columns of the table that it lacks, or that are of another type by now; what the others hold stays."""
    layout = session.layout(None, name)
    assert layout is not None
    there = {found.name: found for found in layout.columns}
    for column in columns:
        before = there.get(column.name)
        if before is not None and (before.type, before.collation) == (column.type, column.collation):
            continue
        with nameless(f"to change the table {name!r}"):
            if before is not None:
                session.run(f"ALTER TABLE {quoted(name)} DROP COLUMN {quoted(column.name)}")
            session.run(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column.name)} {session.dialect.typed(column)}")


def _run(session: Session, statements: Sequence[str]) -> None:
    for statement in statements:
        session.run(statement)


def _digest(layout: Layout, columns: Sequence[Found]) -> str:
    parts = [layout.schema or "", layout.name, *(f"{column.name}\0{column.type}\0{column.collation}" for column in columns)]
    return sha256("\0\0".join(parts).encode()).hexdigest()[:16]
