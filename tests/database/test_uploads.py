"""LOAD DATA LOCAL and multi-row inserts: the same table, the same rows refused, and no file of this machine for any server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest

from syncsource.destinations import Writer, open_database
from syncsource.errors import AbortedError, RetryableError

COLUMNS = {
    "name": "text",
    "short": "text",
    "old": "text",
    "n": "integer",
    "big": "integer",
    "d": "decimal(12,3)",
    "f": "float",
    "g": "float",
    "b": "boolean",
    "day": "date",
    "at": "timestamp",
    "clock": "time",
    "j": "json",
    "mood": "text",
    "ip": "text",
}
DECLARED = (
    "id bigint PRIMARY KEY, name longtext, short varchar(40), old varchar(40) CHARACTER SET latin1, n integer, big bigint unsigned, d decimal(12,3), "
    "f double, g float, b boolean, day date, at datetime(6), clock time(3), j json, mood enum('it''s','1','2','NULL'), ip inet6"
)
TEXTS = ["", "\\N", "NULL", "\\", "\\\\", "a\tb", "a\nb", "a\r\nb", "\r", "\n", "\t", "\\t", "\\0", "\x00", "a\x00b", "\x1a", "'", '"', "N"]
MORE = ["ünï🙂", "é", "x" * 10_000, "\x01", "\u2028", "\ufeff", " a ", "\\.", None]
FULL = ("", "é", 2**31 - 1, 2**64 - 1, Decimal("-123456789.001"), -1e-300, 0.1, True, date(1, 1, 1), datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
ENDS = ("23:59:59.999", '{"a":"\\t\\\\ \\u0000","b":1.10}', "it's", "::1")
GOOD = [
    *[(text, *FULL, *ENDS) for text in TEXTS + MORE if text is None or "\0" not in text],
    *[(None, *(value if field == number else None for field, value in enumerate((*FULL, *ENDS)))) for number in range(14)],
    (
        "x",
        "\\N",
        "",
        0,
        0,
        Decimal("0.000"),
        1.7976931348623157e308,
        3e38,
        False,
        date(9999, 12, 31),
        FULL[-1],
        "00:00:00",
        "null",
        "NULL",
        "ffff::",
    ),
    ("x", "NULL", "ÿ", -(2**31), 1, Decimal("1.100"), 5e-324, -1.5, True, date(2024, 2, 29), FULL[-1], "00:00:00.5", "[]", "2", "1::2"),
]
NO = [None] * 10
BAD = [
    ("x", "no", "日本", 1, 1, *NO),
    ("x", "no", "", 1, 1, *NO[1:], "ten"),
    ("x", "no", "", 1, 1, *NO[2:], "3", None),
    ("x", "no" * 40, "", 1, 1, *NO),
    ("x", "no", "", 2**31, 1, *NO),
    ("x\ud800", "no", "", 1, 1, *NO),
]


@pytest.fixture
def admin(mariadb_uri: str) -> Iterator[Any]:
    """The server's owner, who may say whether it takes LOAD DATA LOCAL."""
    connection = pymysql.connect(unix_socket=mariadb_uri.partition("unix_socket=")[2], user="root", ssl_disabled=True)
    with connection, connection.cursor() as cursor:
        yield cursor
        cursor.execute("SET GLOBAL local_infile = 1")


def uploads(writer: Writer) -> int:
    """How many LOAD DATA the writer's connection has had."""
    [(_, count)] = writer.connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Com_load'")
    return int(count)


def table_of(place: Any, rows: list[Any]) -> tuple[Any, Any, int]:
    """The rows written to a fresh table ``t``: what it holds then, what was refused, and how many LOAD DATA it took."""
    place.sql("DROP TABLE IF EXISTS t")
    place.sql(f"CREATE TABLE t ({DECLARED}) CHARACTER SET utf8mb4")
    table = place.table("t", create=False, id="integer", **COLUMNS)
    with Writer(place.database, table) as writer:
        told = writer.stage([(number, *row) for number, row in enumerate(rows)])
        count = uploads(writer)
        with writer.transaction():
            writer.apply()
    hexed = ", ".join(f"HEX({name})" for name in COLUMNS)
    refused = [(one.record, one.reason, one.message, one.field) for one in told]
    return place.sql(f"SELECT id, {hexed}, f, g FROM t ORDER BY id"), refused, count


def test_both_ways_give_the_same_table_and_refuse_the_same_rows(mariadb: Any, admin: Any) -> None:
    """Also where nothing is refused, so that LOAD DATA alone is at work."""
    mixed = [*GOOD[:5], *BAD, ("\0", *GOOD[0][1:]), *GOOD[5:]]
    one_way = table_of(mariadb, GOOD), table_of(mariadb, mixed)
    assert (one_way[0][2], len(one_way[0][0]), one_way[0][1]) == (1, len(GOOD), [])
    assert (one_way[1][2], len(one_way[1][0]), len(one_way[1][1])) == (1, len(GOOD) + 1, len(BAD))
    admin.execute("SET GLOBAL local_infile = 0")
    other = table_of(mariadb, GOOD), table_of(mariadb, mixed)
    assert (other[0][2], other[1][2]) == (0, 0)
    assert [one[:2] for one in one_way] == [one[:2] for one in other]


