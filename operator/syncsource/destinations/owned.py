"""Which rows are whose, and how a row is marked as deleted: what ``spec.write.onAbsent`` needs beside the table."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource.destinations.companions import open_companion
from syncsource.destinations.session import Session
from syncsource.destinations.table import Column, Companion, Found, Layout, Marker, Table
from syncsource.errors import SchemaMismatch

SOURCE, PARTITION, STATE = "syncsource_source", "syncsource_partition", "syncsource_state"
PRESENT, ABSENT, MARKED, MISSED = range(4)
"""States of a key: the last complete read had it; this one has not; its row was marked as deleted by us; its partition had it not, and whether
another one has is not known yet."""
_OWN = {SOURCE: "varchar(32)", PARTITION: "varchar(32)", STATE: "int"}
_PLACE = "spec.write.softDelete.column"


def open_owned(session: Session, layout: Layout, table: Table) -> Companion:
    """The table that knows whose rows are whose. It is asked for a key of any other source, too."""
    keys = [found for found, _ in table.matching]
    return open_companion(session, layout, "rows", _OWN, keys, index=[[*(found.name for found in keys), SOURCE]])


def found_marker(session: Session, layout: Layout, name: str, columns: Sequence[Column]) -> Marker:
    """The column that tells that a row is deleted. SchemaMismatch where it can't."""
    found = session.dialect.find(layout.columns, name)
    if found is None or found.generated:
        raise SchemaMismatch(f"{_PLACE}: the table {layout.name!r} has no column {name!r} that can be written: add it, or mend the name")
    if found.name in [column.name for column in columns]:
        raise SchemaMismatch(f"{_PLACE}: {name!r} is one of spec.fields: name a column that no field fills")
    codec = session.dialect.codec(found, "timestamp", False)
    if _is_truth(found):
        return Marker(found, None)
    if codec is None or not found.nullable:
        raise SchemaMismatch(f"{_PLACE}: {name!r} is {found.type}: it must be boolean, or a timestamp that may be NULL")
    return Marker(found, codec)


def _is_truth(found: Found) -> bool:
    return found.base in ("bool", "tinyint") or found.type.upper().startswith("BOOL")
