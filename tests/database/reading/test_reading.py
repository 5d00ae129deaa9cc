"""A table or a query is read whole, from a cursor on, in windows and partitions, on each of the databases."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from syncsource.errors import SchemaMismatch, StalledError, SyncError
from syncsource.sources.base import Slice
from tests.database.reading.origin import Origin, spec_of

INSTANT = {"postgresql": "timestamptz", "mariadb": "timestamp(6) NULL", "sqlite": "text"}


def orders(origin: Origin, *rows: str, cursor: str = "integer") -> None:
    """A table of orders: id, store, changed."""
    origin.sql(f"CREATE TABLE orders (id integer PRIMARY KEY, store varchar(20), changed {cursor})")
    if rows:
        origin.sql("INSERT INTO orders VALUES " + ", ".join(rows))


def refused(origin: Origin, incremental: str | None = None, part: Slice | None = None, /, **sql: Any) -> SyncError:
    """How a read ends that can't succeed."""
    with pytest.raises(SyncError) as caught:
        origin.read(incremental, part, **sql)
    return caught.value


def test_a_table_is_read_whole_page_by_page(origin: Origin) -> None:
    orders(origin, "(1, 'a', 10)", "(2, 'b', NULL)", "(3, NULL, 30)")
    pages = origin.pages(table="orders", pageSize=2)
    assert [list(page.records) for page in pages] == [
        [{"id": 1, "store": "a", "changed": 10}, {"id": 2, "store": "b", "changed": None}],
        [{"id": 3, "store": None, "changed": 30}],
    ]
    assert [(page.place, list(page.positions or ())) for page in pages] == [("sql table orders", [1, 2]), ("sql table orders", [3])]
    assert all((page.served_at is None) == (origin.kind == "sqlite") for page in pages)


def test_an_empty_table_has_no_pages(origin: Origin) -> None:
    orders(origin)
    assert origin.pages("changed", table="orders") == []


def test_columns_and_where_narrow_what_is_read(origin: Origin) -> None:
    orders(origin, "(1, 'a%', 10)", "(2, 'b', 20)")
    read = origin.read(table="orders", columns=["id", "store"], where="store LIKE 'a%' -- those of a")
    assert read == [{"id": 1, "store": "a%"}]


def test_odd_names_are_quoted(origin: Origin) -> None:
    quote = '"' if origin.kind == "postgresql" else "`"
    name = f"{quote}order's {quote * 2}no{quote * 2}; %s ?{quote}"
    origin.sql(f"CREATE TABLE {name} (id integer PRIMARY KEY, {quote}Größe: %(x)s{quote} integer)", f"INSERT INTO {name} VALUES (1, 5)")
    plain = f"order's {quote}no{quote}; %s ?"
    assert origin.read('"Größe: %(x)s"', Slice(since="5"), table=plain) == [{"id": 1, "Größe: %(x)s": 5}]


def test_from_the_cursor_on_with_all_its_ties_in_the_order_of_cursor_and_key(origin: Origin) -> None:
    """A late row with a cursor equal to the last one; more ties than a page holds."""
    orders(origin, "(5, 'x', 20)", "(4, 'x', 20)", "(3, 'x', 20)", "(2, 'x', 30)", "(1, 'x', 10)", "(6, 'x', NULL)")
    assert origin.ids("changed", Slice(since="20"), table="orders", pageSize=2) == [3, 4, 5, 2]
    assert origin.ids("changed", None, table="orders") == [6, 1, 3, 4, 5, 2]


def test_rows_without_a_cursor_come_with_a_full_read_only(origin: Origin) -> None:
    orders(origin, "(1, 'x', NULL)", "(2, 'x', 0)")
    assert origin.ids("changed", None, table="orders") == [1, 2]
    assert origin.ids("changed", Slice(since="0"), table="orders") == [2]


