"""Finds the destination's table, or creates it, and checks that the mapped fields fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from syncsource.destinations.bases import find_both, open_bases, open_conflicts
from syncsource.destinations.database import Database
from syncsource.destinations.dialect import Dialect
from syncsource.destinations.elsewhere import check_named, found_elsewhere
from syncsource.destinations.images import open_images
from syncsource.destinations.matching import candidates, find_known, open_known
from syncsource.destinations.matching.candidates import is_single
from syncsource.destinations.owned import found_marker, open_owned
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.table import Candidate, Column, Found, Layout, Table, listed
from syncsource.errors import SchemaMismatch
from syncsource.resource.fields import FieldSpec, Key
from syncsource.resource.spec import SqlDestination
from syncsource.resource.writing import Write

NOTHING_SPECIAL = Write()


def open_table(
    database: Database,
    destination: SqlDestination,
    fields: Sequence[FieldSpec],
    keys: Sequence[Key],
    write: Write = NOTHING_SPECIAL,
    *,
    undo: bool = False,
    missing: Callable[[], object] = lambda: None,
) -> Table:
    """The table that rows of ``fields`` go to, found by ``keys``. An existing one is used as it is, never altered. ``undo``: what is done to
    its rows is kept; ``missing``: called before one is created.

    SchemaMismatch names the column, its type, the field's type and the way out, or asks for a primary key where there are several keys.
    StalledError: a schema where there are none.
    """
    with _session(database) as session:
        layout = _layout(session, destination)
        created = layout is None
        if layout is None:
            missing()
            marks = [FieldSpec(name=write.soft_delete.column, type="timestamp")] if write.soft_delete else []
            layout = _create(session, destination, [*fields, *marks], _joining(keys))
        table = _table(session, layout, fields, keys, write)
        merges = write.on_existing == "Merge"
        known, seen = open_known(session, layout, table) if table.candidates else (None, None)
        return replace(
            table,
            created=created,
            owned=open_owned(session, layout, table) if write.on_absent != "Ignore" else None,
            referrers=session.referrers(layout) if write.on_absent == "Delete" else (),
            bases=open_bases(session, layout, table) if merges else None,
            conflicts=open_conflicts(session, layout, table) if merges else None,
            known=known,
            seen=seen,
            images=open_images(session, layout) if undo else None,
        )


def find_table(
    database: Database, destination: SqlDestination, fields: Sequence[FieldSpec], keys: Sequence[Key], write: Write = NOTHING_SPECIAL
) -> Table | None:
    """The same, but nothing is created: None where :func:`open_table` would create the table."""
    with _session(database) as session:
        layout = _layout(session, destination)
        if layout is None:
            return None
        table = _table(session, layout, fields, keys, write)
        bases, conflicts = find_both(session, layout, table) if write.on_existing == "Merge" else (None, None)
        known, seen = find_known(session, layout, table) if table.candidates else (None, None)
        return replace(table, bases=bases, conflicts=conflicts, known=known, seen=seen)


@contextmanager
def _session(database: Database) -> Iterator[Session]:
    session = Session(database, brief=True)
    try:
        yield session
    finally:
        session.close()


def _layout(session: Session, destination: SqlDestination) -> Layout | None:
    layout = session.layout(destination.schema_, destination.table)
    if layout is None and not destination.create_table:
        raise SchemaMismatch(f"the database has no table {destination.table!r}: create it, or set spec.destination.sql.createTable to true")
    return layout


def _create(session: Session, destination: SqlDestination, fields: Sequence[FieldSpec], keys: Sequence[str]) -> Layout:
    schema, name = destination.schema_, destination.table
    with nameless(f"to create the table {name!r}"), session.transaction(session.dialect.begin):
        session.create(schema, name, fields, keys)
    layout = session.layout(schema, name)
    assert layout is not None
    return layout


def _joining(keys: Sequence[Key]) -> Sequence[str]:
    """Fields of the key that the database compares as it is; none where rows are found in another way."""
    return keys[0].fields if is_single(keys) else ()


def _table(session: Session, layout: Layout, fields: Sequence[FieldSpec], keys: Sequence[Key], write: Write) -> Table:
    if layout.kind != "table":
        raise SchemaMismatch(f"{layout.name!r} is a {layout.kind}: rows go to tables only; name its table in spec.destination.sql.table")
    names, protect = [field.name for field in fields], write.protect or []
    check_named("spec.write.protect", protect, names)
    if write.conflict:
        check_named(
            "spec.write.conflict", [*filter(None, [write.conflict.field]), *(one.column for one in write.conflict.columns or ())], names
        )
    columns = tuple(
        replace(_column(session.dialect, layout, field, field.name in _joining(keys)), field=field.name, protected=field.name in protect)
        for field in fields
    )
    _check_unmapped(layout, columns)
    found = candidates(keys, columns)
    identity = _identity(layout, columns, found) if found else ()
    columns = tuple(replace(column, fixed=column.found in identity) for column in columns)
    key_columns = {column.name for column in columns if column.key}
    key_unique = bool(identity) or any(unique <= key_columns for unique in layout.unique)
    elsewhere = tuple(found_elsewhere(session, one, names, layout, columns) for one in write.skip_if or ())
    mark = found_marker(session, layout, write.soft_delete.column, columns) if write.soft_delete else None
    return Table(
        layout.schema, layout.name, columns, layout.primary, key_unique, elsewhere, marker=mark, candidates=found, identity=identity
    )


def _identity(layout: Layout, columns: Sequence[Column], keys: Sequence[Candidate]) -> tuple[Found, ...]:
    """The primary key's columns. SchemaMismatch where there are none, or where fields fill some that no key has."""
    if not layout.primary:
        raise SchemaMismatch(
            f"the table {layout.name!r} has no primary key, by which the rows that spec.keys find are known: add one, such as a column of "
            "numbers that the database counts"
        )
    named = {columns[place].name for key in keys for place in key.places}
    filled = [column.field for column in columns if column.name in layout.primary and column.name not in named]
    if filled:
        raise SchemaMismatch(
            f"spec.fields fill {', '.join(filled)}, which is of the primary key of {layout.name!r} and in none of spec.keys: a row that another "
            "key finds keeps its own; make it the first key, or remove it from spec.fields"
        )
    identity = tuple(found for name in layout.primary for found in layout.columns if found.name == name)
    left = [found.name for found in identity if found.name not in named and not (found.default or found.generated)]
    if left:
        raise SchemaMismatch(
            f"nothing fills {', '.join(left)} of the primary key of {layout.name!r} in a new row: let the database number it (in SQLite: INTEGER "
            "PRIMARY KEY), or give it a default"
        )
    return identity


