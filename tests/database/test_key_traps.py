"""Keys, where what the database itself offers for inserting or updating does harm: NULLs, other unique indexes, REPLACE, transactions that write late."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from syncsource.destinations import Writer
from syncsource.ledger.connecting import writing
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

NUMBERED = {"postgresql": "bigserial", "mariadb": "bigint AUTO_INCREMENT", "sqlite": "integer"}


def test_null_in_a_part_of_a_key(place: Place) -> None:
    """Unique indexes take any number of such rows, and NOT IN finds nothing at all beside one."""
    place.sql("CREATE TABLE t (store varchar(9), no integer, name varchar(9), UNIQUE (store, no))")
    place.sql("INSERT INTO t VALUES (NULL, 1, 'people')")
    table = place.table("t", ["store", "no"], create=False, store="text", no="integer", name="text")
    for inserted in (1, 0):
        result = place.write(table, [(None, 1, "x"), ("a", 1, "y")])
        assert result.counts == (inserted, 0, 1 - inserted, 0, 0)
        assert [(one.reason, one.field) for one in result.staged] == [("MissingKey", "store")]
    assert place.sql("SELECT store, no, name FROM t ORDER BY name") == [(None, 1, "people"), ("a", 1, "y")]


def test_several_unique_indexes(place: Place) -> None:
    """The key alone finds the row: a record that another index calls another row's changes neither."""
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, code varchar(9) UNIQUE, mail varchar(9) UNIQUE, notes varchar(9))")
    place.sql("INSERT INTO t VALUES (1, 'a', 'a@x', 'theirs'), (2, 'b', 'b@x', 'theirs')")
    table = place.table("t", ["code"], create=False, id="integer", code="text", mail="text")
    result = place.write(table, [(1, "a", "b@x"), (9, "y", "a@x"), (2, "z", "z@x"), (3, "c", "c@x")])
    assert result.counts == (1, 0, 0, 0, 3)
    assert {one.reason for one in result.rejected} == {"ConstraintViolation"}
    assert place.sql("SELECT * FROM t ORDER BY id") == [(1, "a", "a@x", "theirs"), (2, "b", "b@x", "theirs"), (3, "c", "c@x", None)]


def test_a_row_that_changes_is_never_gone(place: Place) -> None:
    """REPLACE deletes it first: foreign keys take other rows along, and the new one has another number."""
    place.sql(f"CREATE TABLE t (id {NUMBERED[place.kind]} PRIMARY KEY, code varchar(9) UNIQUE, name varchar(9), notes varchar(9))")
    place.sql("INSERT INTO t (code, name, notes) VALUES ('z', 'old', 'theirs'), ('a', 'old', 'theirs')")
    place.sql("CREATE TABLE child (of bigint, FOREIGN KEY (of) REFERENCES t (id) ON DELETE CASCADE)")
    place.sql("INSERT INTO child SELECT id FROM t")
    before = place.sql("SELECT id, code, notes FROM t ORDER BY id")
    table = place.table("t", ["code"], create=False, code="text", name="text")
    assert place.write(table, [("a", "new"), ("z", "new")]).counts == (0, 2, 0, 0, 0)
    assert place.sql("SELECT id, code, notes FROM t ORDER BY id") == before
    assert place.sql("SELECT of FROM child ORDER BY of") == [(id_,) for id_, *_ in before]


EQUAL = [("mariadb", "varchar(3) COLLATE utf8mb4_general_ci", "e", "é"), ("mariadb", "varchar(3) COLLATE utf8mb4_bin", "a", "a ")]


