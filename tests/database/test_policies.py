"""spec.write and spec.safety on every database: what a run may do to rows, and what ends it before it does any of it."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.destinations import Policy, Writer
from syncsource.errors import SchemaMismatch, StalledError
from syncsource.records.batch import Rejected
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, note varchar(20))"
SKIPS = Policy(insert=False)


def _record(key: int, name: str = "a", amount: int | None = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": key}


def _names(place: Place) -> dict[Any, Any]:
    return dict(place.sql("SELECT id, name FROM t ORDER BY id"))


def test_onMissing_skip_only_updates(place: Place) -> None:
    place.sql(CREATE)
    place.sql("INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    table = place.table("t", id="integer", name="text")
    rows = [(1, "a"), (2, "new"), (4, "stranger"), (4, "again"), (5, "stranger")]
    assert place.write(table, rows, policy=SKIPS).counts == (0, 1, 1, 3, 0)
    assert _names(place) == {1: "a", 2: "new", 3: "c"}
    assert place.write(table, rows, policy=SKIPS).counts == (0, 0, 2, 3, 0)


def test_onMissing_skip_fills_no_empty_table(place: Place) -> None:
    place.sql(CREATE)
    table = place.table("t", id="integer", name="text")
    assert place.write(table, [(1, "a"), (2, "b")], policy=SKIPS).counts == (0, 0, 0, 2, 0)
    assert _names(place) == {}


def test_protected_columns_are_inserted_and_never_changed(place: Place) -> None:
    place.sql(CREATE)
    table = place.table("t", id="integer", name="text", amount="integer", write={"protect": ["name"]})
    assert place.write(table, [(1, "a", 1), (2, "b", 1)]).counts == (2, 0, 0, 0, 0)
    assert place.write(table, [(1, "new", 1), (2, "new", 2), (3, "c", 3)]).counts == (1, 1, 1, 0, 0)
    assert place.sql("SELECT id, name, amount FROM t ORDER BY id") == [(1, "a", 1), (2, "b", 2), (3, "c", 3)]


def test_a_table_with_nothing_but_protected_columns_is_only_filled(place: Place) -> None:
    place.sql(CREATE)
    table = place.table("t", id="integer", name="text", write={"protect": ["name"]})
    place.write(table, [(1, "a")])
    assert place.write(table, [(1, "new"), (2, "b")]).counts == (1, 0, 1, 0, 0)
    assert _names(place) == {1: "a", 2: "b"}


def _with_reports(place: Place) -> None:
    place.sql(CREATE)
    place.sql('CREATE TABLE "Old reports" (nr integer, name varchar(20), id integer)')
    place.sql("""INSERT INTO "Old reports" VALUES (7, 'a', 1), (8, 'a', 1), (9, NULL, 2), (9, 'c', 3)""")


def test_a_row_elsewhere_keeps_records_out(place: Place) -> None:
    _with_reports(place)
    place.sql("INSERT INTO t (id, name, note) VALUES (1, 'x', 'mine')")
    write = {"skipIf": [{"existsIn": "Old reports", "match": ["name", "id"]}]}
    table = place.table("t", id="integer", name="text", write=write)
    rows = [(1, "a"), (2, None), (3, "c"), (4, "d")]
    assert place.write(table, rows).counts == (2, 0, 0, 2, 0)
    assert _names(place) == {1: "x", 2: None, 4: "d"}  # a NULL is no value that another table could have
    assert place.write(table, rows).counts == (0, 0, 2, 2, 0)


def test_several_tables_keep_records_out_and_each_counts_once(place: Place) -> None:
    _with_reports(place)
    skips = [{"existsIn": "Old reports", "match": ["id"]}, {"existsIn": "Old reports", "match": ["name"]}]
    table = place.table("t", id="integer", name="text", write={"skipIf": skips})
    rows = [(1, "a"), (2, "zz"), (5, "c"), (6, "f")]
    with Writer(place.database, table) as writer:
        assert [(one.action, one.reason) for one in writer.foresee(rows)] == [("Skip", "ExistsIn")] * 3 + [("Insert", "")]
    assert place.write(table, rows).counts == (1, 0, 0, 3, 0)
    assert place.write(table, rows, policy=SKIPS).counts == (0, 0, 1, 3, 0)


def test_rows_that_are_kept_out_are_not_among_the_refused(place: Place) -> None:
    _with_reports(place)
    place.sql("CREATE UNIQUE INDEX one_name ON t (name)")
    table = place.table("t", id="integer", name="text", write={"skipIf": [{"existsIn": "Old reports", "match": ["id"]}]})
    with Writer(place.database, table) as writer:
        writer.stage([(1, "a"), (5, "same"), (6, "same"), (7, "g")])
        with writer.transaction():
            applied = writer.apply()
            refused: list[Rejected] = list(applied.rejected)
    assert (applied.inserted, applied.skipped, len(refused)) == (2, 1, 1)
    assert refused[0].reason == "ConstraintViolation"


def test_preview_foresees_policies(place: Place) -> None:
    place.sql(CREATE)
    place.sql("INSERT INTO t (id, name, amount) VALUES (1, 'a', 1)")
    table = place.table("t", id="integer", name="text", amount="integer", write={"protect": ["name"]})
    with Writer(place.database, table, SKIPS) as writer:
        found = writer.foresee([(1, "b", 1), (2, "c", 1)])
    assert [(one.action, one.reason) for one in found] == [("Unchanged", ""), ("Skip", "Missing")]
    assert "onMissing" in found[1].message


@pytest.mark.parametrize(
    ("write", "error", "told"),
    [
        ({"skipIf": [{"existsIn": "nowhere", "match": ["id"]}]}, SchemaMismatch, "no table 'nowhere'"),
        (
            {"skipIf": [{"existsIn": "Old reports", "match": ["amount"]}]},
            SchemaMismatch,
            "no column 'amount': its columns are nr, name, id",
        ),
        ({"skipIf": [{"existsIn": "Old reports", "match": ["nr"]}]}, StalledError, "spec.write.skipIf: 'nr' is no field"),
        ({"protect": ["nr"]}, StalledError, "spec.write.protect: 'nr' is no field"),
    ],
)
def test_names_that_mean_nothing_are_told(place: Place, write: dict[str, Any], error: type[Exception], told: str) -> None:
    _with_reports(place)
    with pytest.raises(error, match=told):
        place.table("t", id="integer", name="text", amount="integer", write=write)


def test_columns_that_cannot_be_compared_are_told_before_anything_is_read(postgresql: Place) -> None:
    postgresql.sql(CREATE)
    postgresql.sql("CREATE TABLE other (name integer)")
    with pytest.raises(SchemaMismatch, match=r"spec.write.skipIf: 'other' can't be compared with 't': .*operator does not exist"):
        postgresql.table("t", id="integer", name="text", write={"skipIf": [{"existsIn": "other", "match": ["name"]}]})


def _engine(place: Place, **spec: Any) -> Engine:
    place.sql(CREATE)
    engine = Engine(place, "t", **spec)
    assert engine.run(Upstream([_record(key) for key in range(1, 11)])).result == "Succeeded"
    return engine


def test_maxChanged_ends_a_run_before_it_writes(place: Place) -> None:
    engine = _engine(place, safety={"maxChanged": "30%"})
    many = [*(_record(key, "b") for key in range(1, 4)), _record(11)]
    outcome = engine.run(Upstream(many), full=True)
    assert (outcome.result, outcome.reason) == ("Failed", "TooManyChanged")
    assert "4 rows would be inserted, updated or deleted in a table of 10, more than spec.safety.maxChanged (30%)" in outcome.message
    assert _names(place) == dict.fromkeys(range(1, 11), "a")
    assert engine.cursor() == 10
    assert engine.run(Upstream(many[:3]), full=True).counts.updated == 3


def test_maxChanged_as_a_count_and_zero_for_none(place: Place) -> None:
    engine = _engine(place, safety={"maxChanged": 0})
    assert engine.run(Upstream([_record(1)]), full=True).counts.unchanged == 1
    outcome = engine.run(Upstream([_record(1, "b")]), full=True)
    assert (outcome.result, outcome.reason) == ("Failed", "TooManyChanged")


def test_minRows_is_for_full_reads(place: Place) -> None:
    engine = _engine(place, safety={"minRows": 3})
    incremental = engine.run(Upstream([_record(10, "b")]))
    assert (incremental.result, incremental.counts.updated) == ("Succeeded", 1)
    outcome = engine.run(Upstream([_record(1, "b"), _record(2, "b"), {**_record(3), "amount": "lots"}]), full=True)
    assert (outcome.result, outcome.reason) == ("Failed", "TooFewRows")
    assert "2 valid records, fewer than spec.safety.minRows (3)" in outcome.message
    assert _names(place)[1] == "a"
    assert engine.quarantined() == 0
    assert engine.run(Upstream([]), full=True).reason == "TooFewRows"
