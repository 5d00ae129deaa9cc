"""What is in quarantine, entry by entry: found, kept, discarded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, or_, select

from syncsource.ledger.connecting import reading, writing
from syncsource.ledger.quarantine import PART, ROW
from syncsource.ledger.tables import quarantine

ID_LENGTH = 12
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record in quarantine. It may hold what is sensitive: show it masked only."""

    partition: str
    digest: str
    record: str
    """Its JSON: as the source sent it, or where ``as_row`` the row that was made of it, by column."""
    reason: str
    message: str
    field: str | None
    place: str | None
    position: int | None
    excerpt: str | None
    as_row: bool
    partial: bool
    """Whether the record is only what the source could make out of it."""
    first_seen: datetime
    last_seen: datetime
    last_run: str

    @property
    def id(self) -> str:
        """What people call it by: the digest's first characters."""
        return self.digest[:ID_LENGTH]


def entries(
    engine: Engine, identity: str, ids: Sequence[str] | None = None, *, partition: str | None = None, limit: int | None = None
) -> Iterator[Entry]:
    """The entries of an identity by partition and digest, a page at a time. ``ids``: only those whose digest begins with one of them."""
    where = _wanted(identity, ids) + ([] if partition is None else [quarantine.c.partition == partition])
    after: tuple[str, str] | None = None
    left = limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(_PAGE, left)
        found = _page(engine, where, after, page)
        yield from found
        if len(found) < page:
            return
        after, left = (found[-1].partition, found[-1].digest), None if left is None else left - page


def entries_of_run(engine: Engine, identity: str, run: str, limit: int) -> list[Entry]:
    """The first that a run entered, or entered again, by place and position."""
    query = select(quarantine).where(*_wanted(identity, None), quarantine.c.last_run == run)
    with reading(engine).connect() as connection:
        found = connection.execute(query.order_by(quarantine.c.place, quarantine.c.position).limit(limit))
        return [_entry(dict(row)) for row in found.mappings()]


def discard(engine: Engine, identity: str, ids: Sequence[str] | None) -> int:
    """Takes entries out of quarantine, all where ``ids`` is None; returns how many."""
    with writing(engine).begin() as connection:
        return connection.execute(delete(quarantine).where(*_wanted(identity, ids))).rowcount


def quarantined_partitions(engine: Engine, identity: str, ids: Sequence[str] | None = None) -> list[str]:
    """The partitions that have entries, in their order."""
    query = select(quarantine.c.partition).distinct().where(*_wanted(identity, ids)).order_by(quarantine.c.partition)
    with reading(engine).connect() as connection:
        return list(connection.execute(query).scalars())


def keep_only(connection: Connection, identity: str, partition: str, ids: Sequence[str] | None, run: str) -> None:
    """Of a partition's entries that a run tried again, leaves those that it entered again. In the transaction of its rows."""
    mine = quarantine.c.partition == partition, quarantine.c.last_run != run
    connection.execute(delete(quarantine).where(*_wanted(identity, ids), *mine))


def _page(engine: Engine, where: list[Any], after: tuple[str, str] | None, limit: int) -> list[Entry]:
    query: Select[Any] = select(quarantine).where(*where).order_by(quarantine.c.partition, quarantine.c.digest).limit(limit)
    if after is not None:
        partition, digest = after
        follows = or_(quarantine.c.partition > partition, (quarantine.c.partition == partition) & (quarantine.c.digest > digest))
        query = query.where(follows)
    with reading(engine).connect() as connection:
        return [_entry(dict(row)) for row in connection.execute(query).mappings()]


def _wanted(identity: str, ids: Sequence[str] | None) -> list[Any]:
    mine = quarantine.c.identity == identity
    return [mine] if ids is None else [mine, or_(*(quarantine.c.digest.startswith(one, autoescape=True) for one in ids))]


def _entry(row: dict[str, Any]) -> Entry:
    told = {name: value for name, value in row.items() if name not in ("identity", "form")}
    return Entry(**told, as_row=row["form"] == ROW, partial=row["form"] == PART)
