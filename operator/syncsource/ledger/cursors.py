"""How far a partition has been read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select, update

from syncsource.ledger.connecting import upsert, writing
from syncsource.ledger.runs import RunRecord
from syncsource.ledger.tables import cursors, run_partitions


@dataclass(frozen=True, slots=True)
class Cursor:
    """What the last committed read of a partition left behind, and the hash of the configuration that it was read with."""

    text: str | None
    """The cursor in the source's own text; None where no record had one."""
    config_hash: str
    state: str | None = None
    """What the source wants to be given the next time."""


def cursor(connection: Connection, identity: str, partition: str = "") -> Cursor | None:
    """What was committed last; None where nothing was."""
    where = cursors.c.identity == identity, cursors.c.partition == partition
    row = connection.execute(select(cursors.c.cursor, cursors.c.config_hash, cursors.c.state).where(*where)).one_or_none()
    return None if row is None else Cursor(row.cursor, row.config_hash, row.state)


def save_cursor(
    connection: Connection,
    identity: str,
    text: str | None,
    config_hash: str,
    partition: str = "",
    *,
    state: str | None = None,
    at: datetime | None = None,
) -> None:
    """Sets cursor and state, in the transaction of the rows that they cover; both None: forgets them. ``at``: now, where it is None."""
    if text is None and state is None:
        connection.execute(delete(cursors).where(cursors.c.identity == identity, cursors.c.partition == partition))
        return
    moment = at or datetime.now(UTC)
    row = {"identity": identity, "partition": partition, "cursor": text, "state": state, "config_hash": config_hash, "updated_at": moment}
    upsert(connection, cursors, row, dict.fromkeys(("cursor", "state", "config_hash", "updated_at")))


def rewind(connection: Connection, identity: str, run: RunRecord) -> None:
    """Sets the cursors to where they were before a run, of each partition that it read; what the source remembers is forgotten."""
    mine = select(run_partitions.c.partition, run_partitions.c.cursor_before).where(run_partitions.c.run == run.run)
    befores = [(partition, before) for partition, before in connection.execute(mine)]
    for partition, before in befores or [("", run.cursor_before)]:
        where = cursors.c.identity == identity, cursors.c.partition == partition
        change = delete(cursors).where(*where) if before is None else update(cursors).where(*where).values(cursor=before, state=None)
        connection.execute(change)


def forget(engine: Engine, identity: str) -> None:
    """Forgets how far each partition was read, in a transaction of its own: everything is read again."""
    with writing(engine).begin() as connection:
        connection.execute(delete(cursors).where(cursors.c.identity == identity))


def forget_states(engine: Engine, identity: str) -> None:
    """Forgets what the source of each partition remembers, in a transaction of its own. Cursors stay."""
    with writing(engine).begin() as connection:
        connection.execute(update(cursors).where(cursors.c.identity == identity).values(state=None))
