"""Partitions from a column of a table that another SyncSource, or a person, fills."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.engine.plan import Next, Partitions
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.test_partitions import CREATE, Stores, record


def engine(place: Place, **source: Any) -> Engine:
    place.sql(CREATE)
    return Engine(place, "t", partitions={"from": {"table": "stores", "column": "id", **source}})


def asked(place: Place, *partitions: str, **source: Any) -> list[str]:
    stores = Stores(**{partition: [] for partition in partitions})
    outcome = engine(place, **source).run(stores)
    assert outcome.result == "Succeeded", outcome
    return [part.partition for part in stores.asked]


def test_distinct_values_in_their_order_without_null(place: Place) -> None:
    place.sql("CREATE TABLE stores (id integer, open integer)")
    place.sql("INSERT INTO stores VALUES (10, 1), (9, 1), (NULL, 1), (10, 1), (2, 0)")
    assert asked(place, "9", "10", where="open = 1 -- 100% of them") == ["9", "10"]


def test_texts_and_quoted_names(place: Place) -> None:
    place.sql('CREATE TABLE stores ("Store Id" varchar(20))')
    place.sql("INSERT INTO stores VALUES ('ä b'), ('A')")
    assert asked(place, "A", "ä b", column="Store Id") == ["A", "ä b"]


def test_a_table_that_another_syncsource_has_yet_to_create(place: Place) -> None:
    here = engine(place)
    outcome = here.run(Stores())
    assert (outcome.result, outcome.reason, outcome.next) == ("Failed", "PartitionsMissing", Next.RETRY)
    assert "the database has no table 'stores', which spec.partitions.from names" in outcome.message
    place.sql("CREATE TABLE stores (id integer)")
    empty = here.run(Stores())
    assert (empty.reason, empty.next) == ("PartitionsMissing", Next.RETRY)
    assert empty.message == "stores has 0 values in id, fewer than spec.partitions.from.minimum (1)"
    place.sql("INSERT INTO stores VALUES (7)")
    assert here.run(Stores(**{"7": [record(1)]})).message == "1/1 partitions, 1 new, 0 unchanged, 0 errors"


def test_none_is_enough_where_the_spec_says_so(place: Place) -> None:
    place.sql("CREATE TABLE stores (id integer)")
    outcome = engine(place, minimum=0).run(Stores())
    assert (outcome.result, outcome.message) == ("Succeeded", "0/0 partitions, 0 new, 0 unchanged, 0 errors")
    assert outcome.partitions == Partitions(total=0)


def test_a_column_that_is_not_there(place: Place) -> None:
    place.sql("CREATE TABLE stores (code integer)")
    outcome = engine(place).run(Stores())
    assert (outcome.reason, outcome.next) == ("SchemaMismatch", Next.SCHEDULE)
    assert outcome.message == "the table 'stores' has no column 'id', which spec.partitions.from names: it has code"


@pytest.mark.parametrize("value", ["''", f"'{'x' * 201}'"])
def test_values_that_can_t_name_a_partition(place: Place, value: str) -> None:
    place.sql("CREATE TABLE stores (id varchar(300))")
    place.sql(f"INSERT INTO stores VALUES ({value})")
    outcome = engine(place).run(Stores())
    assert (outcome.reason, outcome.next) == ("PartitionsInvalid", Next.SCHEDULE)
    assert "stores.id has a value that can't name a partition" in outcome.message


@pytest.mark.parametrize("where", ["nonsense (", "1 = 1) ; DROP TABLE stores ; --", "id = 1; DELETE FROM stores"])
def test_a_condition_is_one_condition(place: Place, where: str) -> None:
    place.sql("CREATE TABLE stores (id integer)")
    place.sql("INSERT INTO stores VALUES (1)")
    outcome = engine(place, where=where).run(Stores())
    assert outcome.result == "Failed"
    assert outcome.message.startswith("spec.partitions.from: ")
    assert place.sql("SELECT id FROM stores") == [(1,)]


def test_a_condition_can_t_write(postgresql: Place) -> None:
    postgresql.sql("CREATE TABLE stores (id integer)")
    postgresql.sql("INSERT INTO stores VALUES (1)")
    postgresql.sql("CREATE FUNCTION gone() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN DELETE FROM stores; RETURN true; END $$")
    outcome = engine(postgresql, where="gone()").run(Stores())
    assert outcome.result == "Failed"
    assert "read-only transaction" in outcome.message
    assert postgresql.sql("SELECT id FROM stores") == [(1,)]


def test_a_condition_can_t_write_to_mysql(mariadb: Place) -> None:
    mariadb.sql("CREATE TABLE stores (id integer)")
    mariadb.sql("CREATE TABLE seen (id integer)")
    mariadb.sql("INSERT INTO stores VALUES (1)")
    mariadb.sql("CREATE FUNCTION noted() RETURNS boolean MODIFIES SQL DATA BEGIN INSERT INTO seen VALUES (1); RETURN true; END")
    outcome = engine(mariadb, where="noted()").run(Stores())
    assert (outcome.result, mariadb.sql("SELECT id FROM seen")) == ("Failed", [])
    assert "READ ONLY" in outcome.message
