"""Connections to MySQL and MariaDB: their settings, which are the same for every session."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import URL, Engine, create_engine

from syncsource.databases.mysql import arguments
from syncsource.destinations.dialect import Terms
from syncsource.destinations.mysql.uploading import refused

_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ANSI_QUOTES"
"""Nothing is cut, rounded to a range or replaced without an error; 0 is a value; names are quoted as in the other databases."""
_IDLE = 28_800
"""Seconds that a connection may wait for a slow source: what is staged goes with it."""
STANDSTILL = 20
"""Seconds after which the server ends a transaction whose process says nothing, as one that is stopped or cut off: less than others wait for
its locks."""
_TIMEOUT = 3600
"""Seconds that a statement's answer may take: comparing millions of rows is one statement."""

_SORTED, _SORT_BUFFER = 64 * 1024, 8 * 1024 * 1024
"""Bytes of a text that tell it from others where keys are sorted: the server looks at 1,024 otherwise, and takes long keys that begin alike for one.
The buffer has room for some of them."""


class Connection(pymysql.connections.Connection):
    """A connection that knows how to make another, how long a statement may be, and whether the server takes LOAD DATA LOCAL.

    PyMySQL is not told of files, so that it refuses any request for one: :class:`Upload` alone says what a server gets.
    """

    def __init__(self, terms: Terms, **given: Any) -> None:
        self.given = {"connect_timeout": 10, **given, "charset": "utf8mb4"}
        super().__init__(**self.given, client_flag=CLIENT.FOUND_ROWS | CLIENT.LOCAL_FILES, read_timeout=_TIMEOUT)
        settings = (
            f"sql_mode = '{_MODE}', time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, "
            f"wait_timeout = {STANDSTILL}, net_read_timeout = {_IDLE}, "
            f"max_sort_length = GREATEST(@@max_sort_length, {_SORTED}), "
            f"sort_buffer_size = GREATEST(@@sort_buffer_size, {_SORT_BUFFER}), "
            f"innodb_lock_wait_timeout = {max(1, round(terms.patience))}, lock_wait_timeout = {max(1, round(terms.patience))}"
        )
        with self.cursor() as cursor:
            cursor.execute(f"SET SESSION {settings}")
            if terms.longest:
                cursor.execute(self._longest(terms.longest))
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute("SELECT @@max_allowed_packet, @@local_infile")
            self.longest: int
            self.takes_uploads: bool
            self.longest, self.takes_uploads = cursor.fetchall()[0]

    def _longest(self, seconds: float) -> str:
        """MySQL knows a limit for queries alone. What the server or the user has set comes before it."""
        if "MariaDB" in self.get_server_info():  # type: ignore[no-untyped-call]
            return f"SET SESSION max_statement_time = IF(@@max_statement_time > 0, @@max_statement_time, {seconds})"
        return f"SET SESSION max_execution_time = IF(@@max_execution_time > 0, @@max_execution_time, {round(seconds * 1000)})"

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        try:
            return super()._read_query_result(unbuffered)  # type: ignore[misc]
        except RuntimeError as error:  # PyMySQL's word for a request for a file
            self._force_close()  # type: ignore[attr-defined]
            raise refused() from error


def connect(url: URL, terms: Terms) -> Engine:
    """A lazy engine with a small pool whose connections are tried before use."""
    given = arguments(url, "spec.destination.sql.urlFrom")
    return create_engine(
        url.set(drivername="mysql+pymysql", query={}),
        creator=lambda: Connection(terms, **given),
        **terms.pool,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
    )


def standstill(*, within: bool) -> str:
    """A connection that stages may wait for its source; one in a transaction, or one that only looks something up, has no reason to."""
    return f"SET SESSION wait_timeout = {STANDSTILL if within else _IDLE}"


def cancel(connection: Connection) -> None:
    """The protocol has no word for it: another connection stops what this one does."""
    with suppress(pymysql.err.Error, OSError), pymysql.connect(**connection.given) as other, other.cursor() as cursor:
        cursor.execute(f"KILL QUERY {connection.thread_id()}")  # type: ignore[no-untyped-call]
