"""What goes in comes out, digit for digit and character for character, or is rejected with the reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncsource.records.types import to_json
from syncsource.resource.fields import FieldSpec
from tests.database.engine import Engine, Upstream

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40) | st.sampled_from(
    ["\\N", "\\", "\\.", "\t\n\r", "'", '"', "NULL", "", " ", "a\\tb", "\u2028", "😀", "{}", "%s", "$1", "\x7f", "\x01"]
)
scales = 2, 6
decimals = st.integers(-(10**18) + 1, 10**18 - 1).map(lambda number: Decimal(number).scaleb(-2))
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
uuids = st.uuids().map(str)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | decimals | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=6,
).map(to_json)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "integer": st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1, 0]),
    "decimal(18,2)": decimals,
    "decimal(40,20)": st.integers(-(10**40) + 1, 10**40 - 1).map(lambda number: Decimal(f"{number}E-20")),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp": instants,
    "time": st.times().map(time.isoformat),
    "bytes": st.binary(max_size=40),
    "uuid": uuids,
    "json": documents,
}


def _seen(kind: str, value: Any) -> Any:
    """A value as it was read, in one form for all databases."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(str(value))
    if kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    if kind == "timestamp":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind == "json":
        return json.loads(value, parse_float=Decimal)
    if isinstance(value, timedelta):
        return (datetime(1, 1, 1, tzinfo=UTC) + value).time().isoformat()
    return str(value) if kind in ("uuid", "time") else value


def test_round_trips(place: Any) -> None:
    kinds = list(VALUES)
    fields = [FieldSpec(name="id", type="integer"), *(FieldSpec(name=f"v{number}", type=kind) for number, kind in enumerate(kinds))]
    table = place.table("t", fields=fields)

    @settings(FEW, max_examples=40)
    @given(st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in kinds)), min_size=1, max_size=20))
    def check(values: list[tuple[Any, ...]]) -> None:
        rows = [(number, *row[:-1], _storable(place, row[-1])) for number, row in enumerate(values)]
        place.sql("DELETE FROM t")
        assert place.write(table, rows).counts == (len(rows), 0, 0, 0, 0)
        columns = ["id", *(f"v{number}{'::text' * (kind == 'json' and place.kind == 'postgresql')}" for number, kind in enumerate(kinds))]
        found = place.sql(f"SELECT {', '.join(columns)} FROM t ORDER BY id")
        for read, row in zip(found, rows, strict=True):
            assert [_seen(kind, value) for kind, value in zip(["integer", *kinds], read, strict=True)] == [
                _seen(kind, value) for kind, value in zip(["integer", *kinds], row, strict=True)
            ]
        assert place.write(table, rows).counts == (0, 0, len(rows), 0, 0)

    check()


def _storable(place: Any, document: str | None) -> str | None:
    return None if document is None or (place.kind == "postgresql" and "\\u0000" in document) else document


@pytest.mark.parametrize("kind", ["text", "decimal(18,2)", "timestamp", "uuid", "date", "time", "bytes", "boolean", "float"])
def test_keys_of_every_type(place: Any, kind: str) -> None:
    table = place.table("t", ["v"], v=kind, n="integer")

    @settings(FEW, max_examples=5)
    @given(st.lists(VALUES[kind], min_size=1, max_size=20, unique=True))
    def check(values: list[Any]) -> None:
        place.sql("DELETE FROM t")
        rows = [(value, number) for number, value in enumerate(values)]
        assert place.write(table, rows).counts == (len(rows), 0, 0, 0, 0)
        assert place.write(table, [(value, number + 1) for value, number in rows]).counts == (0, len(rows), 0, 0, 0)

    check()


def test_integers_beyond_64_bits_are_rejected_with_the_way_out(place: Any) -> None:
    table = place.table("t", id="integer", v="integer")
    result = place.write(table, [(1, 2**63), (2, -(2**63)), (3, -(2**63) - 1)])
    assert result.counts == (1, 0, 0, 0, 0)
    assert [(one.field, one.reason) for one in result.staged] == [("v", "InvalidValue")] * 2
    assert "9223372036854775808" in result.staged[0].message
    assert "decimals" in result.staged[0].message


def test_integers_of_any_size_in_decimals(place: Any) -> None:
    table = place.table("t", ["id"], id="decimal(38,0)")
    assert place.write(table, [(Decimal(10**37 + 1),)]).counts == (1, 0, 0, 0, 0)
    assert [str(value) for (value,) in place.sql("SELECT id FROM t")] == [str(10**37 + 1)]


