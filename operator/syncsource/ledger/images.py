"""Where the images of runs are, for as long as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, delete, func, select, update

from syncsource.ledger.connecting import reading
from syncsource.ledger.runs import RunRecord
from syncsource.ledger.tables import images, runs
from syncsource.records.images import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Taken):
    """The images of one transaction as the ledger has them."""

    run: str
    partition: str
    undone_by: str | None


def keep_images(connection: Connection, identity: str, run: str, partition: str, taken: Taken, keep: timedelta) -> None:
    """Enters what a transaction did, in that transaction."""
    now = datetime.now(UTC)
    found = connection.execute(select(func.max(images.c.number)).where(images.c.identity == identity, images.c.run == run))
    columns = msgspec.json.encode({"match": list(taken.match), "changed": list(taken.changed)}).decode()
    plain = {name: getattr(taken, name) for name in ("batch", "images", "schema", "table", "rows")}
    row = {"identity": identity, "run": run, "partition": partition, "columns": columns, "number": (found.scalar() or 0) + 1}
    connection.execute(images.insert(), {**plain, **row, "taken_at": now, "keep_until": now + keep})


def images_of(engine: Engine, identity: str, run: str) -> list[Kept]:
    """Of a run, the last transaction first."""
    query = select(images).where(images.c.identity == identity, images.c.run == run).order_by(images.c.number.desc(), images.c.batch)
    with reading(engine).connect() as connection:
        return list(map(_kept, connection.execute(query)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A run of which it is kept what it did."""

    record: RunRecord
    rows: int
    keep_until: datetime
    undone_by: str | None


def undoable_runs(engine: Engine, identity: str) -> list[Undoable]:
    """Those of which anything is kept, newest first."""
    rows, until, by = func.sum(images.c.rows), func.min(images.c.keep_until), func.max(images.c.undone_by)
    told = select(images.c.run, rows, until, by).where(images.c.identity == identity).group_by(images.c.run)
    with reading(engine).connect() as connection:
        kept = {run: more for run, *more in connection.execute(told)}
        found = connection.execute(select(runs).where(runs.c.run.in_(list(kept))).order_by(runs.c.fence.desc())).mappings().all()
    return [
        Undoable(record=RunRecord(**row), rows=int(some), keep_until=end, undone_by=who)
        for row in found
        for some, end, who in [kept[row["run"]]]
    ]


def undoable(engine: Engine, identity: str, run: str | None) -> RunRecord | None:
    """The run whose id begins so; None where there is none, or more than one. ``run`` None: the last one that can be undone."""
    if run is None:
        return next((one.record for one in undoable_runs(engine, identity) if one.undone_by is None), None)
    query = select(runs).where(runs.c.identity == identity, runs.c.run.startswith(run, autoescape=True)).limit(2)
    with reading(engine).connect() as connection:
        found = connection.execute(query).mappings().all()
    return RunRecord(**found[0]) if len(found) == 1 else None


def undone(connection: Connection, batch: str, by: str) -> None:
    """Enters that a transaction was undone, by the run that did it."""
    connection.execute(update(images).where(images.c.batch == batch).values(undone_by=by))


def no_longer_kept(engine: Engine, identity: str, most: int | None) -> list[Kept]:
    """Those that are to go: out of time, or where there are more rows than ``most`` the oldest; never the last run's for being too many."""
    query = select(images).where(images.c.identity == identity).order_by(images.c.taken_at.desc(), images.c.number.desc())
    with reading(engine).connect() as connection:
        found = connection.execute(query).all()
    gone: list[Kept] = []
    rows, now = 0, datetime.now(UTC)
    for run in dict.fromkeys(one.run for one in found):  # all of a run goes, or nothing of it
        mine = [one for one in found if one.run == run]
        rows += sum(one.rows for one in mine)
        too_many = most is not None and rows > most and run != found[0].run
        if too_many or max(one.keep_until for one in mine) < now:
            gone += map(_kept, mine)
    return gone


def forget_images(connection: Connection, batches: Sequence[str]) -> None:
    """Forgets them, in the transaction that deletes them."""
    connection.execute(delete(images).where(images.c.batch.in_(batches)))


def _kept(row: Row[Any]) -> Kept:
    columns = msgspec.json.decode(row.columns, type=dict[str, list[str]])
    plain = {name: getattr(row, name) for name in ("batch", "run", "partition", "images", "schema", "table", "rows", "undone_by")}
    return Kept(**plain, match=columns["match"], changed=columns["changed"])
