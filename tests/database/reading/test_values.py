"""Every type with its awkward values is read back exactly, or the record is set aside with the reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncsource.records.batch import Broken
from tests.database.reading.origin import Origin

D = Decimal
POSTGRESQL: list[tuple[str, str, Any]] = [
    ("smallint", "-32768", -32768),
    ("bigint", "9223372036854775807", 2**63 - 1),
    (
        "numeric",
        "1234567890123456789012345678901234567890.12345678901234567890",
        D("1234567890123456789012345678901234567890.12345678901234567890"),
    ),
    ("numeric(18,2)", "0.00", D("0.00")),
    ("real", "0.1", D("0.1")),
    ("real", "16777216", D("16777216")),
    ("float8", "0.1", D("0.1")),
    ("float8", "'-0'", D("-0")),
    ("float8", "1.7976931348623157e308", D("1.7976931348623157E+308")),
    ("money", "'12.50'", "$12.50"),
    ("boolean", "false", False),
    ("text", "''", ""),
    ("text", "E'tab\\t\\\\ ''😀'", "tab\t\\ '😀"),
    ("char(5)", "'ab'", "ab   "),
    ("bytea", "'\\x00ff'", "AP8="),
    ("date", "'0001-01-01'", "0001-01-01"),
    ("date", "'9999-12-31'", "9999-12-31"),
    ("timestamptz", "'2026-01-31 12:00:00.123456+07'", "2026-01-31T05:00:00.123456Z"),
    ("timestamptz", "'1900-01-01 00:00:00+00:19:32'", "1899-12-31T23:40:28Z"),
    ("timestamp", "'2026-01-31 12:00:00.1'", "2026-01-31T12:00:00.1"),
    ("time", "'24:00'", "24:00:00"),
    ("timetz", "'12:00:00.5+07'", "12:00:00.5+07"),
    ("interval", "'1 year 2 days -3 hours'", "P1Y2DT-3H"),
    ("uuid", "'123E4567-E89B-12D3-A456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"),
    ("jsonb", "'{\"a\": [1.10, 12345678901234567890, null]}'", {"a": [D("1.10"), 12345678901234567890, None]}),
    ("json", "'null'", None),
    ("json", "'\"text\"'", "text"),
    ("int[]", "'{{1,NULL},{3,4}}'", [[1, None], [3, 4]]),
    ("timestamptz[]", "'{2026-01-31 12:00:00+00,NULL}'", ["2026-01-31T12:00:00Z", None]),
    ("jsonb[]", "ARRAY['{\"a\":1}'::jsonb]", [{"a": 1}]),
    ("text[]", "ARRAY['a,b', '\"', NULL, '']", ["a,b", '"', None, ""]),
    ("mood", "'glad'", "glad"),
    ("mood[]", "'{glad,NULL}'", ["glad", None]),
    ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
    ("int4range", "'[1,3)'", "[1,3)"),
    ("bit(3)", "'101'", "101"),
    ("oid", "4294967295", 4294967295),
]
MARIADB: list[tuple[str, str, Any]] = [
    ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("bigint", "-9223372036854775808", -(2**63)),
    ("tinyint(1)", "5", 5),
    ("int(5) zerofill", "42", 42),
    (
        "decimal(65,30)",
        "12345678901234567890123456789012345.123456789012345678901234567890",
        D("12345678901234567890123456789012345.123456789012345678901234567890"),
    ),
    ("float", "0.1", D("0.1")),
    ("float", "16777217.0", D("16777216")),
    ("float", "3.4028234e38", D("3.4028235E+38")),
    ("double", "0.1", D("0.1")),
    ("double", "2.2250738585072014e-308", D("2.2250738585072014E-308")),
    ("bit(1)", "b'1'", 1),
    ("bit(64)", "b'" + "1" * 64 + "'", 2**64 - 1),
    ("year", "2026", 2026),
    ("varchar(20)", "'ä😀'", "ä😀"),
    ("varchar(20) CHARACTER SET latin1", "'é'", "é"),
    ("char(5)", "'ab'", "ab"),
    ("longtext", "''", ""),
    ("enum('x', 'é')", "'é'", "é"),
    ("set('p', 'q')", "'q,p'", "p,q"),
    ("blob", "x'00ff'", "AP8="),
    ("binary(3)", "'ab'", "YWIA"),
    ("varbinary(3)", "''", ""),
    ("date", "'9999-12-31'", "9999-12-31"),
    ("datetime", "'1000-01-01 00:00:00'", "1000-01-01T00:00:00"),
    ("datetime(6)", "'2026-01-31 12:00:00.1'", "2026-01-31T12:00:00.100000"),
    ("timestamp(3) NULL", "'2026-01-31 12:00:00.5'", "2026-01-31T12:00:00.500Z"),
    ("time(1)", "'-838:59:59.5'", "-838:59:59.5"),
    ("json", "'{\"a\": [1.10, 12345678901234567890]}'", {"a": [D("1.10"), 12345678901234567890]}),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"),
    ("inet6", "'::1'", "::1"),
    ("point", "ST_GeomFromText('POINT(1 2)')", "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA=="),
]
SQLITE: list[tuple[str, str, Any]] = [
    ("integer", "9223372036854775807", 2**63 - 1),
    ("integer", "'a text in an integer column'", "a text in an integer column"),
    ("integer", "1e20", D("1E+20")),
    ("text", "x'00ff'", "AP8="),
    ("text", "''", ""),
    ("real", "0.1", D("0.1")),
    ("real", "9007199254740993", D("9007199254740992.0")),
    ("decimal(10,2)", "1.10", D("1.1")),
    ("datetime", "'2026-01-31 12:00:00'", "2026-01-31 12:00:00"),
    ("boolean", "1", 1),
    ("json", "'{\"a\": [1.10]}'", {"a": [D("1.10")]}),
    ("json", "5", 5),
    ("blob", "'a text in a blob column'", "a text in a blob column"),
]


def check(origin: Origin, cases: list[tuple[str, str, Any]]) -> None:
    """A table with a column for each case; its values, and NULL in each."""
    columns = ", ".join(f"c{place} {kind}" for place, (kind, _, _) in enumerate(cases))
    nulls = ", ".join(f"c{place}" for place, (kind, _, _) in enumerate(cases))
    origin.sql(f"CREATE TABLE every (id integer PRIMARY KEY, {columns})")
    origin.sql(f"INSERT INTO every VALUES (1, {', '.join(value for _, value, _ in cases)})")
    origin.sql(f"INSERT INTO every (id, {nulls}) VALUES (2, {', '.join(['NULL'] * len(cases))})")
    parsed = [f"c{place}" for place, (kind, _, _) in enumerate(cases) if kind == "json"]
    first, second = origin.read(table="every", jsonColumns=parsed)
    wanted = {"id": 1} | {f"c{place}": value for place, (_, _, value) in enumerate(cases)}
    assert first == wanted
    same = [(name, type(first[name]), str(first[name])) for name in first]
    assert same == [(name, type(wanted[name]), str(wanted[name])) for name in wanted]
    assert second == {"id": 2} | dict.fromkeys(list(wanted)[1:])


def test_every_type_of_postgresql(from_postgresql: Origin) -> None:
    """Big integers and decimals through floats."""
    from_postgresql.sql("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    check(from_postgresql, POSTGRESQL)


def test_every_type_of_mariadb(from_mariadb: Origin) -> None:
    """Big integers and decimals through floats."""
    check(from_mariadb, MARIADB)


def test_any_value_in_any_column_of_sqlite(from_sqlite: Origin) -> None:
    check(from_sqlite, SQLITE)


def test_a_query_of_mariadb_sends_floats_whole(from_mariadb: Origin) -> None:
    from_mariadb.sql("CREATE TABLE f (id int, f float)", "INSERT INTO f VALUES (1, 1234567.5)")
    assert from_mariadb.read(query="SELECT id, f FROM f") == [{"id": 1, "f": D("1234567.5")}]


BROKEN = {
    "postgresql": [
        ("timestamptz", "'infinity'", "infinity"),
        ("timestamptz", "'10000-01-01 00:00:00+00'", "10000-01-01 00:00:00+00"),
        ("timestamp", "'0044-03-15 12:00:00 BC'", "0044-03-15 12:00:00 BC"),
        ("date", "'-infinity'", "-infinity"),
        ("date", "'0001-01-01 BC'", "0001-01-01 BC"),
        ("numeric", "'NaN'", "NaN"),
        ("float8", "'-Infinity'", "-Infinity"),
        ("date[]", "'{infinity}'", ["infinity"]),
    ],
    "mariadb": [
        ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
        ("date", "'2026-02-00'", "2026-02-00"),
        ("date", "'0000-01-01'", "0000-01-01"),
        ("timestamp NULL", "0", "0000-00-00 00:00:00"),
    ],
    "sqlite": [("real", "9e999", "inf"), ("real", "-9e999", "-inf"), ("text", "CAST(x'61ff' AS text)", "a?")],
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_what_a_record_can_t_hold_sets_it_aside_and_no_other(kind: str, request: pytest.FixtureRequest) -> None:
    """Dates in the year 0 and 10000, infinity, NaN, invalid UTF-8."""
    origin: Origin = request.getfixturevalue(f"from_{kind}")
    if kind == "mariadb":
        origin.sql("SET sql_mode = ''")
    for place, (column, value, kept) in enumerate(BROKEN[kind]):
        origin.sql(f"CREATE TABLE t{place} (id integer, x {column})", f"INSERT INTO t{place} VALUES (1, NULL), (2, {value}), (3, NULL)")
        before, broken, after = origin.read(table=f"t{place}")
        assert (before, after) == ({"id": 1, "x": None}, {"id": 3, "x": None})
        assert isinstance(broken, Broken), (column, value, broken)
        assert (broken.reason, broken.record) == ("InvalidValue", {"id": 2, "x": kept})
        assert broken.message.startswith("x: "), broken.message


@pytest.mark.parametrize("text", ['{"a": ', "nothing", "[" * 5000, '{"a": 1e9999999999999999999}'])
def test_json_that_is_none_sets_its_record_aside(from_sqlite: Origin, text: str) -> None:
    from_sqlite.sql("CREATE TABLE t (id integer, x text)", f"INSERT INTO t VALUES (1, '{text}'), (2, '[1]')")
    broken, good = from_sqlite.read(table="t", jsonColumns=["x"])
    assert good == {"id": 2, "x": [1]}
    assert isinstance(broken, Broken)
    assert "is not JSON that can be kept exactly" in broken.message
    assert len(broken.message) < 300


def test_a_text_is_parsed_where_a_field_of_type_json_takes_it_whole(from_sqlite: Origin) -> None:
    from_sqlite.sql("CREATE TABLE t (id integer, x text, y text)", "INSERT INTO t VALUES (1, '[1]', '[1]')")
    fields = [{"name": "id", "type": "integer"}, {"name": "lines", "path": "x", "type": "json"}, {"name": "y", "type": "text"}]
    assert [list(page.records) for page in from_sqlite.pages(None, fields, table="t")] == [[{"id": 1, "x": [1], "y": "[1]"}]]
