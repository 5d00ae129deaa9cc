"""A table of SQLite in a copy of its whole file, which any program that reads SQLite opens."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from syncsource.destinations.quoting import quoted
from syncsource.destinations.table import Layout
from syncsource.errors import PermanentError

_KEPT = "syncsource_kept"


class SqliteDumping:
    """By VACUUM INTO: one state of the file while others write."""

    ending = ".sqlite"

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def check(self) -> None:
        """SQLite itself is all that it takes."""

    def check_table(self, layout: Layout) -> None:
        """Whatever it is, the file has it."""

    def dump(self, layout: Layout, file: Path) -> None:
        self._driver.execute("VACUUM main INTO ?", [str(file)])

    def rows(self, layout: Layout, file: Path) -> int:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise PermanentError(
                    f"the database is damaged, as its copy tells: {damage}; restore it from an older backup", reason="DatabaseDamaged"
                )
            return int(connection.execute(f"SELECT count(*) FROM {quoted(layout.name)}").fetchone()[0])

    def load(self, file: Path, table: str, columns: Sequence[str], lacking: Sequence[str], scratch: str) -> int:
        """SQLite takes no other writes meanwhile."""
        names = ", ".join(map(quoted, columns))
        self._driver.execute(f"ATTACH ? AS {_KEPT}", [str(file)])
        try:
            statement = f"INSERT INTO main.{quoted(scratch)} ({names}) SELECT {names} FROM {_KEPT}.{quoted(table)}"
            return int(self._driver.execute(statement).rowcount)
        finally:
            self._driver.execute(f"DETACH {_KEPT}")