@pytest.mark.parametrize(("kind", "declared", "key", "other"), [*EQUAL, ("sqlite", "varchar(3) COLLATE RTRIM", "a", "a ")])
def test_keys_that_are_equal_by_accents_or_spaces(kind: str, declared: str, key: str, other: str, request: pytest.FixtureRequest) -> None:
    """Of two such keys in one batch the first is a row, and the other is told, in each run anew."""
    place: Place = request.getfixturevalue(kind)
    place.sql(f"CREATE TABLE t (id {declared} PRIMARY KEY, n integer)")
    table = place.table("t", create=False, id="text", n="integer")
    for inserted in (1, 0):
        result = place.write(table, [(key, 1), (other, 2)])
        assert result.counts == (inserted, 0, 1 - inserted, 0, 1)
        assert result.rejected[0].reason == "KeyCollision"
    assert place.sql("SELECT id, n FROM t") == [(key, 1)]


def test_spaces_that_fill_a_char_of_postgresql_are_no_part_of_a_key(postgresql: Place) -> None:
    """The type drops them: the same key twice, of which the newest wins, and the other is counted."""
    postgresql.sql("CREATE TABLE t (id char(3) PRIMARY KEY, n integer)")
    table = postgresql.table("t", create=False, id="text", n="integer")
    assert postgresql.write(table, [("a", 1), ("a ", 2)]).counts == (1, 0, 0, 1, 0)
    assert postgresql.write(table, [("a", 1), ("a ", 2)]).counts == (0, 0, 1, 1, 0)
    assert postgresql.sql("SELECT id, n FROM t") == [("a  ", 2)]


def test_a_transaction_that_will_write_keeps_other_writers_out_from_its_start(sqlite: Place) -> None:
    """One that reads first is refused when it writes, however long it would have waited. Readers are never kept out."""
    table = sqlite.table("t", id="integer", name="text")
    sqlite.write(table, [(1, "old")])
    with Writer(sqlite.database, table) as writer:
        writer.stage([(1, "new")])
        with writer.transaction():
            _refused(sqlite)
            assert sqlite.sql("SELECT name FROM t") == [("old",)]
            assert writer.apply().updated == 1
    with writing(sqlite.database.engine).begin():
        _refused(sqlite)


def _refused(place: Place) -> None:
    """Somebody who wants to write, and does not wait, may not."""
    file = place.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=0)) as somebody, pytest.raises(sqlite3.OperationalError, match="database is locked"):
        somebody.execute("UPDATE t SET name = 'theirs'")


def test_a_unique_index_beside_several_keys(place: Place) -> None:
    """A record that no key finds, and whose phone another row has, is told and changes nothing; NULLs are no such phone."""
    place.sql(
        f"CREATE TABLE t (id {NUMBERED[place.kind]} PRIMARY KEY, booking varchar(9) UNIQUE, phone varchar(9) UNIQUE, "
        "person varchar(9), notes varchar(9))"
    )
    place.sql("INSERT INTO t (booking, phone, person, notes) VALUES ('B1', '1', 'Ana', 'theirs'), (NULL, NULL, NULL, 'theirs')")
    fields = [{"name": name, "type": "text"} for name in ("booking", "phone", "person")]
    keys = [{"fields": ["booking"]}, {"fields": ["phone", "person"]}]
    engine = Engine(place, "t", fields=fields, keys=keys, incremental=None)
    records = [("B1", "1", "Ana"), ("B2", "1", "Bo"), (None, "1", "Cy"), ("B4", None, "Di"), (None, None, "Ed")]
    upstream = Upstream([{"booking": booking, "phone": phone, "person": person, "changed": None} for booking, phone, person in records])
    for inserted in (1, 0):
        counts = engine.run(upstream).counts
        assert (counts.inserted, counts.updated, counts.unchanged, counts.quarantined) == (inserted, 0, 2 - inserted, 3)
    assert sorted(place.sql("SELECT reason FROM syncsource_quarantine")) == [("ConstraintViolation",)] * 2 + [("MissingKey",)]
    there = place.sql("SELECT booking, phone, person, notes FROM t ORDER BY id")
    assert there == [("B1", "1", "Ana", "theirs"), (None, None, None, "theirs"), ("B4", None, "Di", None)]
