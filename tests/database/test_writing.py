"""Rows into tables: what is inserted, changed, left alone, and how it is counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import NotSupportedError

from syncsource.destinations import Policy, Writer

NAMES = ["order", "Mixed Case", "größe", 'quo"ted', "it's", "a.b", "per%cent", "c0", "seq", "cursor", "x" * 63]


def test_new_rows_are_inserted_and_the_same_again_changes_nothing(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    assert table.created
    assert place.write(table, [(1, "a"), (2, None)]).counts == (2, 0, 0, 0, 0)
    assert place.write(table, [(1, "a"), (2, None)]).counts == (0, 0, 2, 0, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (2, None)]


def test_only_rows_that_differ_are_changed(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    place.write(table, [(1, "a"), (2, "b"), (3, "c")])
    assert place.write(table, [(1, "a"), (2, "B"), (4, "d")]).counts == (1, 1, 1, 0, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (2, "B"), (3, "c"), (4, "d")]


@pytest.mark.parametrize(("old", "new"), [(None, "x"), ("x", None), ("", None), (None, ""), ("a", "A"), ("a", "a ")])
def test_nulls_and_near_equal_texts_are_differences(place: Any, old: Any, new: Any) -> None:
    table = place.table("t", id="integer", name="text")
    place.write(table, [(1, old)])
    assert place.write(table, [(1, new)]).counts == (0, 1, 0, 0, 0)
    assert place.write(table, [(1, new)]).counts == (0, 0, 1, 0, 0)
    assert place.sql("SELECT name FROM t") == [(new,)]


def test_columns_that_are_not_mapped_stay(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name text, notes text DEFAULT 'ours')")
    table = place.table("t", create=False, id="integer", name="text")
    place.write(table, [(1, "a")])
    place.sql("UPDATE t SET notes = 'theirs'")
    place.write(table, [(1, "b"), (2, "c")])
    assert place.sql("SELECT id, name, notes FROM t ORDER BY id") == [(1, "b", "theirs"), (2, "c", "ours")]


def test_rows_that_people_added_stay(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    place.sql("INSERT INTO t VALUES (7, 'people')")
    place.write(table, [(1, "a")])
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (7, "people")]


def test_skip_leaves_existing_rows_alone_and_counts_them(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    place.write(table, [(1, "a"), (2, "b")])
    assert place.write(table, [(1, "x"), (2, "b"), (3, "c"), (3, "d")], policy=Policy(update=False)).counts == (1, 0, 0, 3, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (2, "b"), (3, "d")]


def test_of_one_key_the_last_read_wins(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    assert place.write(table, [(1, "a"), (2, "b"), (1, "c"), (1, "d")]).counts == (2, 0, 0, 2, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "d"), (2, "b")]


def test_of_one_key_the_highest_cursor_wins_by_its_meaning(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    rows = [(1, "newest"), (1, "older"), (1, "none"), (2, "x"), (3, "9"), (3, "10"), (4, "tie"), (4, "last")]
    cursors = ["2026-01-01T10:00:00+01:00", "2026-01-01T08:59:59.9Z", None, "a", "9", "10", "5.0", "5"]
    assert place.write(table, rows, cursors).counts == (4, 0, 0, 4, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [(1, "newest"), (2, "x"), (3, "10"), (4, "last")]


def test_many_repeated_keys(place: Any) -> None:
    table = place.table("t", id="integer", n="integer")
    rows = [(number % 4000, number) for number in range(20_000)]
    cursors: list[str | None] = [str(100_000 - number) for number in range(20_000)]
    assert place.write(table, rows, cursors).counts == (4000, 0, 0, 16_000, 0)
    assert place.sql("SELECT min(n), max(n), count(*) FROM t") == [(0, 3999, 4000)]


def _folding(place: Any) -> str:
    """A collation that folds case."""
    if place.kind != "postgresql":
        return "NOCASE" if place.kind == "sqlite" else "utf8mb4_general_ci"
    try:
        place.sql("CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    except NotSupportedError:
        pytest.skip("this PostgreSQL is built without ICU")
    return "folding"


def test_keys_that_only_their_column_calls_equal_are_told_and_none_is_lost(place: Any) -> None:
    place.sql(f"CREATE TABLE t (id varchar(100) COLLATE {_folding(place)} PRIMARY KEY, name varchar(9))")
    table = place.table("t", create=False, id="text", name="text")
    first = place.write(table, [("ABC", "a"), ("x", "x"), ("abc", "b"), ("ABC", "c")])
    assert first.counts == (2, 0, 0, 1, 1)
    assert first.rejected[0].reason == "KeyCollision"
    assert "the column's collation calls its key (id) equal to that of another row" in first.rejected[0].message
    assert place.write(table, [("Abc", "c"), ("x", "y")]).counts == (0, 1, 0, 0, 1)
    assert place.write(table, [("abc", "d"), ("ABC", "d")]).counts == (0, 1, 0, 0, 1)  # the row of the table has its key
    assert place.sql("SELECT id, name FROM t ORDER BY id") == [("abc", "d"), ("x", "y")]
    with Writer(place.database, table) as writer:
        found = writer.foresee([("abc", "d"), ("ABC", "d"), ("y", "1"), ("Y", "2")])
    assert [(one.action, one.reason) for one in found] == [
        ("Unchanged", ""),
        ("Quarantine", "KeyCollision"),
        ("Insert", ""),
        ("Quarantine", "KeyCollision"),
    ]


def test_values_that_a_collation_calls_equal_are_still_changed(place: Any) -> None:
    place.sql(f"CREATE TABLE t (id integer PRIMARY KEY, name text COLLATE {_folding(place)})")
    table = place.table("t", create=False, id="integer", name="text")
    place.write(table, [(1, "abc")])
    assert place.write(table, [(1, "ABC")]).counts == (0, 1, 0, 0, 0)


def test_keys_of_several_columns(place: Any) -> None:
    table = place.table("t", ["store", "no"], store="text", no="integer", total="decimal(18,2)")
    rows = [("a", 1, Decimal("1.50")), ("a", 2, Decimal("2")), ("b", 1, Decimal("3"))]
    assert place.write(table, rows).counts == (3, 0, 0, 0, 0)
    assert place.write(table, [("b", 1, Decimal("3.01")), ("b", 2, None)]).counts == (1, 1, 0, 0, 0)


def test_a_table_of_nothing_but_its_key(place: Any) -> None:
    table = place.table("t", ["a", "b"], a="integer", b="text")
    assert place.write(table, [(1, "x"), (2, "x")]).counts == (2, 0, 0, 0, 0)
    assert place.write(table, [(1, "x"), (3, "x")]).counts == (1, 0, 1, 0, 0)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_kind(place: Any, name: str) -> None:
    fields = place.fields(**{name: "integer", f"{name[:60]} 2": "text"})
    table = place.table(name, [name], fields=fields)
    assert place.write(table, [(1, "a"), (2, "b")]).counts == (2, 0, 0, 0, 0)
    assert place.write(table, [(1, "a"), (2, "c"), (2, "d")], ["1", "2", "3"]).counts == (0, 1, 1, 1, 0)


def test_a_key_that_finds_two_rows_is_rejected(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer, name text)")
    place.sql("INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c')")
    table = place.table("t", create=False, id="integer", name="text")
    result = place.write(table, [(1, "x"), (2, "y"), (3, "z")])
    assert result.counts == (1, 1, 0, 0, 1)
    assert [(one.reason, one.record, one.message) for one in result.rejected] == [
        ("AmbiguousKey", '{"id":1,"name":"x"}', "the key (id) finds more than one row of the table")
    ]
    assert place.sql("SELECT id, name FROM t ORDER BY id, name") == [(1, "a"), (1, "b"), (2, "y"), (3, "z")]


def test_null_in_a_table_s_key_is_nobody_s_key(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer UNIQUE, name text)")
    place.sql("INSERT INTO t VALUES (NULL, 'a'), (NULL, 'b')")
    table = place.table("t", create=False, id="integer", name="text")
    result = place.write(table, [(1, "x"), (None, "y")])
    assert result.counts == (1, 0, 0, 0, 0)
    assert [(one.reason, one.field) for one in result.staged] == [("MissingKey", "id")]


def test_nothing_staged_is_nothing_written(place: Any) -> None:
    table = place.table("t", id="integer")
    assert place.write(table, []).counts == (0, 0, 0, 0, 0)


def test_what_is_not_committed_is_gone(place: Any) -> None:
    table = place.table("t", id="integer")
    with pytest.raises(ZeroDivisionError):
        _write_then_fail(place, table)
    assert place.sql("SELECT count(*) FROM t") == [(0,)]
    assert place.write(table, [(1,)]).counts == (1, 0, 0, 0, 0)


def _write_then_fail(place: Any, table: Any) -> None:
    from syncsource.destinations import Writer

    with Writer(place.database, table) as writer:
        writer.stage([(1,)])
        with writer.transaction():
            writer.apply()
            raise ZeroDivisionError


def test_a_hundred_thousand_rows(place: Any) -> None:
    table = place.table("t", id="integer", name="text", total="decimal(18,2)")
    rows = [(number, f"name {number}", Decimal(number) / 100) for number in range(100_000)]
    assert place.write(table, rows).counts == (100_000, 0, 0, 0, 0)
    assert place.write(table, rows).counts == (0, 0, 100_000, 0, 0)
    changed = [(number, name if number % 2 else f"{name}!", total) for number, name, total in rows] + [(-1, "new", None)]
    assert place.write(table, changed).counts == (1, 50_000, 50_000, 0, 0)


def test_tables_without_rowid(sqlite: Any) -> None:
    sqlite.sql("CREATE TABLE t (id text PRIMARY KEY, name text) WITHOUT ROWID")
    table = sqlite.table("t", create=False, id="text", name="text")
    assert sqlite.write(table, [("a", "x"), ("b", "y")]).counts == (2, 0, 0, 0, 0)
    assert sqlite.write(table, [("a", "x"), ("b", "z")]).counts == (0, 1, 1, 0, 0)


def test_a_table_that_says_replace_does_not_replace(sqlite: Any) -> None:
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY, code text UNIQUE ON CONFLICT REPLACE, notes text)")
    sqlite.sql("INSERT INTO t VALUES (1, 'x', 'people')")
    table = sqlite.table("t", create=False, id="integer", code="text")
    result = sqlite.write(table, [(2, "x"), (3, "y")])
    assert result.counts == (1, 0, 0, 0, 1)
    assert result.rejected[0].reason == "ConstraintViolation"
    assert sqlite.sql("SELECT * FROM t ORDER BY id") == [(1, "x", "people"), (3, "y", None)]


def test_partitioned_tables(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id)")
    postgresql.sql("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100)")
    table = postgresql.table("t", create=False, id="integer", name="text")
    result = postgresql.write(table, [(1, "a"), (100, "no partition")])
    assert result.counts == (1, 0, 0, 0, 1)
    assert result.rejected[0].reason == "ConstraintViolation"
    assert postgresql.write(table, [(1, "b")]).counts == (0, 1, 0, 0, 0)
