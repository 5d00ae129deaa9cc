"""Connections to MySQL and MariaDB: their settings, which are the same for every session."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import URL, Engine, create_engine

from syncsource.databases.mysql import arguments
from syncsource.destinations.mysql.uploading import refused

_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ANSI_QUOTES"
"""Nothing is cut, rounded to a range or replaced without an error; 0 is a value; names are quoted as in the other databases."""
_IDLE = 28_800
"""Seconds that a connection may wait for a slow source: what is staged goes with it."""
_TIMEOUT = 3600
"""Seconds that a statement's answer may take: comparing millions of rows is one statement."""

_SORTED, _SORT_BUFFER = 64 * 1024, 8 * 1024 * 1024
"""Bytes of a text that tell it from others where keys are sorted: the server looks at 1,024 otherwise, and takes long keys that begin alike for one.
The buffer has room for some of them."""


class Connection(pymysql.connections.Connection):
    """A connection that knows how to make another, how long a statement may be, and whether the server takes LOAD DATA LOCAL.

    PyMySQL is not told of files, so that it refuses any request for one: :class:`Upload` alone says what a server gets.
    """

    def __init__(self, patience: float, **given: Any) -> None:
        self.given = {"connect_timeout": 10, **given, "charset": "utf8mb4"}
        super().__init__(**self.given, client_flag=CLIENT.FOUND_ROWS | CLIENT.LOCAL_FILES, read_timeout=_TIMEOUT)
        settings = (
            f"sql_mode = '{_MODE}', time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, "
            f"wait_timeout = {_IDLE}, net_read_timeout = {_IDLE}, "
            f"max_sort_length = GREATEST(@@max_sort_length, {_SORTED}), "
            f"sort_buffer_size = GREATEST(@@sort_buffer_size, {_SORT_BUFFER}), "
            f"innodb_lock_wait_timeout = {max(1, round(patience))}, lock_wait_timeout = {max(1, round(patience))}"
        )
        with self.cursor() as cursor:
            cursor.execute(f"SET SESSION {settings}")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SELECT @@max_allowed_packet, @@local_infile")
            self.longest: int
            self.takes_uploads: bool
            self.longest, self.takes_uploads = cursor.fetchall()[0]

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        try:
            return super()._read_query_result(unbuffered)  # type: ignore[misc]
        except RuntimeError as error:  # PyMySQL's word for a request for a file
            self._force_close()  # type: ignore[attr-defined]
            raise refused() from error


def connect(url: URL, patience: float) -> Engine:
    """A lazy engine with a small pool whose connections are tried before use."""
    given = arguments(url, "spec.destination.sql.urlFrom")
    return create_engine(
        url.set(drivername="mysql+pymysql", query={}),
        creator=lambda: Connection(patience, **given),
        pool_size=2,
        max_overflow=80,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
    )


def cancel(connection: Connection) -> None:
    """The protocol has no word for it: another connection stops what this one does."""
    with suppress(pymysql.err.Error, OSError), pymysql.connect(**connection.given) as other, other.cursor() as cursor:
        cursor.execute(f"KILL QUERY {connection.thread_id()}")  # type: ignore[no-untyped-call]
