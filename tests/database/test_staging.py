"""Rows on their way into the staging table: handed over piece by piece, refused ones found among them, keys seen twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncsource.destinations import Writer
from syncsource.records.columns import Written
from syncsource.records.rows import Rows

AWKWARD = ["", "\\N", "\\.", "\\", "a\tb", "a\nb", "a\r\nb", "\r", "\\t", "'", '"', "N", "ünï🙂", "x" * 10_000, "\x01", None]


def test_texts_that_mean_something_to_a_bulk_loader_arrive_as_they_are(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    rows = list(enumerate(AWKWARD))
    assert place.write(table, rows).counts == (len(rows), 0, 0, 0, 0)
    assert place.sql("SELECT id, name FROM t ORDER BY id") == rows
    assert place.write(table, rows).counts == (0, 0, len(rows), 0, 0)


def test_every_type_beside_nulls_and_texts_is_what_it_was(place: Any) -> None:
    kinds = {
        "n": "integer",
        "d": "decimal(12,3)",
        "f": "float",
        "b": "boolean",
        "day": "date",
        "at": "timestamp",
        "j": "json",
        "raw": "bytes",
    }
    table = place.table("t", id="integer", **kinds)
    full = (2**62, Decimal("-1.500"), 1e300, True, date(1, 1, 1), datetime(2026, 1, 2, 3, 4, 5, 6, UTC), '{"a":"\\t\\\\"}', b"\x00\\\n")
    rows = [(1, *full), (2, *[None] * 8), (3, 0, Decimal("0.000"), -0.1, False, date(9999, 12, 31), *full[5:])]
    assert place.write(table, rows).counts == (3, 0, 0, 0, 0)
    assert place.write(table, rows).counts == (0, 0, 3, 0, 0)
    assert place.sql("SELECT count(*) FROM t WHERE n IS NULL AND d IS NULL AND f IS NULL AND at IS NULL AND raw IS NULL") == [(1,)]


@pytest.mark.parametrize("column", ["integer", "smallint", "numeric(12,2)", "text"])
def test_numbers_that_stay_as_they_were_written(postgresql: Any, column: str) -> None:
    """Written out they go the short way where the column takes the type, and are looked at where it may not."""
    postgresql.sql(f"CREATE TABLE t (id bigint PRIMARY KEY, v {column})")
    kind = "decimal(12,2)" if column.startswith("numeric") else "integer"
    table = postgresql.table("t", create=False, id="integer", v=kind)
    texts = ["007.50", "7.50"] if kind != "integer" else ["7", "32767"] if column == "smallint" else ["7", "99999"]
    rows = Rows([Written(["1", "2"], int), Written(texts, Decimal if kind != "integer" else int)])
    assert postgresql.write(table, rows).counts == (2, 0, 0, 0, 0)
    assert postgresql.write(table, list(rows)).counts == (0, 0, 2, 0, 0)


def test_a_number_that_is_too_large_as_it_was_written(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id bigint PRIMARY KEY, v smallint)")
    table = postgresql.table("t", create=False, id="integer", v="integer")
    result = postgresql.write(table, Rows([Written(["1", "2"], int), Written(["32767", "32768"], int)]))
    assert (result.counts, [one.field for one in result.staged]) == ((1, 0, 0, 0, 0), ["v"])


def pieces(count: int, size: int, wrong: set[int]) -> list[list[tuple[int, str]]]:
    """So many pieces of so many rows; those whose number is among ``wrong`` are too long for varchar(3)."""
    return [[(number, "long" if number in wrong else "ok") for number in range(at, at + size)] for at in range(0, count * size, size)]


@pytest.mark.parametrize("wrong", [set[int](), {0}, {79}, {5, 6, 41, 78}, set(range(80))])
def test_what_is_refused_of_many_pieces_is_told_sooner_or_later(postgresql: Any, wrong: set[int]) -> None:
    """A domain: only the server knows. All but the offending rows are there, however the pieces were sent."""
    postgresql.sql("CREATE DOMAIN short AS text CHECK (length(VALUE) < 4)")
    postgresql.sql("CREATE TABLE t (id bigint PRIMARY KEY, v short)")
    table = postgresql.table("t", create=False, id="integer", v="text")
    with Writer(postgresql.database, table) as writer:
        told = [one for piece in pieces(20, 4, wrong) for one in writer.stage(piece, more=True)]
        told += writer.stage([])
        with writer.transaction():
            assert writer.apply().inserted == 80 - len(wrong)
    assert [one.field for one in told] == ["v"] * len(wrong)
    assert {number for (number,) in postgresql.sql("SELECT id FROM t")} == set(range(80)) - wrong


def test_the_connection_can_be_used_between_pieces(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    with Writer(place.database, table) as writer:
        writer.stage([(1, "a")], more=True)
        assert writer.connection.exec_driver_sql("SELECT count(*) FROM syncsource_stage").scalar() == 1
        writer.stage([(2, "b")], more=True)
        assert writer.stage([(3, "c")]) == []
        with writer.transaction():
            assert writer.apply().inserted == 3


def test_refused_rows_that_nobody_heard_of_stop_the_transaction(postgresql: Any) -> None:
    """Rows that are neither written nor reported would be lost."""
    postgresql.sql("CREATE DOMAIN short AS text CHECK (length(VALUE) < 4)")
    postgresql.sql("CREATE TABLE t (id bigint PRIMARY KEY, v short)")
    table = postgresql.table("t", create=False, id="integer", v="text")
    with Writer(postgresql.database, table) as writer:
        assert writer.stage([(1, "long")], more=True) == []
        with pytest.raises(RuntimeError, match="rows refused"), writer.transaction():
            pass
    assert postgresql.sql("SELECT count(*) FROM t") == [(0,)]


def test_a_writer_can_be_left_between_pieces(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    with Writer(place.database, table) as writer:
        writer.stage([(1, "a")], more=True)
    with suppress(KeyError), Writer(place.database, table) as writer:
        writer.stage([(1, "a")], more=True)
        raise KeyError
    assert place.write(table, [(1, "b")]).counts == (1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("numbers", "skipped"),
    [
        ([1, 2, 3, 4], 0),
        ([1, 1, 2, 3], 1),
        ([4, 3, 2, 1], 0),
        ([1, 2, 3, 1], 1),
        ([1, 2, 2, 3], 1),
    ],
)
@pytest.mark.parametrize("cut", [1, 2, 4])
def test_keys_that_rise_and_keys_that_repeat(place: Any, numbers: list[int], skipped: int, cut: int) -> None:
    """Of rows with one key the last counts, wherever the pieces end."""
    table = place.table("t", id="integer", at="integer")
    rows = list(zip(numbers, range(10), strict=False))
    with Writer(place.database, table) as writer:
        for start in range(0, len(rows), cut):
            writer.stage(rows[start : start + cut])
        with writer.transaction():
            assert writer.apply().skipped == skipped
    assert dict(place.sql("SELECT id, at FROM t")) == dict(rows)
