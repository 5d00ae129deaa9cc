"""What is peculiar to MySQL and MariaDB: columns that would cut or round, engines without transactions, packets, locks of a session."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest
from sqlalchemy import event

from syncsource import ledger
from syncsource.destinations import Writer, open_database
from syncsource.errors import AbortedError, RetryableError, SchemaMismatch, StalledError

ODD = [
    # declared, field's type, value, what is read back (None: rejected)
    ("tinyint", "integer", 127, 127),
    ("tinyint", "integer", 128, None),
    ("tinyint unsigned", "integer", 255, 255),
    ("tinyint unsigned", "integer", -1, None),
    ("bigint unsigned", "integer", 2**64 - 1, 2**64 - 1),
    ("int", "decimal(10,2)", Decimal("5.00"), 5),
    ("int", "decimal(10,2)", Decimal("5.01"), None),
    ("decimal(5,2)", "decimal(10,4)", Decimal("1.2300"), Decimal("1.23")),
    ("decimal(5,2)", "decimal(10,4)", Decimal("1.0050"), None),
    ("decimal(5,2) unsigned", "decimal(5,2)", Decimal("-1.00"), None),
    ("decimal(38,0)", "integer", 10**37, Decimal(10**37)),
    ("float", "float", 0.1, 0.1),
    ("float", "float", 1e300, None),
    ("float", "integer", 16777217, None),
    ("double", "float", 1.7976931348623157e308, 1.7976931348623157e308),
    ("double", "decimal(18,2)", Decimal("1234567890123456.78"), None),
    ("varchar(3)", "text", "abc", "abc"),
    ("varchar(3)", "text", "ab ", "ab "),
    ("varchar(3)", "text", "abcd", None),
    ("char(3)", "text", "ab", "ab"),
    ("char(3)", "text", "ab ", None),
    ("varchar(9) CHARACTER SET latin1", "text", "é", "é"),
    ("varchar(9) CHARACTER SET latin1", "text", "😀", None),
    ("varchar(9) CHARACTER SET utf8mb3", "text", "😀", None),
    ("tinytext", "text", "é" * 127, "é" * 127),
    ("tinytext", "text", "é" * 128, None),
    ("text", "timestamp", datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000000Z"),
    ("text", "boolean", True, "true"),
    ("enum('happy','sad')", "text", "happy", "happy"),
    ("enum('happy','sad')", "text", "Happy", None),
    ("datetime(6)", "timestamp", datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(1, 1, 1, 0, 0, 0, 1)),  # noqa: DTZ001
    ("datetime", "timestamp", datetime(2026, 1, 1, 0, 0, 0, 600_000, tzinfo=UTC), None),
    ("datetime(3)", "timestamp", datetime(2026, 1, 1, 0, 0, 0, 600_000, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 600_000)),  # noqa: DTZ001
    ("timestamp(6) NULL", "timestamp", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30)),  # noqa: DTZ001
    ("timestamp NULL", "timestamp", datetime(2039, 1, 1, tzinfo=UTC), None),
    ("time", "time", "12:00:00.5", None),
    ("binary(3)", "bytes", b"abc", b"abc"),
    ("binary(3)", "bytes", b"ab", None),
    ("varbinary(3)", "bytes", b"\x00'\\", b"\x00'\\"),
    ("longtext", "json", '{"a":1.10,"b":"\\\\"}', '{"a":1.10,"b":"\\\\"}'),
    ("inet6", "text", "ten", None),
]


@pytest.mark.parametrize(("declared", "kind", "value", "read"), ODD)
def test_odd_columns(mariadb: Any, declared: str, kind: str, value: Any, read: Any) -> None:
    """What would be cut, rounded or replaced is told instead; and the same value again changes nothing."""
    mariadb.sql(f"CREATE TABLE t (id integer PRIMARY KEY, v {declared})")
    table = mariadb.table("t", create=False, id="integer", v=kind)
    result = mariadb.write(table, [(1, value), (2, None)])
    assert [one.field for one in [*result.staged, *result.rejected]] == ([] if read is not None else ["v"])
    if read is not None:
        [(found,)] = mariadb.sql("SELECT v FROM t WHERE id = 1")
        assert pytest.approx(found, rel=1e-6) == read if declared == "float" else found == read
        assert mariadb.write(table, [(1, value), (2, None)]).counts == (0, 0, 2, 0, 0)


@pytest.mark.parametrize(("declared", "kind"), [("float(7,2)", "float"), ("geometry", "text"), ("bit(8)", "integer"), ("set('a')", "text")])
def test_columns_that_no_field_fits(mariadb: Any, declared: str, kind: str) -> None:
    mariadb.sql(f"CREATE TABLE t (id integer PRIMARY KEY, v {declared})")
    with pytest.raises(SchemaMismatch, match="column 'v' of 't' is"):
        mariadb.table("t", create=False, id="integer", v=kind)


@pytest.mark.parametrize("engine", ["MyISAM", "Aria", "MEMORY"])
def test_a_table_without_transactions_is_refused(mariadb: Any, engine: str) -> None:
    mariadb.sql(f"CREATE TABLE t (id integer PRIMARY KEY) ENGINE={engine}")
    with pytest.raises(SchemaMismatch, match=f'of {engine}, which has no transactions: ALTER TABLE "t" ENGINE=InnoDB'):
        mariadb.table("t", create=False, id="integer")


def test_views_and_generated_columns_are_refused(mariadb: Any) -> None:
    mariadb.sql("CREATE TABLE t (id integer PRIMARY KEY, twice integer AS (id * 2) STORED)")
    mariadb.sql("CREATE VIEW seen AS SELECT id FROM t")
    with pytest.raises(SchemaMismatch, match="is a view"):
        mariadb.table("seen", create=False, id="integer")
    with pytest.raises(SchemaMismatch, match="generates the column 'twice'"):
        mariadb.table("t", create=False, id="integer", twice="integer")
    assert mariadb.write(mariadb.table("t", create=False, id="integer"), [(4,)]).counts == (1, 0, 0, 0, 0)
    assert mariadb.sql("SELECT twice FROM t") == [(8,)]


def test_zero_is_a_value_of_an_identity_column(mariadb: Any) -> None:
    mariadb.sql("CREATE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT, code varchar(9) UNIQUE)")
    table = mariadb.table("t", ["id"], create=False, id="integer", code="text")
    assert mariadb.write(table, [(0, "zero"), (7, "seven")]).counts == (2, 0, 0, 0, 0)
    by_code = mariadb.table("t", ["code"], create=False, code="text")
    assert mariadb.write(by_code, [("zero",), ("new",)]).counts == (1, 0, 1, 0, 0)
    assert mariadb.sql("SELECT id, code FROM t ORDER BY id") == [(0, "zero"), (7, "seven"), (8, "new")]


def test_another_unique_index_is_never_taken_for_the_key(mariadb: Any) -> None:
    """ON DUPLICATE KEY would update whichever row any index finds."""
    mariadb.sql("CREATE TABLE t (id integer PRIMARY KEY, mail varchar(99) UNIQUE, notes text)")
    mariadb.sql("INSERT INTO t VALUES (1, 'a@x', 'people')")
    result = mariadb.write(mariadb.table("t", create=False, id="integer", mail="text"), [(2, "a@x"), (3, "b@x")])
    assert (result.counts, result.rejected[0].reason) == ((1, 0, 0, 0, 1), "ConstraintViolation")
    assert mariadb.sql("SELECT id, mail, notes FROM t ORDER BY id") == [(1, "a@x", "people"), (3, "b@x", None)]


def test_a_row_larger_than_a_packet_is_told_and_the_rest_is_written(mariadb_uri: str, mariadb: Any) -> None:
    table = mariadb.table("t", id="integer", name="text")
    with mariadb.plain.connect() as connection:
        (most,) = connection.exec_driver_sql("SELECT @@max_allowed_packet").one()
    result = mariadb.write(table, [(1, "x"), (2, "é" * (most // 2)), (3, "y" * (most // 2)), (4, "z")])
    assert (result.counts, [one.reason for one in result.staged]) == ((3, 0, 0, 0, 0), ["InvalidValue"])
    assert "max_allowed_packet" in result.staged[0].message
    assert mariadb.sql("SELECT id, char_length(name) FROM t ORDER BY id") == [(1, 1), (3, most // 2), (4, 1)]


def test_rows_that_people_hold_are_waited_for_and_nobody_else_s_are_locked(mariadb: Any) -> None:
    table = mariadb.table("t", id="integer", name="text")
    mariadb.write(table, [(number, "old") for number in range(100)])
    with Writer(mariadb.database, table) as writer:
        writer.stage([(5, "new")])
        with writer.transaction():
            assert writer.apply().updated == 1
            mariadb.sql("UPDATE t SET name = 'people' WHERE id > 5")
    assert mariadb.sql("SELECT count(*) FROM t WHERE name = 'people'") == [(94,)]


def test_a_key_without_an_index_is_held_by_one_run_at_a_time(mariadb: Any) -> None:
    mariadb.sql("CREATE TABLE t (code varchar(9), name text)")
    table = mariadb.table("t", ["code"], create=False, code="text", name="text")
    with Writer(mariadb.database, table) as first, Writer(mariadb.database, table) as second:
        for writer in (first, second):
            writer.stage([("a", "x")])
        done = threading.Event()

        def wait() -> None:
            with second.transaction():
                assert second.apply().unchanged == 1
            done.set()

        with first.transaction():
            assert first.apply().inserted == 1
            waiting = threading.Thread(target=wait)
            waiting.start()
            assert not done.wait(0.3)
        first.close()
        waiting.join(20)
    assert mariadb.sql("SELECT count(*) FROM t") == [(1,)]


def test_cancel_ends_a_statement_that_waits(mariadb: Any) -> None:
    table = mariadb.table("t", id="integer", name="text")
    mariadb.write(table, [(1, "old")])
    with mariadb.plain.connect() as somebody, Writer(mariadb.database, table) as writer:
        somebody.exec_driver_sql("BEGIN")
        somebody.exec_driver_sql("UPDATE t SET name = 'held'")
        writer.stage([(1, "new")])
        threading.Timer(0.3, writer.cancel).start()
        with pytest.raises(AbortedError) as caught, writer.transaction():
            writer.apply()
        assert caught.value.reason == "Cancelled"


def test_what_a_url_may_not_set_is_refused_and_a_server_that_is_away_is_retried(mariadb: Any) -> None:
    with pytest.raises(StalledError, match=r"spec\.destination\.sql\.urlFrom: the URL sets 'local_infile'"):
        open_database(f"{mariadb.url}&local_infile=1")
    with open_database("mysql://u:secret@127.0.0.1:1/x") as away, pytest.raises(RetryableError) as caught, away.engine.connect():
        pass
    assert (caught.value.reason, "secret" in caught.value.message) == ("DatabaseUnavailable", False)


def test_a_connection_that_is_lost_when_it_is_given_back_ends_nothing(mariadb: Any) -> None:
    engine = mariadb.database.engine
    ledger.prepare(engine)
    event.listen(engine, "reset", lambda driver, *_: mariadb.sql(f"KILL {driver.thread_id()}"), once=True)
    assert ledger.history(engine, "nobody's") == []
    assert ledger.history(engine, "nobody's") == []


def test_what_a_url_may_set(mariadb: Any) -> None:
    with open_database(f"{mariadb.url}&connect_timeout=3&charset=latin1") as database:
        table = mariadb.table("t", id="integer", name="text")
        with Writer(database, table) as writer:
            assert writer.stage([(1, "😀")]) == []
            with writer.transaction():
                writer.apply()
    assert mariadb.sql("SELECT name FROM t") == [("😀",)]


def test_the_server_s_own_settings_change_nothing(mariadb: Any, mariadb_uri: str) -> None:
    """Lenient, in another zone, with another reading of quotes: each session of ours says what it needs."""
    admin = pymysql.connect(unix_socket=mariadb_uri.partition("unix_socket=")[2], user="root", ssl_disabled=True)
    with admin, admin.cursor() as cursor:
        cursor.execute("SELECT @@global.sql_mode, @@global.time_zone, @@global.autocommit")
        before = cursor.fetchall()[0]
        cursor.execute("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES', GLOBAL time_zone = '+07:00', GLOBAL autocommit = 0")
        try:
            with (
                open_database(mariadb.url) as database,
                Writer(database, mariadb.table("t", id="integer", at="timestamp", name="text")) as writer,
            ):
                moment = datetime(2026, 1, 1, tzinfo=UTC)
                assert writer.stage([(1, moment, "it's \\ here"), (2**40, moment, "x")]) == []
                with writer.transaction():
                    assert writer.apply().inserted == 2
        finally:
            cursor.execute(f"SET GLOBAL sql_mode = '{before[0]}', GLOBAL time_zone = '{before[1]}', GLOBAL autocommit = {before[2]}")
    assert mariadb.sql("SELECT at, name FROM t WHERE id = 1") == [(datetime(2026, 1, 1), "it's \\ here")]  # noqa: DTZ001


def test_a_key_that_is_set_on_update_stays(mariadb: Any) -> None:
    """Or its row would be written anew by the next run."""
    mariadb.sql("CREATE TABLE t (at timestamp(6) NOT NULL DEFAULT now(6) ON UPDATE now(6), n integer, PRIMARY KEY (at))")
    table = mariadb.table("t", ["at"], create=False, at="timestamp", n="integer")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    mariadb.write(table, [(moment, 1)])
    assert mariadb.write(table, [(moment, 2)]).counts == (0, 1, 0, 0, 0)
    assert mariadb.write(table, [(moment, 2)]).counts == (0, 0, 1, 0, 0)
    assert mariadb.sql("SELECT at, n FROM t") == [(datetime(2026, 1, 1), 2)]  # noqa: DTZ001


def test_what_a_database_of_another_character_set_refuses_is_told(mariadb: Any) -> None:
    mariadb.sql("ALTER DATABASE CHARACTER SET latin1")
    mariadb.sql("CREATE TABLE t (id integer PRIMARY KEY, name varchar(99) UNIQUE) CHARACTER SET utf8mb4")
    table = mariadb.table("t", create=False, id="integer", name="text")
    result = mariadb.write(table, [(1, "Łódź"), (2, "Łódź 😀"), (3, "Łódź")])
    assert (result.counts, [one.reason for one in result.rejected]) == ((2, 0, 0, 0, 1), ["ConstraintViolation"])
    assert "Łódź" in result.rejected[0].message


def test_defaults_that_are_no_dates_are_somebody_else_s_business(mariadb: Any) -> None:
    with mariadb.plain.connect() as old:
        old.exec_driver_sql("SET sql_mode = ''")
        old.exec_driver_sql("CREATE TABLE t (id integer PRIMARY KEY, at datetime(6) NOT NULL DEFAULT '0000-00-00 00:00:00')")
    table = mariadb.table("t", create=False, id="integer", at="timestamp")
    assert mariadb.write(table, [(1, datetime(2026, 1, 1, tzinfo=UTC))]).counts == (1, 0, 0, 0, 0)


def test_a_trigger_s_own_error_refuses_its_row_alone(mariadb: Any) -> None:
    mariadb.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer)")
    mariadb.sql(
        "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW IF NEW.n < 0 THEN "
        "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'not below zero'; END IF"
    )
    result = mariadb.write(mariadb.table("t", create=False, id="integer", n="integer"), [(1, 1), (2, -1), (3, 3)])
    assert (result.counts, [(one.reason, one.message) for one in result.rejected]) == (
        (2, 0, 0, 0, 1),
        [("ConstraintViolation", "not below zero")],
    )


def test_a_space_at_the_end_makes_another_partition(mariadb: Any) -> None:
    ledger.prepare(mariadb.database.engine)
    with mariadb.database.engine.begin() as connection:
        for partition in ("a", "a ", "A"):
            ledger.save_cursor(connection, "me", f"of {partition!r}", "h", partition)
        kept = [ledger.cursor(connection, "me", partition) for partition in ("a", "a ", "A")]
    assert [one.text for one in kept if one] == ["of 'a'", "of 'a '", "of 'A'"]