ODD = [
    # declared, field's type, value, what is read back (None: rejected)
    ("smallint", "integer", 32767, 32767),
    ("smallint", "integer", 32768, None),
    ("integer", "integer", -(2**31), -(2**31)),
    ("integer", "integer", 2**31, None),
    ("integer", "decimal(10,2)", Decimal("5.00"), 5),
    ("integer", "decimal(10,2)", Decimal("5.01"), None),
    ("numeric", "decimal(10,4)", Decimal("1.2345"), Decimal("1.2345")),
    ("numeric", "integer", 10**40, Decimal(10**40)),
    ("numeric(5,2)", "decimal(10,4)", Decimal("1.2345"), None),
    ("numeric(5,2)", "decimal(10,4)", Decimal("1.2300"), Decimal("1.23")),
    ("numeric(5,2)", "integer", 1000, None),
    ("numeric(5,2)", "float", 1.25, Decimal("1.25")),
    ("numeric(5,2)", "float", 1.005, None),
    ("time(0)", "time", "12:00:00", time(12)),
    ("time(0)", "time", "12:00:00.5", None),
    ("varchar(3)", "text", "abc", "abc"),
    ("varchar(3)", "text", "abcd", None),
    ("varchar(3)", "text", "abc ", None),
    ("varchar(3)", "integer", 1234, None),
    ("char(5)", "text", "ab", "ab   "),
    ("char(5)", "text", "abcdef", None),
    ("text", "timestamp", datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000000Z"),
    ("text", "decimal(10,2)", Decimal("1.5"), "1.50"),
    ("text", "boolean", True, "true"),
    ("text", "float", 0.1, "0.1"),
    ("real", "float", 0.1, 0.1),
    ("real", "float", 1e300, None),
    ("real", "float", 1e-300, None),
    ("real", "integer", 16777217, None),
    ("real", "decimal(10,2)", Decimal("0.25"), 0.25),
    ("double precision", "integer", 2**53 + 1, None),
    ("double precision", "decimal(18,2)", Decimal("1234567890123456.78"), None),
    ("double precision", "decimal(18,2)", Decimal("0.10"), 0.1),
    ("timestamp", "timestamp", datetime(2026, 1, 1, 5, 6, 7, 890, tzinfo=UTC), datetime(2026, 1, 1, 5, 6, 7, 890)),  # noqa: DTZ001
    ("timestamp(0)", "timestamp", datetime(2026, 1, 1, 5, 6, 7, 890, tzinfo=UTC), None),
    ("json", "json", '{"a":1.10}', {"a": 1.1}),
    ("jsonb", "json", '{"a":"\\u0000"}', None),
    ("jsonb", "json", '{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    ("inet", "text", "10.0.0.1", "10.0.0.1"),
    ("inet", "text", "ten", None),
]


@pytest.mark.parametrize(("declared", "kind", "value", "read"), ODD)
def test_odd_columns_of_postgresql(postgresql: Any, declared: str, kind: str, value: Any, read: Any) -> None:
    postgresql.sql(f"CREATE TABLE t (id integer PRIMARY KEY, v {declared})")
    table = postgresql.table("t", create=False, id="integer", v=kind)
    result = postgresql.write(table, [(1, value), (2, None)])
    assert result.inserted == (1 if read is None else 2)
    for one in result.staged:
        assert (one.field, one.reason) == ("v", "InvalidValue")
        assert one.message.startswith("v: ")
    if read is not None:
        found = postgresql.sql("SELECT v FROM t WHERE id = 1")[0][0]
        assert (str(found) if declared == "inet" else found) == read
        assert postgresql.write(table, [(1, value), (2, None)]).counts == (0, 0, 2, 0, 0)


def test_enums_and_domains(postgresql: Any) -> None:
    postgresql.sql("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    postgresql.sql("CREATE DOMAIN short AS varchar(3)")
    postgresql.sql("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
    postgresql.sql("CREATE TABLE t (id positive PRIMARY KEY, m mood, s short)")
    table = postgresql.table("t", create=False, id="integer", m="text", s="text")
    result = postgresql.write(table, [(1, "happy", "abc"), (2, "angry", "abc"), (3, "sad", "abcd"), (-4, "sad", "")])
    assert result.counts == (1, 0, 0, 0, 0)
    assert [one.field for one in result.staged] == ["m", "s", "id"]
    assert "angry" in result.staged[0].message
    assert "positive_check" in result.staged[2].message
    assert postgresql.write(table, [(1, "sad", "abc")]).counts == (0, 1, 0, 0, 0)
    postgresql.sql("DROP TABLE t")


SQLITE_ODD = [
    ("DECIMAL(20,2)", "decimal(20,2)", Decimal("12345678901234567.89"), None),
    ("DECIMAL(20,2)", "decimal(20,2)", Decimal("1234567.89"), 1234567.89),
    ("NUMERIC", "decimal(20,0)", Decimal(2**62 + 1), 2**62 + 1),
    ("NUMERIC", "decimal(20,0)", Decimal(2**63), None),
    ("REAL", "integer", 2**53 + 1, None),
    ("REAL", "integer", 5, 5.0),
    ("TEXT", "integer", 10**30, str(10**30)),
    ("TEXT", "float", 0.1 + 0.2, "0.30000000000000004"),
    ("STRING", "text", "007", None),
    ("STRING", "text", " 1e5 ", None),
    ("STRING", "text", "abc", "abc"),
    ("DATETIME", "timestamp", datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000000Z"),
    ("DATE", "date", date(2026, 1, 31), "2026-01-31"),
    ("VARCHAR(3)", "text", "abcd", None),
    ("BOOLEAN", "boolean", True, 1),
    ("JSON", "json", '{"a":1}', '{"a":1}'),
    ("JSON", "json", "5", None),
    ("", "text", "007", "007"),
    ("INTEGER", "integer", 2**63 - 1, 2**63 - 1),
]


@pytest.mark.parametrize(("declared", "kind", "value", "read"), SQLITE_ODD)
def test_odd_columns_of_sqlite(sqlite: Any, declared: str, kind: str, value: Any, read: Any) -> None:
    sqlite.sql(f"CREATE TABLE t (id integer PRIMARY KEY, v {declared})")
    table = sqlite.table("t", create=False, id="integer", v=kind)
    result = sqlite.write(table, [(1, value), (2, None)])
    assert result.inserted == (1 if read is None else 2)
    assert all(one.field == "v" and one.message.startswith("v: ") for one in result.staged)
    if read is not None:
        found = sqlite.sql("SELECT v FROM t WHERE id = 1")[0][0]
        assert (found, type(found)) == (read, type(read))
        assert sqlite.write(table, [(1, value), (2, None)]).counts == (0, 0, 2, 0, 0)


def test_strict_tables_of_sqlite(sqlite: Any) -> None:
    sqlite.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c INT) STRICT")
    table = sqlite.table("t", create=False, id="integer", a="text", b="float", c="integer")
    assert sqlite.write(table, [(1, "a", 1.5, 2)]).counts == (1, 0, 0, 0, 0)
    assert sqlite.write(table, [(1, "a", 1.5, 2)]).counts == (0, 0, 1, 0, 0)


def test_a_lone_surrogate_is_a_reason_not_a_crash(place: Any) -> None:
    table = place.table("t", id="integer", v="text")
    result = place.write(table, [(1, "a"), (2, "\ud800"), (3, "b")])
    assert result.counts == (2, 0, 0, 0, 0)
    assert [one.reason for one in result.staged] == ["InvalidValue"]


def test_a_bad_value_among_many_is_found(place: Any) -> None:
    if place.kind != "postgresql":
        pytest.skip("SQLite's columns take what their codec lets pass")
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, v inet)")
    table = place.table("t", create=False, id="integer", v="text")
    bad = {0, 1234, 1235, 2999}
    result = place.write(table, [(number, "nowhere" if number in bad else "10.0.0.1") for number in range(3000)])
    assert result.inserted == 2996
    assert [(one.field, json.loads(one.record)["id"]) for one in result.staged] == [("v", number) for number in sorted(bad)]


@pytest.mark.parametrize(
    ("first", "second"), [("007.50", "7.50"), ("-00.10", "-0.10"), ("00.00", "0.00"), ("0.50", "0.5"), ("-7.00", "-007")]
)
def test_a_decimal_is_one_value_however_it_is_written(place: Any, first: str, second: str) -> None:
    fields = [{"name": "id", "type": "integer"}, {"name": "changed", "type": "integer"}, {"name": "total", "type": "decimal(18,2)"}]
    engine = Engine(place, "t", fields=fields)
    engine.spec["destination"]["sql"]["createTable"] = True
    for text, inserted in ((first, 2), (second, 0)):
        outcome = engine.run(Upstream([{"id": 1, "changed": 1, "total": text}, {"id": 2, "changed": 1, "total": "10.25"}]))
        assert (outcome.counts.inserted, outcome.counts.updated) == (inserted, 0), outcome
    assert [_seen("decimal", value) for (value,) in place.sql("SELECT total FROM t ORDER BY id")] == [Decimal(first), Decimal("10.25")]


def test_decimals_beside_a_row_that_is_refused_stay_as_they_are(place: Any) -> None:
    fields = [{"name": "id", "type": "integer"}, {"name": "changed", "type": "integer"}, {"name": "total", "type": "decimal(18,2)"}]
    engine = Engine(place, "t", fields=fields)
    engine.spec["destination"]["sql"]["createTable"] = True
    records = [{"id": key, "changed": 1, "total": "10.25"} for key in (1, 10**25, 3)]
    for inserted in (2, 0):
        counts = engine.run(Upstream(records, size=9), full=True).counts
        assert (counts.inserted, counts.updated, counts.quarantined) == (inserted, 0, 1)
    assert [_seen("decimal", value) for (value,) in place.sql("SELECT total FROM t ORDER BY id")] == [Decimal("10.25")] * 2
