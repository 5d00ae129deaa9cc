"""Records that could not be written, each with its reason. The same bad record seen again is one entry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, inspect, literal, select
from sqlalchemy.schema import CreateTable

from syncsource.ledger.connecting import reading, upsert
from syncsource.ledger.tables import Instant, quarantine, rejected, runs
from syncsource.records.batch import Rejected

ROW = "Row"
"""Form of an entry whose record is the row that was made of it; other records are as the source sent them."""
PART = "Part"
"""Form of an entry whose record is only what the source could make out of it."""
_PART = 1000


def stage_rejected(connection: Connection, records: Iterable[Rejected]) -> None:
    """Keeps a run's bad records in a temporary table of the connection until :func:`commit_rejected`. A record's first reason counts."""
    waiting = iter(records)
    while part := list(islice(waiting, _PART)):
        connection.execute(CreateTable(rejected, if_not_exists=True))
        upsert(connection, rejected, list(map(_entered, part)), None)


def commit_rejected(
    connection: Connection,
    identity: str,
    run: str,
    *,
    full: bool,
    partition: str = "",
    since: int | None = None,
    at: datetime | None = None,
) -> int:
    """Moves a run's bad records to quarantine, in the transaction of its rows; returns how many are there for this identity.

    ``full``: everything was read, so that entries which were not seen again are gone from the source. ``since``: the token of the run that began
    to read, where it was not this one. ``at``: now, where None.
    """
    if inspect(connection).has_table(rejected.name):
        _merge(connection, identity, partition, run, at or datetime.now(UTC))
    mine = quarantine.c.identity == identity, quarantine.c.partition == partition
    if full:
        connection.execute(delete(quarantine).where(*mine, quarantine.c.last_run != run, *_before(identity, since)))
    return quarantine_total(connection, identity)


def _before(identity: str, token: int | None) -> list[ColumnElement[bool]]:
    """A condition on entries: they were seen last before the run that has this token."""
    if token is None:
        return []
    return [quarantine.c.last_run.not_in(select(runs.c.run).where(runs.c.identity == identity, runs.c.fence >= token))]


def quarantine_total(connection: Connection, identity: str) -> int:
    """How many records of this identity are in quarantine, in all partitions."""
    total: int = connection.execute(select(func.count()).where(quarantine.c.identity == identity)).scalar_one()
    return total


def has_quarantined(engine: Engine, identity: str, partition: str) -> bool:
    """Whether a record of the partition is in quarantine."""
    mine = quarantine.c.identity == identity, quarantine.c.partition == partition
    with reading(engine).connect() as connection:
        return connection.execute(select(quarantine.c.digest).where(*mine).limit(1)).first() is not None


def quarantine_counts(engine: Engine, identity: str) -> dict[str, int]:
    """How many records are in quarantine, by reason."""
    query = select(quarantine.c.reason, func.count()).where(quarantine.c.identity == identity).group_by(quarantine.c.reason)
    with reading(engine).connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query.order_by(quarantine.c.reason))}


def _merge(connection: Connection, identity: str, partition: str, run: str, at: datetime) -> None:
    moment = literal(at, Instant)
    columns = [
        literal(identity).label("identity"),
        literal(partition).label("partition"),
        *rejected.c,
        moment.label("first_seen"),
        moment.label("last_seen"),
        literal(run).label("last_run"),
    ]
    newest = dict.fromkeys(("reason", "message", "field", "place", "position", "excerpt", "form", "last_seen", "last_run"))
    upsert(connection, quarantine, select(*columns).where(rejected.c.digest.is_not(None)), newest)


def _entered(one: Rejected) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("record", "reason", "message", "field", "place", "position", "excerpt")}
    form = ROW if one.as_row else PART if one.partial else None
    return {"digest": _digest(one), "form": form, **told}


def _digest(one: Rejected) -> str:
    return sha256(one.record.encode("utf-8", "backslashreplace")).hexdigest()