def test_a_window_ends_before_its_end(origin: Origin) -> None:
    orders(origin, "(1, 'x', 10)", "(2, 'x', 20)", "(3, 'x', 30)")
    assert origin.ids("changed", Slice(since="10", until="30"), table="orders") == [1, 2]
    assert origin.ids("changed", Slice(since="30", until="50"), table="orders") == [3]


CURSORS: list[tuple[dict[str, str], list[str]]] = [
    (dict.fromkeys(INSTANT, "bigint"), ["-1", "0", "9007199254740993", "9223372036854775807"]),
    ({**dict.fromkeys(INSTANT, "decimal(30,10)"), "sqlite": "real"}, ["-0.5", "0", "0.1", "0.25"]),
    (INSTANT, ["'2026-01-31 12:00:00'", "'2026-01-31 12:00:00.000001'", "'2026-01-31 12:00:00.5'", "'2026-03-01 00:00:00'"]),
    (
        {"postgresql": "timestamp", "mariadb": "datetime(6)", "sqlite": "text"},
        ["'0999-01-31 12:00:00'", "'2026-01-31 12:00:00'", "'2026-01-31 12:00:00.999999'"],
    ),
    ({**dict.fromkeys(INSTANT, "date"), "sqlite": "text"}, ["'2025-12-31'", "'2026-01-01'"]),
    (
        {"postgresql": "text", "mariadb": "varchar(20) COLLATE utf8mb4_unicode_ci", "sqlite": "text COLLATE NOCASE"},
        ["'B'", "'a'", "'ä'", "'😀'"],
    ),
]


@pytest.mark.parametrize(("types", "values"), CURSORS, ids=["integer", "decimal", "instant", "local", "day", "text"])
def test_a_record_s_own_cursor_finds_it_and_what_follows(origin: Origin, types: dict[str, str], values: list[str]) -> None:
    """Precision or zone lost in the cursor; 0, "" and false as cursors; collations that fold case."""
    orders(origin, *(f"({place}, 'x', {value})" for place, value in enumerate(values)), cursor=types[origin.kind])
    read = origin.read("changed", None, table="orders")
    assert [record["id"] for record in read] == list(range(len(values)))
    for place, record in enumerate(read):
        found = origin.ids("changed", Slice(since=str(record["changed"])), table="orders")
        assert set(found) >= set(range(place, len(values)))
        same_second = types is INSTANT or "timestamp" in types.values()
        assert found == list(range(place, len(values))) or (origin.kind == "sqlite" and same_second)


def test_a_cursor_with_a_zone_meets_a_column_without_one(from_postgresql: Origin, from_mariadb: Origin) -> None:
    fields = [{"name": "id", "type": "integer"}, {"name": "changed", "type": "timestamp", "timeZone": "Asia/Jakarta"}]
    for origin, kind in ((from_postgresql, "timestamp"), (from_mariadb, "datetime")):
        orders(origin, "(1, 'x', '2026-01-31 11:59:59')", "(2, 'x', '2026-01-31 12:00:00')", cursor=kind)
        pages = origin.pages("changed", fields, Slice(since="2026-01-31T05:00:00Z"), table="orders")
        assert [record["id"] for page in pages for record in page.records] == [2]


def test_rows_changed_during_the_read_are_seen_as_they_were(origin: Origin) -> None:
    """Offset paging while rows are inserted; unstable order: a read sees one moment."""
    orders(origin, *(f"({number}, 'x', {number})" for number in range(10)))
    with closing(origin.source(spec_of("changed", table="orders", pageSize=2))) as source:
        pages = source.pages(Slice())
        seen = [record["id"] for record in next(pages).records]
        origin.sql(
            "UPDATE orders SET changed = 100 WHERE id = 5", "DELETE FROM orders WHERE id = 6", "INSERT INTO orders VALUES (20, 'x', 7)"
        )
        seen += [record["id"] for page in pages for record in page.records]
    assert seen == list(range(10))
    assert origin.ids("changed", Slice(since="9"), table="orders") == [9, 5]