def _column(dialect: Dialect, layout: Layout, field: FieldSpec, key: bool) -> Column:
    found = dialect.find(layout.columns, field.name)
    if found is None:
        raise SchemaMismatch(
            f"the table {layout.name!r} has no column {field.name!r}: its columns are {listed(layout.columns)}; "
            f"add the column, or mend the name in spec.fields"
        )
    if found.generated:
        raise SchemaMismatch(f"the database generates the column {found.name!r} of {layout.name!r} itself: remove it from spec.fields")
    codec = dialect.codec(found, field.type, key)
    if codec is None:
        raise SchemaMismatch(_unfit(dialect, layout, found, field, key))
    return Column(found, field.type, codec, key)


def _unfit(dialect: Dialect, layout: Layout, found: Found, field: FieldSpec, key: bool) -> str:
    """Says what would fit."""
    kinds = ("text", "integer", "float", "boolean", "date", "time", "timestamp", "json", "uuid", "bytes", "decimal(18,2)")
    fitting = [kind for kind in kinds if dialect.codec(found, kind, key) is not None]
    head = f"the column {found.name!r} of {layout.name!r} is {found.type}, and the field's type is {field.type}"
    if key and field.type == "json":
        return f"{head}: a key can't be json"
    return (
        f"{head}: declare it as {' or '.join(fitting)}"
        if fitting
        else f"{head}: columns of this type can't be written; remove it from spec.fields"
    )


def _check_unmapped(layout: Layout, columns: Sequence[Column]) -> None:
    mapped = {column.name for column in columns}
    for found in layout.columns:
        if found.name not in mapped and not (found.nullable or found.default or found.generated):
            raise SchemaMismatch(
                f"the column {found.name!r} of {layout.name!r} is {found.type} NOT NULL without a default, and no field fills it: "
                f"add it to spec.fields, or give it a default"
            )
