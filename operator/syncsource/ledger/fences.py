"""Two runs of one SyncSource can't both commit: each takes a token, and the newest token alone is valid."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import IntegrityError

from syncsource.errors import AbortedError, RetryableError
from syncsource.ledger.committed import enter_committed
from syncsource.ledger.connecting import upsert, writing
from syncsource.ledger.tables import runs, sources

_LONG = 60.0
"""Seconds of trying after which nobody tries again."""
_ENDED = (1213, 1020)
"""What MySQL answers to those that it ends so that others go on: a deadlock, and a row that changed since it was read."""
_Found = TypeVar("_Found")
FENCED = "another run of this SyncSource took over: nothing of this one was committed"
"""Message of a run that is Fenced."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A run's right to commit, until another run of the same identity takes the next token."""

    identity: str
    run: str
    token: int
    interrupted: list[str] = field(default_factory=list)
    """Runs of this identity that were still Running and are now Interrupted."""


def acquire(engine: Engine, identity: str, *, run: str, trigger: str, generation: int, started_at: datetime) -> Fence:
    """Takes the next token and enters the run as Running.

    The token is committed alone: a run that commits right now holds a share lock on it, and is waited for. Only then are older
    runs Interrupted, so that none is that has committed, and neither side waits for a row that the other holds.
    AbortedError (Fenced) where this run itself was called Interrupted before it began.
    """
    token = _among_others(engine, lambda connection: _token(connection, identity, run, started_at))
    values = {"run": run, "identity": identity, "fence": token, "trigger": trigger, "generation": generation}

    def enter(connection: Connection) -> list[str]:
        interrupted = _interrupt_older(connection, identity, token, run, started_at)
        connection.execute(runs.insert(), {**values, "started_at": started_at, "result": "Running"})
        return interrupted

    try:
        return Fence(identity, run, token, _among_others(engine, enter))
    except IntegrityError:
        raise AbortedError(FENCED, reason="Fenced") from None


def _token(connection: Connection, identity: str, run: str, at: datetime) -> int:
    """The next one."""
    if connection.execute(select(runs.c.run).where(runs.c.run == run)).first() is not None:
        raise AbortedError(FENCED, reason="Fenced")
    upsert(connection, sources, {"identity": identity, "fence": 1, "acquired_at": at}, {"fence": sources.c.fence + 1, "acquired_at": None})
    found: int = connection.execute(select(sources.c.fence).where(sources.c.identity == identity)).scalar_one()
    return found


def _among_others(engine: Engine, work: Callable[[Connection], _Found]) -> _Found:
    """In a transaction of its own. Of many that want the same at once MySQL ends some, which try again."""
    begun = time.monotonic()
    while True:
        try:
            with writing(engine).begin() as connection:
                return work(connection)
        except RetryableError as error:
            if engine.dialect.name != "mysql" or not _among_many(error) or time.monotonic() - begun > _LONG:
                raise
            time.sleep(random.uniform(0, 0.05))


def _among_many(error: RetryableError) -> bool:
    """Whether it was ended for others. Who waited for a lock in vain has waited enough."""
    return error.__cause__ is not None and error.__cause__.args[:1] in [(code,) for code in _ENDED]


def check_fence(connection: Connection, fence: Fence) -> None:
    """The last statement before COMMIT. AbortedError (Fenced) where another run took over; otherwise none can until this one ends."""
    if not holds(connection, fence):
        raise AbortedError(FENCED, reason="Fenced")


def holds(connection: Connection, fence: Fence) -> bool:
    """Whether the token is still the newest; if so it stays so until the transaction ends."""
    return _newest(connection, fence) == fence.token


def overtaken(connection: Connection, fence: Fence) -> bool:
    """Whether another run took a newer token. In a database that was restored from a backup the newest is an older one."""
    newest = _newest(connection, fence)
    return newest is not None and newest > fence.token


def _newest(connection: Connection, fence: Fence) -> int | None:
    """The identity's newest token, locked until the transaction ends."""
    query = select(sources.c.fence).where(sources.c.identity == fence.identity)
    return connection.execute(query.with_for_update(read=True)).scalar()


def _interrupt_older(connection: Connection, identity: str, token: int, run: str, at: datetime) -> list[str]:
    older = runs.c.identity == identity, runs.c.fence < token, runs.c.result == "Running"
    found = sorted(connection.execute(select(runs.c.run).where(*older).with_for_update()).scalars())
    for one in found:
        left = "what it had committed stays" if enter_committed(connection, one) else "nothing of it was committed"
        message = f"run {run} took over: this one had not finished, and {left}"
        ended = {"result": "Interrupted", "reason": "Interrupted", "message": message, "finished_at": at}
        connection.execute(update(runs).where(runs.c.run == one, *older).values(**ended))
    return found