QUERY = "SELECT id, store, changed AS seen FROM orders WHERE store <> 'c'"


def test_a_query_is_read_from_the_cursor_on(origin: Origin) -> None:
    orders(origin, "(1, 'a', 10)", "(2, 'b', 20)", "(3, 'c', 30)", "(4, 'd', 30)")
    assert origin.ids("seen", None, query=QUERY + ";\n") == [1, 2, 4]
    assert origin.ids("seen", Slice(since="20", until="30"), query=QUERY + " -- but c") == [2]


def test_a_query_may_say_itself_where_cursor_and_window_stand(origin: Origin) -> None:
    orders(origin, "(1, 'a', 10)", "(2, 'b', 20)", "(3, 'c', 30)")
    zero = "COALESCE({cursor}, '0')" if origin.kind != "postgresql" else "COALESCE({cursor}, '0')::int"
    query = f"SELECT id, changed FROM orders WHERE changed >= {zero} AND (changed < {{until}} OR changed = 30)"
    assert origin.ids("changed", Slice(since="20", until="25"), query=query) == [2, 3]


def test_a_function_may_take_the_cursor(from_postgresql: Origin) -> None:
    orders(from_postgresql, "(1, 'a', '2026-01-31')", "(2, 'b', '2026-02-28')", cursor="timestamptz")
    from_postgresql.sql(
        "CREATE FUNCTION changes_since(timestamptz) RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders WHERE changed >= $1'"
    )
    query = "SELECT * FROM changes_since(COALESCE({cursor}, '-infinity')::timestamptz)"
    assert from_postgresql.ids("changed", None, query=query) == [1, 2]
    assert from_postgresql.ids("changed", Slice(since="2026-02-28T00:00:00Z"), query=query) == [2]


def test_a_partition_is_a_bound_parameter(origin: Origin) -> None:
    hostile, backslash = "a' OR 1=1 --", "chr(92)" if origin.kind == "postgresql" else "char(92)"
    orders(origin, "(1, 'a', 10)", "(2, 'a'' OR 1=1 --', 20)", f"(3, {backslash}, 30)")
    for partition, ids in (("a", [1]), (hostile, [2]), ("\\", [3]), ("é😀%s?", [])):
        assert origin.ids(None, Slice(partition=partition), table="orders", where="store = {partition}") == ids
        assert origin.ids(None, Slice(partition=partition), query="SELECT * FROM orders WHERE store = {partition}") == ids
    assert origin.ids("changed", Slice(partition="1", since="10"), table="orders", where="id = {partition}") == [1]


def test_a_placeholder_in_quotes_is_refused(origin: Origin) -> None:
    orders(origin, "(1, 'a', 10)")
    error = refused(origin, None, Slice(partition="' OR 1=1 --"), table="orders", where="store = '{partition}'")
    assert (type(error), error.reason) == (StalledError, "InvalidSpec")
    assert "outside quotes" in error.message


@pytest.mark.parametrize(
    "query",
    [
        "SELEC 1",
        "SELECT 1 AS id; DROP TABLE orders",
        "DELETE FROM orders",
        "DROP TABLE orders",
        "SELECT 1) AS q; DELETE FROM orders; SELECT (1",
        "",
    ],
)
def test_a_query_is_one_select(origin: Origin, query: str) -> None:
    orders(origin, "(1, 'a', 10)")
    error = refused(origin, query=query or " ")
    assert (type(error), error.reason) == (StalledError, "InvalidSpec"), error
    assert error.message.endswith(
        "mend spec.source.sql.query: one SELECT or condition, with {cursor}, {until} and {partition} outside quotes"
    )
    assert origin.ids(table="orders") == [1]


