"""Rows that the table does not take: found by halves, rejected with the constraint's name, the rest written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest


def test_a_check_names_the_guilty_rows(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer, CONSTRAINT n_is_positive CHECK (n > 0))")
    table = place.table("t", create=False, id="integer", n="integer")
    bad = {0, 17, 18, 999}
    result = place.write(table, [(number, -1 if number in bad else 1) for number in range(1000)])
    assert result.counts == (996, 0, 0, 0, 4)
    assert [one.record for one in result.rejected] == [f'{{"id":{number},"n":-1}}' for number in sorted(bad)]
    assert {one.reason for one in result.rejected} == {"ConstraintViolation"}
    assert all("n_is_positive" in one.message for one in result.rejected)
    assert place.sql("SELECT count(*) FROM t") == [(996,)]


def test_updates_are_bisected_too(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer, CONSTRAINT n_is_positive CHECK (n > 0))")
    table = place.table("t", create=False, id="integer", n="integer")
    place.write(table, [(number, 1) for number in range(100)])
    result = place.write(table, [(number, -1 if number == 50 else 2) for number in range(100)] + [(100, 5)])
    assert result.counts == (1, 99, 0, 0, 1)
    assert place.sql("SELECT n FROM t WHERE id = 50") == [(1,)]


def test_another_unique_index_rejects_and_never_replaces(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, code text UNIQUE, notes text)")
    place.sql("INSERT INTO t VALUES (1, 'a', 'people')")
    table = place.table("t", create=False, id="integer", code="text")
    result = place.write(table, [(2, "a"), (3, "b")])
    assert result.counts == (1, 0, 0, 0, 1)
    assert "code" in result.rejected[0].message
    assert place.sql("SELECT id, code, notes FROM t ORDER BY id") == [(1, "a", "people"), (3, "b", None)]


def test_a_primary_key_that_is_not_the_key(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, code text UNIQUE, name text)")
    place.sql("INSERT INTO t VALUES (1, 'a', 'x')")
    table = place.table("t", ["code"], create=False, id="integer", code="text", name="text")
    result = place.write(table, [(1, "b", "taken id"), (2, "a", "new id"), (3, "c", "y")])
    assert result.counts == (2, 1, 0, 0, 0)
    assert place.sql("SELECT id, code, name FROM t ORDER BY id") == [(1, "b", "taken id"), (2, "a", "new id"), (3, "c", "y")]


def test_a_value_that_comes_free_in_the_same_run(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, place integer UNIQUE)")
    table = place.table("t", create=False, id="integer", place="integer")
    place.write(table, [(number, number) for number in range(10)])
    result = place.write(table, [(number, number + 1) for number in range(10)])
    assert result.counts == (0, 10, 0, 0, 0)
    assert place.sql("SELECT id, place FROM t ORDER BY id") == [(number, number + 1) for number in range(10)]


def test_two_rows_that_swap_a_unique_value_are_reported(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, place integer UNIQUE)")
    table = place.table("t", create=False, id="integer", place="integer")
    place.write(table, [(1, 1), (2, 2)])
    assert place.write(table, [(1, 2), (2, 1)]).counts == (0, 0, 0, 0, 2)
    assert place.sql("SELECT id, place FROM t ORDER BY id") == [(1, 1), (2, 2)]


def test_foreign_keys(place: Any) -> None:
    place.sql("CREATE TABLE parents (id integer PRIMARY KEY)")
    place.sql("INSERT INTO parents VALUES (1)")
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES parents (id))")
    table = place.table("t", create=False, id="integer", parent="integer")
    result = place.write(table, [(1, 1), (2, 2), (3, None)])
    assert result.counts == (2, 0, 0, 0, 1)
    assert result.rejected[0].reason == "ConstraintViolation"


def test_a_child_before_its_parent_in_one_table(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES t (id), n integer CHECK (n > 0))")
    table = place.table("t", create=False, id="integer", parent="integer", n="integer")
    rows = [(1, 2, 1), (2, 3, 1), (3, None, 1), (4, None, -1), (5, 99, 1)]
    result = place.write(table, rows)
    assert result.counts == (3, 0, 0, 0, 2)
    assert [one.record for one in result.rejected] == ['{"id":4,"n":-1,"parent":null}', '{"id":5,"n":1,"parent":99}']


def test_a_deferred_constraint_still_names_its_row(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE parents (id integer PRIMARY KEY)")
    postgresql.sql("CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
    table = postgresql.table("t", create=False, id="integer", parent="integer")
    assert postgresql.write(table, [(1, 5), (2, None)]).counts == (1, 0, 0, 0, 1)


def test_a_deferred_constraint_of_sqlite_fails_the_commit_with_a_reason(sqlite: Any) -> None:
    from syncsource.errors import PermanentError

    sqlite.sql("CREATE TABLE parents (id integer PRIMARY KEY)")
    sqlite.sql("CREATE TABLE t (id integer PRIMARY KEY, parent integer REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
    table = sqlite.table("t", create=False, id="integer", parent="integer")
    with pytest.raises(PermanentError, match="FOREIGN KEY") as caught:
        sqlite.write(table, [(1, 5), (2, None)])
    assert caught.value.reason == "ConstraintViolation"
    assert sqlite.sql("SELECT count(*) FROM t") == [(0,)]


def test_not_null_is_found_before_the_database_says_so(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL)")
    table = place.table("t", create=False, id="integer", name="text")
    result = place.write(table, [(1, "a"), (2, None)])
    assert result.counts == (1, 0, 0, 0, 0)
    assert [(one.reason, one.field, one.record) for one in result.staged] == [("MissingValue", "name", '{"id":2,"name":null}')]


def test_triggers_that_refuse_or_drop_rows(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer PRIMARY KEY, name text)")
    postgresql.sql(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.name = 'refused' THEN RAISE EXCEPTION 'not this one'; END IF; "
        "IF NEW.name = 'dropped' THEN RETURN NULL; END IF; RETURN NEW; END $$"
    )
    postgresql.sql("CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION guard()")
    table = postgresql.table("t", create=False, id="integer", name="text")
    result = postgresql.write(table, [(1, "a"), (2, "refused"), (3, "dropped"), (4, "b")])
    assert result.counts == (2, 0, 0, 0, 2)
    assert "not this one" in result.rejected[0].message
    assert "trigger" in result.rejected[1].message


def test_a_key_too_long_for_its_index(postgresql: Any) -> None:
    table = postgresql.table("t", id="text")
    import random

    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    result = postgresql.write(table, [("a",), (long,), ("b",)])
    assert result.counts == (2, 0, 0, 0, 1)


def test_a_thousand_bad_rows_are_all_told(place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n > 0))")
    table = place.table("t", create=False, id="integer", n="integer")
    result = place.write(table, [(number, -1 if number % 2 else 1) for number in range(3000)])
    assert result.counts == (1500, 0, 0, 0, 1500)
    assert len({one.record for one in result.rejected}) == 1500


def test_a_refused_row_is_told_as_it_was_sent(place: Any) -> None:
    types = {
        "id": "integer",
        "total": "decimal(18,2)",
        "paid": "boolean",
        "at": "timestamp",
        "on_day": "date",
        "extra": "json",
        "u": "uuid",
    }
    table = place.table("t", **types)
    place.sql("CREATE UNIQUE INDEX one_per_day ON t (on_day)")
    row = (Decimal("1234567890123456.10"), True, datetime(2026, 1, 31, 12, tzinfo=UTC), date(2026, 1, 31), '{"a":1.10,"b":[null]}')
    uuid = "0b0a0b0c-0000-4000-8000-000000000000"
    result = place.write(table, [(1, *row, uuid), (2, *row, uuid)])
    assert result.counts == (1, 0, 0, 0, 1)
    assert "one_per_day" in result.rejected[0].message or "on_day" in result.rejected[0].message
    assert result.rejected[0].record == (
        '{"at":"2026-01-31T12:00:00.000000Z","extra":{"a":1.10,"b":[null]},"id":2,"on_day":"2026-01-31","paid":true,'
        '"total":1234567890123456.10,"u":"0b0a0b0c-0000-4000-8000-000000000000"}'
    )


@pytest.mark.parametrize("step", [1, -1])
def test_long_chains_of_values_that_come_free(place: Any, step: int) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, place integer UNIQUE)")
    table = place.table("t", create=False, id="integer", place="integer")
    place.write(table, [(number, number) for number in range(300)])
    assert place.write(table, [(number, number + step) for number in range(300)]).counts == (0, 300, 0, 0, 0)
