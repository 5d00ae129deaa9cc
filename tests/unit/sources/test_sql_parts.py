"""The parts of a database source that need no database: the order of texts, names, the spec's rules, URLs."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from syncsource.databases.url import parse_url, secrets_of, where
from syncsource.errors import SchemaMismatch, StalledError
from syncsource.resource.validation import problems
from syncsource.sources.sql.dialect import as_number, without_zone
from syncsource.sources.sql.naming import column_of
from syncsource.sources.sql.ordering import TextOrder, floor_of
from syncsource.sources.sql.pacing import COMFORTABLE, Pace
from syncsource.sources.sql.sqlite import SQLite

REFERENCE = {"secretKeyRef": {"name": "shop", "key": "url"}}


@pytest.mark.parametrize(
    "values",
    [
        ["a", "B", "😀", ""],
        ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z"],
        ["2026-01-31", "2026-02-01"],
        ["20260131", "20260201"],
        ["5a", "17", "2026-01-31"],
        ["", "2026-01-31", "N/A"],
        [1, 2.5, None],
        [None, None],
    ],
    ids=str,
)
def test_cursors_that_follow_one_another_pass(values: list[Any]) -> None:
    order = TextOrder("the column 'at'", None)
    order.check(values[:1])
    order.check(values)


@pytest.mark.parametrize(
    ("since", "values"),
    [
        (None, ["9"]),
        (None, ["-10000000", "20000000"]),
        (None, ["20260131", "202601310"]),
        (None, [5, "a"]),
        ("2026-01-31T12:00:00Z", ["2026-01-31T12:00:00+07:00"]),
        ("2026-01-31 12:00:00", ["2026-01-31"]),
        ("", ["9"]),
    ],
    ids=str,
)
def test_cursors_that_do_not_are_refused(since: str | None, values: list[Any]) -> None:
    order = TextOrder("the column 'at'", since)
    with pytest.raises(SchemaMismatch, match="the column 'at' holds ") as caught:
        order.check(values)
    assert caught.value.reason == "CursorUnordered"


@pytest.mark.parametrize(
    ("text", "floor"),
    [
        ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00"),
        ("2026-01-31 12:00:00+07", "2026-01-31 12:00:00"),
        ("2026-01-31", "2026-01-31"),
        ("a text that is longer than an instant", "a text that is longer than an instant"),
        ("12345678901234567890123", "12345678901234567890123"),
    ],
)
def test_no_text_of_the_same_second_is_below_the_floor(text: str, floor: str) -> None:
    """Precision or zone lost in the cursor: it is rounded down."""
    assert floor_of(text) == floor
    assert floor <= text


@pytest.mark.parametrize(
    ("text", "zone", "local"),
    [
        ("2026-01-31T05:00:00.1234567Z", "Asia/Jakarta", "2026-01-31T12:00:00.1234567"),
        ("2026-01-31 12:00:00+07:00", "UTC", "2026-01-31T05:00:00"),
        ("2026-01-31T12:00:00.5", "Asia/Jakarta", "2026-01-31T12:00:00.5"),
        ("2026-01-31", "Asia/Jakarta", "2026-01-31"),
    ],
)
def test_an_instant_for_a_column_without_zone(text: str, zone: str, local: str) -> None:
    """Separate zones for request and record."""
    assert without_zone(text, ZoneInfo(zone) if zone != "UTC" else UTC) == local


def test_numbers_are_bound_as_numbers() -> None:
    assert [type(as_number(text)).__name__ for text in ("18446744073709551615", "1.0", "-0.5", "1e999999999", "x")] == [
        "int",
        "int",
        "Decimal",
        "Decimal",
        "str",
    ]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("id", "id"),
        ('"Order No"', "Order No"),
        ('"a\\"b"', 'a"b'),
        ("data.total", None),
        ("max(a)", None),
        ("@", None),
        ("a || b", None),
    ],
)
def test_which_column_a_path_means(path: str, column: str | None) -> None:
    assert column_of(path) == column


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ({}, "exactly one of table and query must be set"),
        ({"table": "t", "query": "SELECT 1"}, "exactly one of table and query must be set"),
        ({"query": "SELECT 1", "columns": ["id"]}, "columns is only for table"),
        ({"query": "SELECT 1", "where": "1 = 1"}, "where is only for table"),
        ({"query": "SELECT 1", "schema": "s"}, "schema is only for table"),
        ({"table": "t", "pageSize": 0}, "spec.source.sql.pageSize"),
        ({"table": "t", "timeout": "0s"}, "must be longer than 0s"),
        ({"table": "a\nb"}, "spec.source.sql.table"),
        ({"table": "t", "columns": ["a", "a"]}, "spec.source.sql.columns"),
        ({"table": "t", "dialect": "oracle"}, "unknown field"),
    ],
    ids=str,
)
def test_a_manifest_that_can_t_be_read_is_refused(sql: dict[str, Any], said: str) -> None:
    assert any(said in str(problem) for problem in problems(_manifest(sql))), problems(_manifest(sql))
    assert problems(_manifest({"table": "t", "where": "a = 1", "columns": ["id"], "schema": "s", "jsonColumns": ["data"]})) == []


def _manifest(sql: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "metadata": {"name": "orders", "namespace": "default"},
        "spec": {
            "source": {"sql": {"urlFrom": REFERENCE, **sql}},
            "fields": [{"name": "id", "type": "integer"}],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": REFERENCE, "table": "copy"}},
        },
    }


def test_the_manifest_of_the_docs_is_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "databases.md").read_text()
    documented = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    manifest = _manifest({})
    manifest["spec"] |= documented
    assert problems(manifest) == []


def test_urls_of_every_kind() -> None:
    kinds = ("postgresql", "mysql", "sqlite")
    for text, place in (
        ("postgres://u:s3cret@h/n", "h/n"),
        ("mysql+pymysql://u:s3cret@h:3307/n", "h:3307/n"),
        ("mariadb://u:s3cret@/n?unix_socket=/run/s", "localhost/n"),
        ("sqlite:////data/shop.db", "/data/shop.db"),
    ):
        url = parse_url(text, "key url of Secret shop", kinds)
        assert (url.drivername in kinds, where(url)) == (True, place)
        assert secrets_of(url) == (() if url.drivername == "sqlite" else ("s3cret",))


@pytest.mark.parametrize("password", ["yak@zebra", "yak@ze/bra", "ze/yak@bra"])
def test_a_password_whose_at_sign_is_not_escaped_is_no_host(password: str) -> None:
    with pytest.raises(StalledError) as caught:
        parse_url(f"postgresql://u:{password}@host:5432/n", "key url of Secret shop", ("postgresql", "mysql", "sqlite"))
    assert "must have %40 in its place" in caught.value.message
    assert not any(part in caught.value.message for part in ("yak", "ze", "bra"))


def test_large_rows_come_fewer_at_a_time() -> None:
    pace = Pace(5000)
    sizes = []
    for length in (10, 10, 10, 100_000, 100_000_000, 10, 10):
        sizes.append(pace())
        pace.learn([("x" * length,)] * (1 if length > 1_000_000 else pace()))
    assert sizes[:3] == [200, 1000, 5000]
    assert sizes[4] * 100_000 <= COMFORTABLE
    assert sizes[5:] == [1, 5]
    assert Pace(7)() == 7


def test_a_text_that_is_no_utf8_between_pages_of_several_sizes_doubles_and_loses_no_row(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        made.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x") for number in range(100)])
        made.execute("UPDATE t SET v = CAST(x'ff' AS TEXT) WHERE id = 77")
    dialect, sizes = SQLite(), itertools.cycle((3, 17, 5))
    driver = dialect.connect(parse_url(f"sqlite:///{tmp_path}/a.db", "key", ("sqlite",)), 5)
    rows = [row for page in dialect.stream(driver, ("SELECT id FROM t WHERE v <> ''",), lambda: next(sizes)) for row in page]
    texts = [row for page in dialect.stream(driver, ("SELECT id, v FROM t",), lambda: next(sizes)) for row in page]
    dialect.close(driver)
    assert [number for number, *_ in texts] == [number for (number,) in rows] == list(range(100))