def test_a_query_can_t_write(from_postgresql: Origin) -> None:
    orders(from_postgresql)
    from_postgresql.sql("CREATE FUNCTION add() RETURNS int LANGUAGE sql AS 'INSERT INTO orders VALUES (1) RETURNING id'")
    error = refused(from_postgresql, query="SELECT add() AS id")
    assert (type(error), error.reason) == (StalledError, "InvalidSpec")
    assert "cannot execute INSERT in a read-only transaction; a source only reads" in error.message
    written = refused(from_postgresql, query="WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone")
    assert "must be at the top level" in written.message


def test_two_columns_of_one_name_are_refused(from_postgresql: Origin, from_mariadb: Origin) -> None:
    assert "gives two columns named 'id'" in refused(from_postgresql, query="SELECT 1 AS id, 2 AS id").message
    assert "Duplicate column name 'id'" in refused(from_mariadb, query="SELECT 1 AS id, 2 AS id").message


@pytest.mark.parametrize(
    ("incremental", "sql", "said"),
    [
        (None, {"table": "nope"}, ("nope", "mend spec.source.sql.table")),
        (None, {"table": "orders", "columns": ["id", "total"]}, ("total", "spec.source.sql.columns")),
        (None, {"table": "orders", "where": "total > 1"}, ("total", "mend spec.source.sql.where")),
        (None, {"query": "SELECT total FROM orders"}, ("total", "mend spec.source.sql.query")),
        (None, {"table": "orders", "columns": ["store"]}, ("spec.fields: id: the table 'orders' gives no column 'id': it gives store",)),
        (
            "total",
            {"table": "orders"},
            ("spec.incremental.cursor: the table 'orders' gives no column 'total'", "it gives id, store, changed"),
        ),
    ],
)
def test_what_is_not_there_is_named(origin: Origin, incremental: str | None, sql: dict[str, Any], said: tuple[str, ...]) -> None:
    orders(origin)
    error = refused(origin, incremental, **sql)
    assert isinstance(error, SchemaMismatch), error
    assert all(words in error.message for words in said), error.message


def test_a_cursor_has_a_type_that_can_be_one(from_postgresql: Origin, from_mariadb: Origin) -> None:
    for origin, kind, said in ((from_postgresql, "jsonb", "jsonb"), (from_mariadb, "enum('a', 'b')", "enum or set")):
        orders(origin, cursor=kind)
        error = refused(origin, "changed", table="orders")
        assert f"the column 'changed' is {said}, which can't be a cursor" in error.message


def test_a_cursor_is_a_column_s_name(origin: Origin) -> None:
    orders(origin)
    assert "'max(changed)' must be the name of a column" in refused(origin, "max(changed)", table="orders").message


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("'9'", "'10'"), "numbers as texts such as '"),
        (("'2026-01-31T12:00:00Z'", "'2026-01-31T12:00:00+07:00'"), "texts of several forms such as '2026-01-31T12:00:00"),
        (("'2026-01-31 12:00:00'", "'2026-01-31T12:00:00'"), "texts of several forms such as '2026-01-31 12:00:00'"),
    ],
)
def test_texts_that_do_not_follow_one_another_as_they_mean_are_no_cursor(origin: Origin, values: tuple[str, ...], said: str) -> None:
    orders(origin, *(f"({place}, 'x', {value})" for place, value in enumerate(values)), cursor="varchar(40)")
    error = refused(origin, "changed", table="orders")
    assert error.reason == "CursorUnordered"
    assert said in error.message
    assert "CAST(… AS …)" in error.message


def test_a_column_of_numbers_and_texts_is_no_cursor(from_sqlite: Origin) -> None:
    orders(from_sqlite, "(1, 'x', 5)", "(2, 'x', 'later')")
    assert "holds numbers and texts" in refused(from_sqlite, "changed", table="orders").message


def test_decimals_of_a_query_stay_exact(from_postgresql: Origin, from_mariadb: Origin) -> None:
    for origin in (from_postgresql, from_mariadb):
        read = origin.read(query="SELECT 1 AS id, CAST('12345678901234567.890' AS decimal(30,3)) AS total")
        assert read == [{"id": 1, "total": Decimal("12345678901234567.890")}]
