"""A preview says what writing does: the same rows are foreseen, and then written."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from syncsource.destinations import Foreseen, Policy, Writer, find_table
from syncsource.errors import SchemaMismatch
from syncsource.resource.fields import Key
from syncsource.resource.spec import SqlDestination
from tests.database.conftest import Place

TYPES = {"id": "integer", "name": "text", "total": "decimal(8,2)"}
ONE = Decimal(1)
ROWS = [
    (1, "same", None),
    (2, "new name", Decimal(5)),
    (3, None, ONE),
    (4, "late", Decimal(7)),
    (4, "later", Decimal(8)),
    (2**70, "x", ONE),
    (None, "nobody", ONE),
]


@pytest.fixture
def orders(place: Place) -> Place:
    place.sql("CREATE TABLE orders (id bigint PRIMARY KEY, name varchar(20), total numeric(8,2), note varchar(20))")
    place.sql("INSERT INTO orders VALUES (1, 'same', NULL, 'mine'), (2, 'old name', 5, 'mine'), (3, 'gone', 2, 'mine')")
    return place


def test_each_row_is_foreseen_and_nothing_is_written(orders: Place) -> None:
    table = orders.table("orders", **TYPES)
    before = orders.sql("SELECT * FROM orders ORDER BY id")
    with Writer(orders.database, table) as writer:
        found = writer.foresee(ROWS)
    assert [(one.action, one.changed, one.reason) for one in found] == [
        ("Unchanged", (), ""),
        ("Update", ("name",), ""),
        ("Update", ("name", "total"), ""),
        ("Skip", (), "OlderDuplicate"),
        ("Insert", (), ""),
        ("Quarantine", (), "InvalidValue"),
        ("Quarantine", (), "MissingKey"),
    ]
    assert orders.sql("SELECT * FROM orders ORDER BY id") == before


def test_what_is_foreseen_is_what_is_done(orders: Place) -> None:
    table = orders.table("orders", **TYPES)
    cursors = ["1", "2", "3", "9", "8", None, "1"]
    with Writer(orders.database, table) as writer:
        actions = Counter(one.action for one in writer.foresee(ROWS, cursors))
    result = orders.write(table, ROWS, cursors)
    assert result.counts[:4] == tuple(actions[name] for name in ("Insert", "Update", "Unchanged", "Skip"))
    assert len(result.staged) + len(result.rejected) == actions["Quarantine"]
    assert orders.sql("SELECT name FROM orders WHERE id = 4") == [("late",)], "the higher cursor is the newer row, and was foreseen so"


def test_skip_and_ambiguous_keys(orders: Place) -> None:
    with Writer(orders.database, orders.table("orders", **TYPES), Policy(update=False)) as writer:
        assert [one.action for one in writer.foresee([(2, "new name", ONE), (9, "x", ONE)])] == ["Skip", "Insert"]
    orders.sql("CREATE TABLE loose (name varchar(20), total numeric(8,2))")
    orders.sql("INSERT INTO loose VALUES ('twice', 1), ('twice', 2)")
    with Writer(orders.database, orders.table("loose", ("name",), name="text", total="decimal(8,2)")) as writer:
        [found] = writer.foresee([("twice", ONE)])
    assert found == Foreseen("Quarantine", (), "AmbiguousKey", "the key (name) finds more than one row of the table")


def test_rows_that_no_column_takes(orders: Place) -> None:
    with Writer(orders.database, orders.table("orders", **TYPES)) as writer:
        assert [one.reason for one in writer.foresee([(None, "a", ONE), (2**70, "a", ONE)])] == ["MissingKey", "InvalidValue"]


def test_a_table_that_is_not_there_is_not_created(place: Place) -> None:
    wanted = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "later", "createTable": True}
    assert find_table(place.database, SqlDestination.model_validate(wanted), place.fields(**TYPES), [Key(fields=["id"])]) is None
    with pytest.raises(SchemaMismatch, match="no table 'later'"):
        find_table(
            place.database, SqlDestination.model_validate({**wanted, "createTable": False}), place.fields(**TYPES), [Key(fields=["id"])]
        )
