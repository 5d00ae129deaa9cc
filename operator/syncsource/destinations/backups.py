"""Copies of a table on its own server, as it was before a run wrote to it. The copies are the list: nothing else knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import inspect

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import target
from syncsource.destinations.images import open_images
from syncsource.destinations.quoting import quoted
from syncsource.destinations.restoring import Restored, Restoring
from syncsource.destinations.session import nameless
from syncsource.destinations.table import Companion, Layout
from syncsource.destinations.working import Working
from syncsource.errors import PermanentError, SchemaMismatch
from syncsource.resource.spec import SqlDestination

_TIME = "%Y%m%d_%H%M%S_%f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy. ``id`` tells it from others of the same table, and sorts by the time when it was made."""

    id: str
    name: str
    """Of the table that it is, which stands in the connection's default schema."""

    @property
    def made_at(self) -> datetime:
        """To the microsecond."""
        return datetime.strptime(self.id, _TIME).replace(tzinfo=UTC)


class Backups(Working):
    """Of one table, made for one SyncSource: ``identity`` says which."""

    def __init__(self, database: Database, destination: SqlDestination, identity: str) -> None:
        super().__init__(database, "to restore the table: a constraint holds what is there, or what was there")
        self._destination = destination
        table = "\0".join([identity, destination.schema_ or "", destination.table])
        self._prefix = f"syncsource_backup_{sha256(table.encode()).hexdigest()[:16]}_"
        self._images: Companion | None = None

    def take(self) -> Backup | None:
        """A new one; None where the table is empty. SchemaMismatch where it has no primary key: its rows could not be told apart.

        It is filled by one statement, so that one without rows is one that was not finished.
        """
        layout = self._layout()
        if not layout.primary:
            raise SchemaMismatch(
                f"the table {layout.name!r} has no primary key, which spec.safety.backup needs to put rows back: give it one, or remove backup"
            )
        if not self._has_rows(self._target(layout)):
            return None
        backup = self._named(datetime.now(UTC).strftime(_TIME))
        with nameless(f"to create the table {backup.name!r}"), self._session.transaction(self._session.dialect.begin):
            self._session.create_companion(backup.name, {}, layout.columns, layout, [layout.primary])
        return self._filled(backup, layout)

    def listed(self) -> list[Backup]:
        """Newest first."""
        tables = inspect(self._session.connection).get_table_names()
        found = [self._named(name.removeprefix(self._prefix)) for name in tables if name.startswith(self._prefix)]
        return sorted((one for one in found if self._has_rows(quoted(one.name))), key=lambda one: one.id, reverse=True)

    def rows(self, backup: Backup) -> int:
        """How many it has."""
        return int(self._session.value(f"SELECT count(*) FROM {quoted(backup.name)}"))

    def keep(self, count: int) -> None:
        """Drops all but the newest, and those that were not finished. Not while one is made."""
        kept = {one.name for one in self.listed()[:count]}
        for name in inspect(self._session.connection).get_table_names():
            if name.startswith(self._prefix) and name not in kept:
                self._session.run(f"DROP TABLE {quoted(name)}")

    def drop(self, backup: Backup) -> None:
        """It is of no use to anybody."""
        self._session.run(f"DROP TABLE {quoted(backup.name)}")

    def keep_images(self) -> None:
        """From now on what :meth:`restore` does is kept, so that it can be undone. Before :meth:`transaction`."""
        self._images = open_images(self._session, self._layout())

    def restore(self, backup: Backup) -> Restored:
        """The table's rows are those of the backup again. Inside :meth:`transaction`, once."""
        kept = self._session.layout(None, backup.name)
        if kept is None:
            raise PermanentError(f"the backup {backup.id} is gone", reason="NotFound")
        return Restoring(self._session, kept, self._layout(), self._images).run()

    def _filled(self, backup: Backup, layout: Layout) -> Backup | None:
        names = ", ".join(quoted(column.name) for column in layout.columns)
        with nameless(f"to fill the table {backup.name!r}"):
            rows = self._session.run(f"INSERT INTO {quoted(backup.name)} ({names}) SELECT {names} FROM {self._target(layout)}")
        if not rows:
            self.drop(backup)
        return backup if rows else None

    def _layout(self) -> Layout:
        sql = self._destination
        layout = self._session.layout(sql.schema_, sql.table)
        if layout is None:
            raise PermanentError(f"the database has no table {sql.table!r}: create it, with the columns that it had", reason="NotFound")
        return layout

    def _has_rows(self, target: str) -> bool:
        return self._session.value(f"SELECT 1 FROM {target} LIMIT 1") is not None

    def _named(self, identifier: str) -> Backup:
        return Backup(id=identifier, name=f"{self._prefix}{identifier}")

    def _target(self, layout: Layout) -> str:
        return target(self._session.dialect, layout.schema, layout.name)


def found(backups: Sequence[Backup], identifier: str | None) -> Backup | None:
    """The one whose id begins so; None where there is none, or more than one. ``identifier`` None: the newest."""
    if identifier is None:
        return backups[0] if backups else None
    alike = [one for one in backups if one.id.startswith(identifier)]
    return alike[0] if len(alike) == 1 else None
