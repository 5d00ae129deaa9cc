"""The pages of a database."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import URL

from syncsource.databases.url import kept_url, parse_url
from syncsource.errors import SchemaMismatch
from syncsource.records.cursors import cursor_text
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.sqlsource import SqlSource
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import Hosts
from syncsource.sources.sql.dialect import Column, Dialect, Order
from syncsource.sources.sql.failures import Border
from syncsource.sources.sql.mysql import MySQL
from syncsource.sources.sql.naming import column_of, cursor_column, json_columns, key_columns, needed_columns
from syncsource.sources.sql.ordering import TextOrder
from syncsource.sources.sql.postgresql import PostgreSQL
from syncsource.sources.sql.rows import Records
from syncsource.sources.sql.selecting import Selecting
from syncsource.sources.sql.session import Session
from syncsource.sources.sql.sqlite import SQLite

_DIALECTS: Mapping[str, type[Dialect]] = {"postgresql": PostgreSQL, "mysql": MySQL, "sqlite": SQLite}
_Secrets = Mapping[str, Mapping[str, str]]


class DatabaseSource:
    """``spec.source.sql``. A read is one connection and one snapshot. Made by :meth:`open`."""

    waits = True

    def __init__(self, spec: SyncSourceSpec, sql: SqlSource, url: URL, cancelled: threading.Event) -> None:
        self._spec, self._sql, self._url, self._cancelled = spec, sql, url, cancelled
        self._dialect = _DIALECTS[url.drivername]()
        self._border = Border(sql, self._dialect, url)
        self._selecting = Selecting(sql, self._dialect, cursor_column(spec), key_columns(spec), _zone(spec))
        self._json = json_columns(spec)
        self._session: Session | None = None
        self._closed = threading.Event()
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0
        self.known: Sequence[str] = ()

    @classmethod
    def open(cls, spec: SyncSourceSpec, secrets: _Secrets, *, hosts: Hosts, cancelled: threading.Event) -> DatabaseSource:
        """See :func:`syncsource.sources.open_source`."""
        sql = spec.source.sql
        assert sql is not None
        url, place = kept_url(sql.url_from.secret_key_ref, secrets, "spec.source.sql.urlFrom")
        return cls(spec, sql, parse_url(url, place, tuple(_DIALECTS)), cancelled)

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`."""
        session = self._session = Session(self._dialect, self._url, self._sql.timeout.total_seconds(), self._border, self._cancelled)
        if self._closed.is_set():
            session.end()
        try:
            yield from self._read(session, part)
        finally:
            session.end()

    def close(self) -> None:
        """See :class:`syncsource.sources.Source`. From any thread: a read that is under way ends."""
        self._closed.set()
        if self._session is not None:
            self._session.end()

    def _read(self, session: Session, part: Slice) -> Iterator[Page]:
        served_at, place, count = session.open(), self._sql.place, 0
        columns = session.columns(self._selecting.described(part))
        self._check(columns)
        records, order = Records(columns, self._json), self._order(columns, part)
        for rows in session.rows(self._selecting.statement(columns, part), self._sql.page_size):
            if order is not None:
                at, texts = order
                texts.check({row[at] for row in rows})
            found = records.of(rows)
            page = Page(found, served_at, place, range(count + 1, count + len(rows) + 1), self._resume(found))
            count += len(rows)
            del rows, found
            yield page
            del page  # So that a page that the reader is done with does not stay while the next one is read.

    def _check(self, columns: list[Column]) -> None:
        names = {column.name for column in columns}
        for field, column in needed_columns(self._spec):
            if column not in names:
                raise SchemaMismatch(f"spec.fields: {field}: {self._selecting.absent(column, columns)}")

    def _order(self, columns: list[Column], part: Slice) -> tuple[int, TextOrder] | None:
        """Where the cursor stands in a row, if its texts are to be looked at."""
        for place, column in enumerate(columns):
            if column.name == self._selecting.cursor and column.order in (Order.TEXT, Order.LOOSE):
                return place, TextOrder(f"the column {column.name!r}", part.resume or part.since)
        return None

    def _resume(self, records: Sequence[Any]) -> str | None:
        """The last record's cursor: records come in its order, so that what follows has it, too, or a higher one."""
        last = records[-1] if self._selecting.cursor is not None else None
        value = last.get(self._selecting.cursor) if isinstance(last, dict) else None
        return None if value is None else cursor_text(value)


def _zone(spec: SyncSourceSpec) -> tzinfo:
    """Of a cursor column that names none: that of the field which takes it."""
    cursor = cursor_column(spec)
    zones = [field.time_zone for field in spec.fields or () if field.time_zone and column_of(field.path or field.name) == cursor]
    return ZoneInfo(zones[0]) if zones else UTC