@pytest.mark.parametrize("value", TEXTS + MORE)
def test_a_text_by_itself(mariadb: Any, value: str | None) -> None:
    """As the only one of its column, it has no other beside it that would send all of them by inserts."""
    table = mariadb.table("t", id="integer", name="text")
    assert mariadb.write(table, [(1, value), (2, "x")]).counts == (2, 0, 0, 0, 0)
    assert mariadb.sql("SELECT name FROM t ORDER BY id") == [(value,), ("x",)]


@pytest.mark.parametrize("wrong", [set[int](), {0}, {79}, {5, 6, 41, 78}, set(range(80))])
def test_what_is_refused_of_many_pieces_is_told_sooner_or_later(mariadb: Any, wrong: set[int]) -> None:
    """Only the server knows what an address is. LOAD DATA would take another value, and warn."""
    mariadb.sql("CREATE TABLE t (id bigint PRIMARY KEY, v inet6)")
    table = mariadb.table("t", create=False, id="integer", v="text")
    rows = [(number, "ten" if number in wrong else "::1") for number in range(80)]
    with Writer(mariadb.database, table) as writer:
        told = [one for start in range(0, 80, 4) for one in writer.stage(rows[start : start + 4], more=True)]
        told += writer.stage([])
        with writer.transaction():
            assert writer.apply().inserted == 80 - len(wrong)
    assert [(one.reason, one.field) for one in told] == [("InvalidValue", "v")] * len(wrong)
    assert {number for (number,) in mariadb.sql("SELECT id FROM t")} == set(range(80)) - wrong


def test_a_server_that_takes_none_any_more_gets_inserts(mariadb: Any, admin: Any) -> None:
    table = mariadb.table("t", id="integer", name="text")
    with Writer(mariadb.database, table) as writer:
        admin.execute("SET GLOBAL local_infile = 0")
        assert writer.stage([(1, "a")]) == writer.stage([(2, "b")]) == []
        assert uploads(writer) == 1
        with writer.transaction():
            assert writer.apply().inserted == 2


def test_bytes_go_by_inserts(mariadb: Any) -> None:
    table = mariadb.table("t", id="integer", raw="bytes")
    rows = [(1, b"\x00\\N\t\n\xff"), (2, b""), (3, None), (4, b"NULL")]
    assert mariadb.write(table, rows).counts == (4, 0, 0, 0, 0)
    assert mariadb.sql("SELECT id, raw FROM t ORDER BY id") == rows


def test_who_cancels_between_pieces_stops_the_writer(mariadb: Any) -> None:
    table = mariadb.table("t", id="integer", name="text")
    with Writer(mariadb.database, table) as writer:
        writer.stage([(1, "a")], more=True)
        writer.cancel()
        with pytest.raises(AbortedError):
            writer.stage([(2, "b")])
    assert mariadb.sql("SELECT count(*) FROM t") == [(0,)]


@contextmanager
def rogue(server: str, asked: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port with a server behind it that answers a statement with ``asked`` in it by a request for a file; and what it got then."""
    got: list[bytes] = []
    threads: list[threading.Thread] = []

    def between(client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(server)
            back = threading.Thread(target=forward, args=(upstream, client))
            back.start()
            with suppress(OSError):
                while (said := client.recv(65536)) and asked not in said:
                    upstream.sendall(said)
                if said:
                    wanted = b"\xfb/etc/hostname"
                    client.sendall(len(wanted).to_bytes(3, "little") + b"\x01" + wanted)
                    while said := client.recv(65536):
                        got.append(said)
            upstream.shutdown(socket.SHUT_RDWR)
            back.join()

    def forward(upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while said := upstream.recv(65536):
                client.sendall(said)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=between, args=(client,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()[1], got
        listener.shutdown(socket.SHUT_RDWR)
        for thread in (serving, *threads):
            thread.join(20)


def write(writer: Writer) -> None:
    """One row."""
    writer.stage([(1, "a")])
    with writer.transaction():
        writer.apply()


@pytest.mark.parametrize("asked", [b"LOAD DATA", b"CREATE TEMPORARY TABLE", b"SAVEPOINT"])
def test_a_server_that_asks_for_a_file_of_this_machine_gets_none(mariadb: Any, mariadb_uri: str, asked: bytes) -> None:
    """Whichever statement it answers that way."""
    table = mariadb.table("t", id="integer", name="text")
    name = mariadb.url.partition("?")[0].rpartition("/")[2]
    with (
        rogue(mariadb_uri.partition("unix_socket=")[2], asked) as (port, got),
        open_database(f"mysql://root@127.0.0.1:{port}/{name}?ssl_disabled=true") as database,
        Writer(database, table) as writer,
        pytest.raises(RetryableError, match="asked for a file of this machine") as caught,
    ):
        write(writer)
    assert (caught.value.reason, got) == ("DatabaseUnavailable", [])
    assert mariadb.sql("SELECT count(*) FROM t") == [(0,)]
