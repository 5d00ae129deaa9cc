"""Copies of a table on its own server, as it was before a run wrote to it. The copies are the list: nothing else knows of them."""

from __future__ import annotations

from sqlalchemy import inspect

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import target
from syncsource.destinations.keeping import Backup, Keeping, new_id
from syncsource.destinations.quoting import quoted
from syncsource.destinations.session import nameless
from syncsource.destinations.table import Layout
from syncsource.errors import PermanentError
from syncsource.resource.spec import SqlDestination


class Backups(Keeping):
    """Those in tables. One is filled by one statement, so that one without rows is one that was not finished."""

    def __init__(self, database: Database, destination: SqlDestination, identity: str) -> None:
        super().__init__(database, destination, identity)
        self._prefix = f"syncsource_backup_{self._digest}_"
        self._copy: Backup | None = None

    def take(self) -> Backup | None:
        """See :meth:`Keeping.take`."""
        layout = self._copied()
        if layout is None:
            return None
        backup = self._named(new_id())
        with nameless(f"to create the table {backup.name!r}"), self._session.transaction(self._session.dialect.begin):
            self._session.create_companion(backup.name, {}, layout.columns, layout, [layout.primary])
        return self._filled(backup, layout)

    def listed(self) -> list[Backup]:
        """See :meth:`Keeping.listed`."""
        tables = inspect(self._session.connection).get_table_names()
        found = [self._named(name.removeprefix(self._prefix)) for name in tables if name.startswith(self._prefix)]
        return sorted((one for one in found if self._has_rows(quoted(one.name))), key=lambda one: one.id, reverse=True)

    def rows(self, backup: Backup) -> int:
        """See :meth:`Keeping.rows`."""
        return int(self._session.value(f"SELECT count(*) FROM {quoted(backup.name)}"))

    def keep(self, count: int) -> None:
        """See :meth:`Keeping.keep`."""
        kept = {one.name for one in self.listed()[:count]}
        for name in inspect(self._session.connection).get_table_names():
            if name.startswith(self._prefix) and name not in kept:
                self._session.run(f"DROP TABLE {quoted(name)}")

    def drop(self, backup: Backup) -> None:
        """See :meth:`Keeping.drop`."""
        self._session.run(f"DROP TABLE {quoted(backup.name)}")

    def bring(self, backup: Backup) -> None:
        """It stands where it is needed."""
        self._copy = backup

    def _brought(self) -> Layout:
        assert self._copy is not None
        kept = self._session.layout(None, self._copy.name)
        if kept is None:
            raise PermanentError(f"the backup {self._copy.id} is gone", reason="NotFound")
        return kept

    def _filled(self, backup: Backup, layout: Layout) -> Backup | None:
        names = ", ".join(quoted(column.name) for column in layout.columns)
        source = target(self._session.dialect, layout.schema, layout.name)
        with nameless(f"to fill the table {backup.name!r}"):
            rows = self._session.run(f"INSERT INTO {quoted(backup.name)} ({names}) SELECT {names} FROM {source}")
        if not rows:
            self.drop(backup)
        return backup if rows else None

    def _named(self, identifier: str) -> Backup:
        return Backup(id=identifier, name=f"{self._prefix}{identifier}")
