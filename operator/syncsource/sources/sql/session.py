"""One connection that reads, and can be ended from another thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import URL

from syncsource.errors import AbortedError
from syncsource.sources.sql.dialect import Column, Dialect, Driver, Rows, Statement
from syncsource.sources.sql.failures import Border
from syncsource.sources.sql.pacing import Pace

_AGAIN = 0.1
"""Seconds between attempts to cancel: one that comes before the statement does is lost."""


class Session:
    """A connection from its first use to its end. Errors of the driver's leave it as ours."""

    def __init__(self, dialect: Dialect, url: URL, timeout: float, border: Border, cancelled: threading.Event) -> None:
        self._dialect, self._url, self._timeout, self._border, self._cancelled = dialect, url, timeout, border, cancelled
        self._driver: Driver = None
        self._ended = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    def open(self) -> datetime | None:
        """Connects; the server's clock."""
        with self._working(connecting=True):
            self._driver = self._dialect.connect(self._url, self._timeout)
        with self._working():
            return self._dialect.clock(self._driver)

    def columns(self, statement: Statement) -> list[Column]:
        """The columns of a query."""
        with self._working():
            return self._dialect.columns(self._driver, statement)

    def rows(self, statement: Statement, size: int) -> Iterator[Rows]:
        """A query's rows, at most so many at a time."""
        pace = Pace(size)
        rows = self._dialect.stream(self._driver, statement, pace)
        while True:
            with self._working():
                some = next(rows, None)
            if some is None:
                return
            pace.learn(some)
            yield some
            del some

    def end(self) -> None:
        """Closes the connection; what it does in another thread ends with AbortedError (Cancelled). From any thread, any number of times."""
        self._ended.set()
        while not self._idle.wait(_AGAIN):
            if self._driver is not None:
                self._dialect.cancel(self._driver)
        if self._driver is not None:
            self._dialect.close(self._driver)

    @contextmanager
    def _working(self, connecting: bool = False) -> Iterator[None]:
        self._idle.clear()
        try:
            self._check()
            yield
        except self._dialect.errors as error:
            self._check()
            ours = self._border.translated(error, connecting)
            if ours.reason == "Timeout" and self._driver is not None:
                self._dialect.cancel(self._driver)  # the server may not know that nobody waits
            raise ours from error
        finally:
            self._idle.set()

    def _check(self) -> None:
        if self._ended.is_set() or self._cancelled.is_set():
            raise AbortedError("cancelled while reading from the database", reason="Cancelled")
