"""From database to database: the engine reads one and writes another, and the second time nothing changes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.runner.here import run_here
from tests.database.conftest import Place
from tests.database.reading.origin import Origin
from tests.e2e.torture.waiting import until

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "total", "type": "decimal(30,10)"},
    {"name": "changed", "type": "timestamp"},
    {"name": "day", "type": "date"},
    {"name": "note", "type": "text"},
    {"name": "data", "type": "json"},
    {"name": "raw", "type": "bytes"},
]
TYPES = {
    "postgresql": "id bigint PRIMARY KEY, total numeric(30,10), changed timestamptz, day date, note text, data jsonb, raw bytea, store text",
    "mariadb": "id bigint PRIMARY KEY, total decimal(30,10), changed timestamp(6) NULL, day date, note text, data json, raw blob, store varchar(20)",
    "sqlite": "id integer PRIMARY KEY, total text, changed text, day text, note text, data text, raw blob, store text",
}
OCTETS = {"postgresql": "'\\x00ff'", "mariadb": "x'00ff'", "sqlite": "x'00ff'"}


ALL = ["postgresql-sqlite", "sqlite-postgresql", "mariadb-postgresql", "mariadb-sqlite"]


@pytest.fixture(params=ALL[:3])
def pair(request: pytest.FixtureRequest) -> tuple[Origin, Place]:
    """Where rows come from, and where they go."""
    one, _, other = request.param.partition("-")
    return request.getfixturevalue(f"from_{one}"), request.getfixturevalue(other)


def fill(origin: Origin) -> None:
    """Three orders, of which one has nulls."""
    octets = OCTETS[origin.kind]
    origin.sql(f"CREATE TABLE orders ({TYPES[origin.kind]})")
    for values in (
        f"1, '12345678901234567890.1234567891', '2026-01-31 12:00:00.123456', '0001-01-01', 'ä😀''', '{{\"a\": [1.10]}}', {octets}, 'a'",
        "2, '-0.5', '2026-01-31 12:00:00.123456', '9999-12-31', '', '[]', NULL, 'b'",
        "9007199254740993, NULL, NULL, NULL, NULL, NULL, NULL, 'b'",
    ):
        origin.sql(f"INSERT INTO orders VALUES ({values})")


def run(pair: tuple[Origin, Place], identity: str = "test/ns/sql", /, full: bool = False, **spec: Any) -> Outcome:
    """One run from ``orders`` to ``copy``."""
    origin, place = pair
    reference = {"secretKeyRef": {"name": "db", "key": "url"}}
    whole = {
        "source": {"sql": {"urlFrom": {"secretKeyRef": {"name": "shop", "key": "url"}}, "table": "orders", "pageSize": 2}},
        "incremental": {"cursor": "changed"},
        "fields": FIELDS,
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": reference, "table": "copy", "createTable": True}},
        **spec,
    }
    secrets = {"db": {"url": place.url}, "shop": {"url": origin.url}}
    return run_here(
        RunPlan(run=uuid4().hex, identity=identity, trigger="Request", full=full, spec=whole, secrets=secrets), Stop(), lambda _: None
    )


def counts(outcome: Outcome) -> tuple[str, int, int, int, int, int]:
    """How it ended; read, inserted, updated, unchanged, quarantined."""
    done = outcome.counts
    return outcome.reason or outcome.result, done.read, done.inserted, done.updated, done.unchanged, done.quarantined


@pytest.mark.parametrize("pair", ALL, indirect=True)
def test_every_row_arrives_as_it_was_and_once(pair: tuple[Origin, Place]) -> None:
    origin, place = pair
    fill(origin)
    assert counts(run(pair)) == ("Succeeded", 3, 3, 0, 0, 0)
    total, note, day = place.sql("SELECT CAST(total AS varchar(60)), note, CAST(day AS varchar(20)) FROM copy WHERE id = 1")[0]
    assert (total, note, day) == ("12345678901234567890.1234567891", "ä😀'", "0001-01-01")
    raw, data = place.sql("SELECT raw, CAST(data AS varchar(60)) FROM copy WHERE id = 1")[0]
    assert (bytes(raw), data.replace(" ", "")) == (b"\x00\xff", '{"a":[1.10]}')
    assert counts(run(pair)) == ("Succeeded", 2, 0, 0, 2, 0)
    assert counts(run(pair, full=True)) == ("Succeeded", 3, 0, 0, 3, 0)


def test_a_late_row_with_a_cursor_equal_to_the_last_one_arrives(pair: tuple[Origin, Place]) -> None:
    origin, _ = pair
    fill(origin)
    run(pair)
    origin.sql("INSERT INTO orders (id, changed) VALUES (3, '2026-01-31 12:00:00.123456'), (4, '2026-01-31 11:59:59.9')")
    assert counts(run(pair)) == ("Succeeded", 3, 1, 0, 2, 0)


def test_a_row_that_commits_late_with_an_earlier_cursor_needs_lookback(from_postgresql: Origin, sqlite: Place) -> None:
    """The commit order is not the order of the cursor: what a transaction stamps early and commits late is found by lookback."""
    pair = from_postgresql, sqlite
    fill(from_postgresql)
    run(pair)
    from_postgresql.sql("INSERT INTO orders (id, changed) VALUES (3, '2026-01-31 11:59:00')")
    assert counts(run(pair)) == ("Succeeded", 2, 0, 0, 2, 0)
    looking = {"incremental": {"cursor": "changed", "lookback": "5m"}}
    assert counts(run(pair, **looking)) == ("Succeeded", 3, 1, 0, 2, 0)


def test_partitions_have_a_cursor_each(pair: tuple[Origin, Place]) -> None:
    """One cursor shared by all partitions."""
    origin, _ = pair
    fill(origin)
    table = {"urlFrom": {"secretKeyRef": {"name": "shop", "key": "url"}}, "table": "orders", "where": "store = {partition}"}
    spec = {"source": {"sql": table}, "partitions": {"values": ["a", "b", "c"], "parallelism": 3}}
    assert counts(run(pair, **spec)) == ("Succeeded", 3, 3, 0, 0, 0)
    origin.sql("INSERT INTO orders (id, changed, store) VALUES (5, '2020-01-01 00:00:00', 'c')")
    assert counts(run(pair, **spec)) == ("Succeeded", 3, 1, 0, 2, 0)


def test_windows_cut_a_long_history(pair: tuple[Origin, Place]) -> None:
    """Cursor moved before the window was complete."""
    origin, _ = pair
    fill(origin)
    form = {"postgresql": "2025-01-01T00:00:00Z", "mariadb": "2025-01-01T00:00:00Z", "sqlite": "2025-01-01 00:00:00"}[origin.kind]
    incremental = {"cursor": "changed", "window": {"size": "90d", "start": form}}
    first = run(pair, incremental=incremental)
    assert counts(first)[:3] == ("Succeeded", 2, 2)
    assert first.cursor is not None
    origin.sql(f"INSERT INTO orders (id, changed) VALUES (6, '{first.cursor.replace('T', ' ').rstrip('Z')}')")
    until(lambda: run(pair, incremental=incremental).counts.inserted == 1, "the second of the first run's end is over")


def test_what_can_t_be_read_is_quarantined_with_its_place(from_postgresql: Origin, sqlite: Place) -> None:
    pair = from_postgresql, sqlite
    fill(from_postgresql)
    from_postgresql.sql("INSERT INTO orders (id, changed) VALUES (7, 'infinity'), (8, '10000-01-01')")
    assert counts(run(pair)) == ("RecordsQuarantined", 5, 3, 0, 0, 2)
    kept = sqlite.sql("SELECT reason, message, place, position FROM syncsource_quarantine ORDER BY position")
    assert [(reason, place, position) for reason, _, place, position in kept] == [
        ("InvalidValue", "sql table orders", 4),
        ("InvalidValue", "sql table orders", 5),
    ]
    assert kept[0][1] == "changed: '10000-01-01 00:00:00+00' is no day between the years 1 and 9999"


def test_a_source_in_the_destination_s_own_file(from_sqlite: Origin) -> None:
    fill(from_sqlite)
    place = type("Own", (), {"url": from_sqlite.url})()
    assert counts(run((from_sqlite, place))) == ("Succeeded", 3, 3, 0, 0, 0)
    assert counts(run((from_sqlite, place))) == ("Succeeded", 2, 0, 0, 2, 0)
