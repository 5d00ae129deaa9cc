"""What the copies of a table have in common, wherever they stand: what they are told apart by, and how one is restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import target
from syncsource.destinations.images import open_images
from syncsource.destinations.restoring import Restored, Restoring
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
    """Of the table that it is, which stands in the connection's default schema; or the path of the file."""

    @property
    def made_at(self) -> datetime:
        """To the microsecond."""
        return moment_of(self.id)


class Keeping(Working):
    """Copies of one table, made for one SyncSource: ``identity`` says which."""

    def __init__(self, database: Database, destination: SqlDestination, identity: str) -> None:
        super().__init__(database, "to restore the table: a constraint holds what is there, or what was there")
        self._destination = destination
        table = "\0".join([identity, destination.schema_ or "", destination.table])
        self._digest = sha256(table.encode()).hexdigest()[:16]
        self._images: Companion | None = None

    def take(self) -> Backup | None:
        """A new one; None where the table is empty. SchemaMismatch where it has no primary key: its rows could not be told apart."""
        raise NotImplementedError

    def listed(self) -> list[Backup]:
        """Newest first."""
        raise NotImplementedError

    def rows(self, backup: Backup) -> int:
        """How many it has."""
        raise NotImplementedError

    def keep(self, count: int) -> None:
        """Drops all but the newest, and those that were not finished. Not while one is made."""
        raise NotImplementedError

    def drop(self, backup: Backup) -> None:
        """It is of no use to anybody."""
        raise NotImplementedError

    def bring(self, backup: Backup) -> None:
        """Makes it ready for :meth:`restore`. Before :meth:`transaction`. PermanentError (NotFound) where it is gone."""
        raise NotImplementedError

    def _brought(self) -> Layout:
        """The table that holds the rows of the one that was brought."""
        raise NotImplementedError

    def keep_images(self) -> None:
        """From now on what :meth:`restore` does is kept, so that it can be undone. Before :meth:`transaction`."""
        self._images = open_images(self._session, self._layout())

    def restore(self) -> Restored:
        """The table's rows are those of the backup that was brought. Inside :meth:`transaction`, once."""
        return Restoring(self._session, self._brought(), self._layout(), self._images).run()

    def _copied(self) -> Layout | None:
        """The table, where it has something to be copied."""
        layout = self._layout()
        if not layout.primary:
            raise SchemaMismatch(
                f"the table {layout.name!r} has no primary key, which spec.safety.backup needs to put rows back: give it one, or remove backup"
            )
        return layout if self._has_rows(target(self._session.dialect, layout.schema, layout.name)) else None

    def _layout(self) -> Layout:
        sql = self._destination
        layout = self._session.layout(sql.schema_, sql.table)
        if layout is None:
            raise PermanentError(f"the database has no table {sql.table!r}: create it, with the columns that it had", reason="NotFound")
        return layout

    def _has_rows(self, table: str) -> bool:
        found: Any = self._session.value(f"SELECT 1 FROM {table} LIMIT 1")
        return found is not None


def new_id() -> str:
    """Of a backup that is made now."""
    return datetime.now(UTC).strftime(_TIME)


def moment_of(identifier: str) -> datetime:
    """When the backup of this id was made. ValueError where it is none."""
    return datetime.strptime(identifier, _TIME).replace(tzinfo=UTC)


def found(backups: Sequence[Backup], identifier: str | None) -> Backup | None:
    """The one whose id begins so; None where there is none, or more than one. ``identifier`` None: the newest."""
    if identifier is None:
        return backups[0] if backups else None
    alike = [one for one in backups if one.id.startswith(identifier)]
    return alike[0] if len(alike) == 1 else None
