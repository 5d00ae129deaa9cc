"""Tables of ours beside a table, with columns that have the types of its own: what is kept in them compares and comes back as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from syncsource.destinations.session import Session, nameless
from syncsource.destinations.table import Companion, Found, Layout


def open_companion(
    session: Session, layout: Layout, kind: str, own: Mapping[str, str], columns: Sequence[Found], *, index: Sequence[str] = ()
) -> Companion:
    """The companion of a kind, created unless it is there. Another one where a column of the table is another than it was.

    ``own``: the columns that only the companion has, with their types; together they are its primary key, unless ``index`` names columns that
    are to be found quickly.
    """
    name = f"syncsource_{kind}_{_digest(layout, columns)}"
    if session.layout(None, name) is None:
        with nameless(f"to create the table {name!r}"), session.transaction(session.dialect.begin):
            session.create_companion(name, own, columns, layout, index)
    return Companion(name, tuple(columns))


def _digest(layout: Layout, columns: Sequence[Found]) -> str:
    parts = [layout.schema or "", layout.name, *(f"{column.name}\0{column.type}\0{column.collation}" for column in columns)]
    return sha256("\0\0".join(parts).encode()).hexdigest()[:16]
