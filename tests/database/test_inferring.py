"""spec.fields that is absent: the table's columns, or the first page's fields; found once, kept, and frozen unless they may evolve."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncsource import ledger
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores

RECORD = {"id": 1, "name": "a", "total": Decimal("1.50"), "tags": ["x"], "changed": 1}


def engine(place: Place, *, columns: str = "Freeze", incremental: bool = True, **sql: Any) -> Engine:
    run = Engine(place, "t", validation={"columns": columns})
    spec = {name: part for name, part in run.spec.items() if name != "fields" and (incremental or name != "incremental")}
    spec["destination"] = {"sql": {**run.spec["destination"]["sql"], **sql}}
    run.spec = spec
    return run


def columns(place: Place) -> list[str]:
    with place.database.engine.connect() as connection:
        return [str(name) for name in connection.exec_driver_sql("SELECT * FROM t").keys()]  # noqa: SIM118


def test_fields_are_the_columns_of_the_table_that_the_first_page_has(place: Place) -> None:
    place.sql("CREATE TABLE t (id bigint PRIMARY KEY, name varchar(10), total numeric(10,2), note text DEFAULT 'mine')")
    outcome = engine(place).run(Upstream([RECORD]))
    assert (outcome.result, outcome.counts.inserted) == ("Succeeded", 1), outcome.message
    assert place.sql("SELECT id, name, total, note FROM t") == [(1, "a", Decimal("1.5"), "mine")]


def test_without_a_table_they_are_those_of_the_first_page(place: Place) -> None:
    run = engine(place, createTable=True)
    assert run.run(Upstream([RECORD])).counts.inserted == 1
    assert columns(place) == ["id", "name", "total", "tags", "changed"]
    assert run.run(Upstream([RECORD]), full=True).counts.unchanged == 1


def test_of_partitions_the_first_that_has_records_tells(place: Place) -> None:
    run = engine(place, createTable=True)
    run.spec["partitions"] = {"values": ["new", "old"]}
    outcome = run.run(Stores(new=[], old=[RECORD]))
    assert (outcome.result, outcome.counts.inserted) == ("Succeeded", 1), outcome.message


def test_what_was_inferred_is_kept_though_a_later_page_is_sparse(place: Place) -> None:
    run = engine(place, createTable=True)
    run.run(Upstream([RECORD]))
    assert run.run(Upstream([{"id": 1, "name": "b", "changed": 2}])).counts.updated == 1
    assert run.run(Upstream([{**RECORD, "name": "c", "total": Decimal("2.5"), "changed": 3}])).full is False
    assert place.sql("SELECT name, changed FROM t") == [("c", 3)]
    assert run.run(Upstream([{"id": 2, "changed": 3}]), full=True).counts.inserted == 1


def test_freeze_a_new_field_is_left_out_and_a_retyped_one_goes_to_quarantine(place: Place) -> None:
    """A new or retyped field at the source."""
    run = engine(place, createTable=True)
    run.run(Upstream([RECORD]))
    outcome = run.run(Upstream([{**RECORD, "more": 1, "changed": 2}, {**RECORD, "id": 2, "total": {"sum": 1}, "changed": 2}]))
    assert (outcome.counts.updated, outcome.counts.quarantined, outcome.message) == (1, 1, "quarantined: 1 InvalidValue (total)")
    run.run(Upstream([{**RECORD, "more": 1, "changed": 3}]), full=True)
    assert columns(place) == ["id", "name", "total", "tags", "changed"]


def test_evolve_a_full_read_adds_nullable_columns_and_never_retypes(place: Place) -> None:
    """A new or retyped field at the source."""
    run = engine(place, createTable=True, columns="Evolve")
    run.run(Upstream([RECORD, {**RECORD, "id": 2}]))
    run.run(Upstream([{**RECORD, "more": "x", "none": None, "name": 5, "changed": 2}]), full=True)
    assert columns(place) == ["id", "name", "total", "tags", "changed", "more"]
    assert place.sql("SELECT id, name, more FROM t ORDER BY id") == [(1, "5", "x"), (2, "a", None)]


def test_evolve_looks_at_every_read_where_each_is_full(place: Place) -> None:
    run = engine(place, createTable=True, columns="Evolve", incremental=False)
    run.run(Upstream([RECORD]))
    assert run.run(Upstream([{**RECORD, "more": 1}])).counts.updated == 1
    assert place.sql("SELECT more FROM t") == [(1,)]


@pytest.mark.parametrize(
    ("records", "reason", "said"),
    [
        ([], "FieldsUnknown", "has no records yet"),
        ([{"key": 1}], "SchemaMismatch", "spec.keys: id is no field of the records, which have key"),
    ],
)
def test_what_can_not_be_inferred_is_told_and_nothing_is_created(place: Place, records: list[Any], reason: str, said: str) -> None:
    outcome = engine(place, createTable=True, incremental=False).run(
        Upstream([{"changed": None, **one} for one in records]) if records else Upstream([])
    )
    assert (outcome.result, outcome.reason) == ("Failed", reason)
    assert said.split(", which")[0] in outcome.message
    with place.database.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "t")
    assert ledger.history(place.database.engine, "test/ns/source/t")[0].result == "Failed"
