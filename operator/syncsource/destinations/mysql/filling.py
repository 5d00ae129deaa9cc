"""Rows on their way into the staging table: by LOAD DATA LOCAL where the server allows it, else by multi-row inserts.

LOAD DATA never fails for a value: it cuts it or takes another, and warns. So one warning, or one row less, and all of it goes again by inserts, which
are strict, name the row at fault and take what LOAD DATA reads otherwise: bytes, rows larger than a packet.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pymysql

from syncsource.destinations import tabbed
from syncsource.destinations.mysql import inserting
from syncsource.destinations.mysql.uploading import Upload
from syncsource.destinations.quoting import STAGE

_ROWS = 2000
"""Rows that are made one text."""
_INTERRUPTED = 1317
_FORMAT = r"CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'"
Columns = Sequence[Sequence[Any]]


class Filling:
    """One transaction's rows. Inside it, from a thread at a time; :meth:`leave` where it is to be rolled back."""

    def __init__(self, driver: Any, names: Sequence[str]) -> None:
        self._driver, self._names = driver, ", ".join(names)
        self._upload: Upload | None = None
        self._given: list[Columns] = []
        """What an insert may have to send again."""

    def take(self, columns: Columns) -> None:
        """Sends rows; the server may be at work on them for a while."""
        if not self._driver.takes_uploads:
            self._insert(columns)
            return
        self._given.append(columns)
        try:
            fits = self._send(columns)
        except (pymysql.err.Error, UnicodeError) as error:
            self._rethrow(error)
            fits = False
        if not fits:
            self._instead()

    def finish(self) -> None:
        """Waits until the server has taken everything."""
        upload, self._upload = self._upload, None
        if upload is None:
            return
        try:
            done = upload.end()
        except pymysql.err.Error as error:
            self._rethrow(error)
            done = (-1, 0)
        if done != (sum(len(columns[0]) for columns in self._given), 0):
            self._instead()

    def leave(self) -> None:
        """Makes the connection free for the next statement."""
        upload, self._upload = self._upload, None
        if upload is not None and self._driver.open:
            with suppress(pymysql.err.Error):
                upload.end()

    def _send(self, columns: Columns) -> bool:
        """False: rows that LOAD DATA can't be given."""
        if self._upload is None:
            self._upload = Upload(self._driver, f"{STAGE} {_FORMAT} ({self._names})")
        for start in range(0, len(columns[0]), _ROWS):
            lines = tabbed.lines([column[start : start + _ROWS] for column in columns], _FORMS)
            if lines is None or max(map(len, lines)) > self._driver.longest // 8:
                return False
            self._upload.send(("\n".join(lines) + "\n").encode())
        return True

    def _instead(self) -> None:
        """All of it again, and what else comes on this connection by inserts at once."""
        self._driver.takes_uploads = False
        self.leave()
        self._driver.rollback()
        self._driver.begin()
        given, self._given = self._given, []
        for columns in given:
            self._insert(columns)

    def _insert(self, columns: Columns) -> None:
        inserting.send(self._driver, f"INSERT INTO {STAGE} ({self._names}) VALUES ", columns)

    def _rethrow(self, error: Exception) -> None:
        """What inserts would meet, too: a connection that is gone, somebody who cancels."""
        if not self._driver.open or error.args[0] == _INTERRUPTED:
            raise error


_FORMS: dict[type, tabbed.Form] = {
    int: tabbed.mapped(str),
    bool: tabbed.mapped({True: "1", False: "0"}.__getitem__),
    float: tabbed.mapped(repr),
    Decimal: tabbed.mapped(lambda value: format(value, "f")),
    date: tabbed.mapped(date.isoformat),
}
