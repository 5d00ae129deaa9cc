"""How accurate the copy is: the same number on every database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from syncsource.engine.stopping import Stop
from syncsource.engine.verifying import Verified, Wrong, verify
from syncsource.errors import PermanentError, RetryableError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Source
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores

CREATE = "CREATE TABLE t (id integer {}, name varchar(20), amount integer, changed integer, note varchar(20))"


def _record(key: int, name: str | None = "a", amount: Any = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": key}


def _engine(place: Place, *first: dict[str, Any], primary: str = "PRIMARY KEY", **spec: Any) -> Engine:
    place.sql(CREATE.format(primary))
    engine = Engine(place, "t", **spec)
    engine.run(Upstream(first))
    return engine


def _verify(engine: Engine, upstream: Source | Sequence[dict[str, Any]], limit: int | None = None) -> Verified:
    def opened(spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]]) -> Source:
        return Upstream(upstream) if isinstance(upstream, Sequence) else upstream

    return verify(engine.plan(), opened=opened, stop=Stop(), limit=limit, progress=lambda progress: None)


def test_a_copy_that_is_exact(place: Place) -> None:
    records = [_record(1), _record(2, None, None), _record(3, "")]
    engine = _engine(place, *records)
    found = _verify(engine, records)
    assert (found.accuracy, found.cells, found.equal, found.rows, found.extra) == ("100.0000", 12, 12, 3, 0)
    assert (found.columns, found.examples, found.complete, found.key_unique) == ({}, [], True, True)


def test_every_sort_of_difference_is_counted(place: Place) -> None:
    records = [_record(key) for key in range(1, 8)]
    engine = _engine(place, *records)
    before = place.sql("SELECT * FROM syncsource_cursors")
    place.sql("UPDATE t SET name = 'mine', amount = NULL, note = 'mine' WHERE id = 1")
    place.sql("UPDATE t SET name = 'A', note = 'mine' WHERE id = 2")
    place.sql("DELETE FROM t WHERE id = 3")
    place.sql("INSERT INTO t (id) VALUES (90), (91)")
    found = _verify(engine, [*records, _record(8, "x", "lots"), _record(1)])
    assert (found.read, found.rows, found.quarantined, found.skipped) == (9, 7, 1, 1)
    assert (found.missing, found.different, found.extra) == (1, 2, 2)
    assert (found.cells, found.equal, found.accuracy) == (32, 21, "65.6250")
    assert found.columns == {"name": 2, "amount": 1}
    assert {one.key["id"]: one.columns for one in found.examples} == {"1": ["name", "amount"], "2": ["name"], "3": []}
    assert place.sql("SELECT * FROM syncsource_cursors") == before


def test_a_number_that_is_not_whole_is_rounded_down(place: Place) -> None:
    records = [_record(key) for key in range(30_000)]
    engine = _engine(place)
    engine.run(Upstream(records, size=10_000))
    place.sql("UPDATE t SET name = 'mine' WHERE id = 17")
    found = _verify(engine, Upstream(records, size=10_000))
    assert (found.equal, found.cells, found.accuracy) == (119_999, 120_000, "99.9991")
    assert found.examples == [Wrong(key={"id": "17"}, columns=["name"])]


def test_a_sample_knows_of_no_extra_rows(place: Place) -> None:
    records = [_record(key) for key in range(1, 8)]
    engine = _engine(place, *records)
    place.sql("UPDATE t SET name = 'mine' WHERE id IN (1, 7)")
    found = _verify(engine, records, limit=3)
    assert (found.complete, found.rows, found.different, found.extra, found.accuracy) == (False, 4, 1, None, "93.7500")


def test_rows_that_are_marked_as_deleted_are_not_extra(place: Place) -> None:
    place.sql(
        "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), amount integer, changed integer, gone boolean NOT NULL DEFAULT false)"
    )
    engine = Engine(place, "t", write={"onAbsent": "SoftDelete", "softDelete": {"column": "gone"}})
    engine.run(Upstream([_record(1), _record(2)]))
    engine.run(Upstream([_record(1)]), full=True)
    place.sql("INSERT INTO t (id) VALUES (90)")
    assert _verify(engine, [_record(1)]).extra == 1


def test_keys_that_are_not_unique(place: Place) -> None:
    records = [_record(1), _record(2)]
    engine = _engine(place, *records, primary="")
    place.sql("INSERT INTO t (id, name, amount, changed) VALUES (2, 'a', 1, 2)")
    found = _verify(engine, records)
    assert (found.key_unique, found.rows, found.ambiguous, found.equal, found.accuracy) == (False, 2, 1, 4, "50.0000")


def test_partitions_are_one_copy(place: Place) -> None:
    place.sql(CREATE.format("PRIMARY KEY"))
    engine = Engine(place, "t", partitions={"values": ["a", "b"]})
    stores = Stores(a=[_record(1), _record(2)], b=[_record(3)])
    engine.run(stores)
    place.sql("UPDATE t SET name = 'mine' WHERE id = 3")
    found = _verify(engine, stores())
    assert (found.rows, found.different, found.extra, found.accuracy) == (3, 1, 0, "91.6666")


def test_nothing_to_compare(place: Place) -> None:
    engine = _engine(place)
    assert (_verify(engine, []).accuracy, _verify(engine, []).cells) == (None, 0)


def test_a_source_that_breaks_off_gives_no_number(place: Place) -> None:
    engine = _engine(place, _record(1))
    with pytest.raises(RetryableError, match="broke off"):
        _verify(engine, Upstream([_record(1)], breaks_after=1))


def test_a_table_that_is_not_there(place: Place) -> None:
    engine = Engine(place, "t")
    engine.spec["destination"]["sql"]["createTable"] = True
    with pytest.raises(PermanentError, match="run it first"):
        _verify(engine, [])
