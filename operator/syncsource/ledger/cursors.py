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
    position: str | None = None
    """Where a read that ended early goes on, whose first batches are committed; None: none did."""


def cursor(connection: Connection, identity: str, partition: str = "") -> Cursor | None:
    """What was committed last; None where nothing was."""
    where = cursors.c.identity == identity, cursors.c.partition == partition
    columns = cursors.c.cursor, cursors.c.config_hash, cursors.c.state, cursors.c.position
    row = connection.execute(select(*columns).where(*where)).one_or_none()
    return None if row is None else Cursor(*row)


def save_cursor(
    connection: Connection,
    identity: str,
    text: str | None,
    config_hash: str,
    partition: str = "",
    *,
    state: str | None = None,
    position: str | None = None,
    at: datetime | None = None,
) -> None:
    """Sets cursor, state and position, in the transaction of the rows that they cover; all None: forgets them. ``at``: now, where it is None."""
    if text is None and state is None and position is None:
        connection.execute(delete(cursors).where(cursors.c.identity == identity, cursors.c.partition == partition))
        return
    values = {"cursor": text, "state": state, "position": position, "config_hash": config_hash, "updated_at": at or datetime.now(UTC)}
    upsert(connection, cursors, {"identity": identity, "partition": partition, **values}, dict.fromkeys(values))


def rewind(connection: Connection, identity: str, run: RunRecord) -> None:
    """Sets the cursors to where they were before a run, of each partition that it read; what the source remembers and positions are
    forgotten."""
    mine = select(run_partitions.c.partition, run_partitions.c.cursor_before).where(run_partitions.c.run == run.run)
    befores = [(partition, before) for partition, before in connection.execute(mine)]
    for partition, before in befores or [("", run.cursor_before)]:
        where = cursors.c.identity == identity, cursors.c.partition == partition
        back = update(cursors).where(*where).values(cursor=before, state=None, position=None)
        connection.execute(delete(cursors).where(*where) if before is None else back)


def forget(engine: Engine, identity: str) -> None:
    """Forgets how far each partition was read, in a transaction of its own: everything is read again."""
    with writing(engine).begin() as connection:
        connection.execute(delete(cursors).where(cursors.c.identity == identity))


def forget_states(engine: Engine, identity: str) -> None:
    """Forgets what the source of each partition remembers, and positions, in a transaction of its own. Cursors stay."""
    with writing(engine).begin() as connection:
        connection.execute(update(cursors).where(cursors.c.identity == identity).values(state=None, position=None))
