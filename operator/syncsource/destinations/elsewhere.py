"""Other tables whose rows keep records out: ``spec.write.skipIf``."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource.destinations.quoting import quoted
from syncsource.destinations.session import RowRefused, Session
from syncsource.destinations.table import Column, Elsewhere, Layout, listed
from syncsource.errors import PermanentError, SchemaMismatch, StalledError
from syncsource.resource.writing import SkipIf


def check_named(place: str, names: Sequence[str], fields: Sequence[str]) -> None:
    """StalledError where a name is none of the fields, which may have been inferred."""
    for name in names:
        if name not in fields:
            raise StalledError(f"{place}: {name!r} is no field of the records, which have {', '.join(fields[:30])}: mend the name")


def found_elsewhere(session: Session, spec: SkipIf, fields: Sequence[str], table: Layout, columns: Sequence[Column]) -> Elsewhere:
    """The other table. SchemaMismatch where it, or a column of it, is not there or compares with none of ours."""
    check_named("spec.write.skipIf", spec.match, fields)
    layout = session.layout(spec.schema_, spec.exists_in)
    if layout is None:
        raise SchemaMismatch(f"spec.write.skipIf: the database has no table {spec.exists_in!r}: create it, or mend existsIn")
    pairs = tuple((_name(session, layout, name), fields.index(name)) for name in spec.match)
    _check_comparable(session, layout, pairs, table, columns)
    return Elsewhere(layout.schema, layout.name, pairs)


def _name(session: Session, layout: Layout, name: str) -> str:
    found = session.dialect.find(layout.columns, name)
    if found is None:
        raise SchemaMismatch(
            f"spec.write.skipIf: the table {layout.name!r} has no column {name!r}: its columns are {listed(layout.columns)}; mend match"
        )
    return found.name


def _check_comparable(session: Session, other: Layout, pairs: Sequence[tuple[str, int]], table: Layout, columns: Sequence[Column]) -> None:
    """Where columns can't be compared, the database says so before any row is looked at."""
    where = " AND ".join(f"o.{quoted(name)} = t.{quoted(columns[place].name)}" for name, place in pairs)
    tables = f"{quoted(other.schema, other.name)} AS o, {quoted(table.schema, table.name)} AS t"
    try:
        session.rows(f"SELECT 1 FROM {tables} WHERE {where} LIMIT 0")
    except (RowRefused, PermanentError) as error:
        if getattr(error, "reason", "") == "PermissionDenied":
            raise
        told = str(error) if isinstance(error, RowRefused) else error.message
        raise SchemaMismatch(f"spec.write.skipIf: {other.name!r} can't be compared with {table.name!r}: {told}") from error
