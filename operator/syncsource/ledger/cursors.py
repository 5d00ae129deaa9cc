"""How far a partition has been read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from syncsource.ledger.connecting import upsert
from syncsource.ledger.tables import cursors


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor in the source's own text, and the hash of the configuration that it was read with."""

    text: str
    config_hash: str


def cursor(connection: Connection, identity: str, partition: str = "") -> Cursor | None:
    """The cursor that was committed last; None where none was."""
    where = cursors.c.identity == identity, cursors.c.partition == partition
    row = connection.execute(select(cursors.c.cursor, cursors.c.config_hash).where(*where)).one_or_none()
    return None if row is None else Cursor(row.cursor, row.config_hash)


def save_cursor(
    connection: Connection, identity: str, text: str | None, config_hash: str, partition: str = "", *, at: datetime | None = None
) -> None:
    """Sets the cursor, in the transaction of the rows that it covers; None forgets it. ``at``: now, where it is None."""
    if text is None:
        connection.execute(delete(cursors).where(cursors.c.identity == identity, cursors.c.partition == partition))
        return
    row = {"identity": identity, "partition": partition, "cursor": text, "config_hash": config_hash, "updated_at": at or datetime.now(UTC)}
    upsert(connection, cursors, row, {"cursor": None, "config_hash": None, "updated_at": None})
