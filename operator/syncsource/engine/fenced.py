"""What a command does to rows, as a run does it: under the fence, with a run record of its own, all of it in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from syncsource import failpoints, ledger
from syncsource.destinations import Database
from syncsource.engine.ending import failed, known
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.errors import SyncError

T = TypeVar("T")


class Worker(Protocol):
    """A connection with a transaction of its own."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Committed at the end of the block, gone if it raises."""

    def cancel(self) -> None:
        """From any thread."""


def foreseen(worker: Worker, stop: Stop, work: Callable[[], T]) -> T:
    """What ``work`` tells that was done in a transaction which is rolled back."""
    found: list[T] = []
    with stop.calling(worker.cancel), suppress(_Enough), worker.transaction():
        found.append(work())
        raise _Enough
    return found[0]


def fenced(plan: RunPlan, database: Database, worker: Worker, stop: Stop, trigger: str, work: Callable[[Connection], Outcome]) -> Outcome:
    """``work`` in a transaction that ends the run, too. Where it raises, the run's record says why, and nothing has changed."""
    fence = ledger.acquire(
        database.engine, plan.identity, run=plan.run, trigger=trigger, generation=plan.generation, started_at=datetime.now(UTC)
    )
    try:
        with stop.calling(worker.cancel), worker.transaction() as connection:
            outcome = work(connection)
            ledger.finish_run(connection, plan.run, result="Succeeded", counts=outcome.counts, message=outcome.message)
            stop.check()
            ledger.check_fence(connection, fence)
            failpoints.hit("before-commit")
        failpoints.hit("after-commit")
    except Exception as error:
        ours = stop.cause_of(known(error))
        with suppress(SyncError):
            ledger.end_run(database.engine, fence, reason=ours.reason, message=redact(ours.message, plan.secrets))
        raise
    return outcome


def ended(plan: RunPlan, stop: Stop, work: Callable[[], tuple[Outcome, T]]) -> tuple[Outcome, T | None]:
    """The outcome of ``work``, whatever it raises, without secrets; and what else it tells, None where it failed."""
    started, done = time.monotonic(), None
    try:
        outcome, done = work()
    except Exception as error:
        outcome = failed(plan, stop.cause_of(known(error)))
    message = redact(outcome.message, plan.secrets)
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3), message=message), done


class _Enough(Exception):
    """Ends a transaction whose work is only looked at."""
