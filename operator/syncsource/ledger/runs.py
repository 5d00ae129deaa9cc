"""The history of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, select, update

from syncsource.ledger.committed import enter_committed
from syncsource.ledger.connecting import reading, upsert, writing
from syncsource.ledger.fences import Fence, overtaken
from syncsource.ledger.tables import COUNTS, runs, sources


class Counts(Protocol):
    """What a run did to records."""

    @property
    def read(self) -> int: ...
    @property
    def inserted(self) -> int: ...
    @property
    def updated(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def quarantined(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    @property
    def conflicts(self) -> int: ...


class Partitions(Protocol):
    """How many partitions a run had, and how they ended."""

    @property
    def total(self) -> int: ...
    @property
    def succeeded(self) -> int: ...
    @property
    def failed(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a run, or of one of its partitions."""

    result: str
    reason: str
    message: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    skipped: int
    quarantined: int
    deleted: int
    conflicts: int
    cursor_before: str | None
    cursor_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(Result):
    """A run as the ledger keeps it. ``finished_at`` is None while ``result`` is Running."""

    run: str
    identity: str
    fence: int
    trigger: str
    generation: int
    started_at: datetime
    finished_at: datetime | None
    document_reads: int = 0
    partitions_total: int = 0
    partitions_succeeded: int = 0
    partitions_failed: int = 0


def finish_run(
    connection: Connection,
    run: str,
    *,
    result: str,
    counts: Counts | None = None,
    reason: str = "",
    message: str = "",
    cursor_before: str | None = None,
    cursor_after: str | None = None,
    document_reads: int = 0,
    partitions: Partitions | None = None,
    finished_at: datetime | None = None,
) -> None:
    """Enters the end of a run. Once: a run that is no longer Running stays as it is. ``finished_at``: now, where it is None."""
    values: dict[str, Any] = {name: getattr(counts, name) for name in COUNTS} if counts is not None else {}
    if partitions is not None:
        values |= {f"partitions_{name}": getattr(partitions, name) for name in ("total", "succeeded", "failed")}
    values |= {"document_reads": document_reads}
    values |= {"result": result, "reason": reason, "message": message, "cursor_before": cursor_before, "cursor_after": cursor_after}
    change = update(runs).where(runs.c.run == run, runs.c.result == "Running")
    connection.execute(change.values(**values, finished_at=finished_at or datetime.now(UTC)))


def end_run(
    engine: Engine,
    fence: Fence,
    *,
    result: str = "Failed",
    reason: str = "",
    message: str = "",
    counts: Counts | None = None,
    document_reads: int = 0,
    partitions: Partitions | None = None,
    cursor_before: str | None = None,
    cursor_after: str | None = None,
    finished_at: datetime | None = None,
) -> bool:
    """Enters the end of a run in a transaction of its own: of one that failed, or of one whose partitions have committed.

    False where the fence is another run's by now: then nothing is written, since that run has called this one Interrupted.
    """
    with writing(engine).begin() as connection:
        if overtaken(connection, fence):
            return False
        finish_run(
            connection,
            fence.run,
            result=result,
            counts=counts,
            reason=reason,
            message=message,
            cursor_before=cursor_before,
            cursor_after=cursor_after,
            document_reads=document_reads,
            partitions=partitions,
            finished_at=finished_at,
        )
    return True


def interrupt(
    engine: Engine, identity: str, run: str, message: str, *, trigger: str, generation: int, at: datetime | None = None
) -> RunRecord:
    """Ends a run whose process is gone, unless it has ended; returns it as it is then.

    Should the process still be alive, the run can't commit after all: its fence is taken first. One that has not come to the ledger yet
    is entered, so that it can't begin.
    """
    at = at or datetime.now(UTC)
    never = {"run": run, "identity": identity, "trigger": trigger, "generation": generation, "started_at": at, "finished_at": at}
    with writing(engine).begin() as connection:
        token = connection.execute(select(sources.c.fence).where(sources.c.identity == identity)).scalar()
        entry = {**never, "fence": token or 0, "result": "Interrupted", "reason": "Interrupted", "message": message}
        upsert(connection, runs, entry, None)
    record = found(engine, run)
    assert record is not None
    if record.result == "Running":
        _take_away(engine, record, message, at)
    return found(engine, run) or record


def _take_away(engine: Engine, record: RunRecord, message: str, at: datetime) -> None:
    with writing(engine).begin() as connection:
        mine = sources.c.identity == record.identity, sources.c.fence == record.fence
        connection.execute(update(sources).where(*mine).values(fence=sources.c.fence + 1))
    with writing(engine).begin() as connection:
        enter_committed(connection, record.run)
        finish_run(connection, record.run, result="Interrupted", reason="Interrupted", message=message, finished_at=at)


def found(engine: Engine, run: str) -> RunRecord | None:
    """A run by its id."""
    with reading(engine).connect() as connection:
        row = connection.execute(select(runs).where(runs.c.run == run)).mappings().one_or_none()
    return None if row is None else RunRecord(**row)


def succeeded(engine: Engine, run: str) -> RunRecord | None:
    """The run, if it committed: what a caller asks whose connection broke during COMMIT."""
    record = found(engine, run)
    return record if record is not None and record.result == "Succeeded" else None


def history(engine: Engine, identity: str, limit: int = 10) -> list[RunRecord]:
    """The last runs, newest first."""
    query = select(runs).where(runs.c.identity == identity).order_by(runs.c.fence.desc(), runs.c.run.desc()).limit(limit)
    with reading(engine).connect() as connection:
        return [RunRecord(**row) for row in connection.execute(query).mappings()]
