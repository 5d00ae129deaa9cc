"""Tables that are found, created, or refused with the column, the types and the way out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from syncsource.errors import SchemaMismatch, StalledError
from syncsource.resource.fields import Key
from syncsource.resource.spec import SqlDestination

TYPES = {
    "id": "integer",
    "a": "text",
    "b": "float",
    "c": "boolean",
    "d": "decimal(18,2)",
    "e": "date",
    "f": "timestamp",
    "g": "json",
    "h": "uuid",
}


def _refusal(place: Any, **types: str) -> str:
    with pytest.raises(SchemaMismatch) as caught:
        place.table("t", create=False, **types)
    assert caught.value.reason == "SchemaMismatch"
    return caught.value.message


def test_created_columns(place: Any) -> None:
    table = place.table("t", **TYPES)
    expected = {
        "postgresql": "bigint text double precision boolean numeric(18,2) date timestamp with time zone jsonb uuid",
        "mariadb": "bigint(20) longtext double tinyint(1) decimal(18,2) date datetime(6) longtext char(36)",
        "sqlite": "INTEGER TEXT REAL BOOLEAN TEXT TEXT TEXT TEXT TEXT",
    }
    assert " ".join(column.found.type for column in table.columns) == expected[place.kind]
    assert table.primary == ("id",)
    assert table.created
    assert table.key_unique
    assert not place.table("t", **TYPES).created


def test_many_create_one_table_at_once(place: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: place.table("t", **TYPES), range(8)))
    assert {table.name for table in tables} == {"t"}


def test_an_existing_table_is_never_altered(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer, name text)")
    table = place.table("t", id="integer", name="text")
    assert (table.created, table.key_unique, table.primary) == (False, False, ())


def test_no_table(place: Any) -> None:
    message = "the database has no table 't': create it, or set spec.destination.sql.createTable to true"
    assert _refusal(place, id="integer") == message


def test_no_column(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, nom text)")
    message = "the table 't' has no column 'name': its columns are id, nom; add the column, or mend the name in spec.fields"
    assert _refusal(place, id="integer", name="text") == message


def test_a_column_that_must_be_filled(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL DEFAULT 'x', b varchar(9) NOT NULL)")
    assert "the column 'b' of 't' is" in (message := _refusal(place, id="integer"))
    assert "NOT NULL without a default" in message


def test_a_view(place: Any) -> None:
    place.sql("CREATE TABLE base (id integer PRIMARY KEY)")
    place.sql("CREATE VIEW t AS SELECT * FROM base")
    assert _refusal(place, id="integer").startswith("'t' is a view: rows go to tables only")


def test_a_generated_column(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED)")
    assert _refusal(place, id="integer", b="integer") == "the database generates the column 'b' of 't' itself: remove it from spec.fields"
    assert place.table("t", create=False, id="integer", a="integer").key_unique


def test_types_that_do_not_fit(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer PRIMARY KEY, a boolean, b point, c jsonb)")
    assert (
        _refusal(postgresql, id="text")
        == "the column 'id' of 't' is integer, and the field's type is text: declare it as integer or decimal(18,2)"
    )
    assert "declare it as boolean" in _refusal(postgresql, id="integer", a="integer")
    assert "columns of this type can't be written" in _refusal(postgresql, id="integer", b="text")
    with pytest.raises(SchemaMismatch, match="a key can't be json"):
        postgresql.table("t", ["c"], create=False, c="json")


def test_types_that_do_not_fit_in_sqlite(sqlite: Any) -> None:
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY, at integer, x real)")
    assert "declare it as integer or float" in _refusal(sqlite, id="integer", at="timestamp")
    assert "declare it as" in _refusal(sqlite, id="integer", x="text")


def test_schemas(postgresql: Any, sqlite: Any) -> None:
    destination = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t", "createTable": True}
    from syncsource.destinations import open_table

    with pytest.raises(StalledError, match="SQLite has no schemas") as stalled:
        open_table(
            sqlite.database, SqlDestination.model_validate(destination | {"schema": "x"}), sqlite.fields(id="integer"), [Key(fields=["id"])]
        )
    assert stalled.value.reason == "InvalidSpec"
    with pytest.raises(SchemaMismatch, match="the database has no schema 'No Such'"):
        open_table(
            postgresql.database,
            SqlDestination.model_validate(destination | {"schema": "No Such"}),
            postgresql.fields(id="integer"),
            [Key(fields=["id"])],
        )
    postgresql.sql('CREATE SCHEMA IF NOT EXISTS "An other"')
    table = open_table(
        postgresql.database,
        SqlDestination.model_validate(destination | {"schema": "An other"}),
        postgresql.fields(id="integer"),
        [Key(fields=["id"])],
    )
    assert postgresql.write(table, [(1,)]).counts == (1, 0, 0, 0, 0)
    assert postgresql.sql('SELECT * FROM "An other".t') == [(1,)]
    postgresql.sql('DROP SCHEMA "An other" CASCADE')


def test_a_serial_key_column_may_be_left_to_the_database(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE)")
    table = postgresql.table("t", ["code"], create=False, code="text")
    assert postgresql.write(table, [("a",), ("b",)]).counts == (2, 0, 0, 0, 0)
    assert "generates the column 'id'" in _refusal(postgresql, id="integer")


def test_names_of_columns_fold_case_in_sqlite(sqlite: Any) -> None:
    sqlite.sql("CREATE TABLE Things (ID integer PRIMARY KEY, Name text)")
    table = sqlite.table("things", create=False, id="integer", name="text")
    assert sqlite.write(table, [(1, "a")]).counts == (1, 0, 0, 0, 0)
    assert sqlite.write(table, [(1, "b")]).counts == (0, 1, 0, 0, 0)
