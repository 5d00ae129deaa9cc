"""What a run committed, partition by partition, or window by window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from syncsource.ledger.connecting import reading, upsert, writing
from syncsource.ledger.fences import Fence, overtaken
from syncsource.ledger.runs import Counts, Result
from syncsource.ledger.tables import COUNTS, run_partitions, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRecord(Result):
    """A partition in a run. ``result``: Succeeded, Failed, or Running while some of its windows are committed and others not.

    ``partition`` is empty for a run without partitions that commits window by window.
    """

    run: str
    partition: str
    finished_at: datetime


def save_partition(
    connection: Connection,
    run: str,
    partition: str,
    *,
    result: str,
    counts: Counts,
    reason: str = "",
    message: str = "",
    cursor_before: str | None = None,
    cursor_after: str | None = None,
    finished_at: datetime | None = None,
) -> None:
    """Sets what a partition has done in this run, in the transaction of its rows. ``finished_at``: now, where it is None."""
    values: dict[str, Any] = {name: getattr(counts, name) for name in COUNTS}
    values |= {"result": result, "reason": reason, "message": message, "cursor_before": cursor_before, "cursor_after": cursor_after}
    values |= {"finished_at": finished_at or datetime.now(UTC)}
    kept = ("cursor_before", "cursor_after") if result == "Failed" else ()
    upsert(
        connection,
        run_partitions,
        {"run": run, "partition": partition, **values},
        dict.fromkeys(name for name in values if name not in kept),
    )


def fail_partition(engine: Engine, fence: Fence, partition: str, *, reason: str, message: str, counts: Counts) -> None:
    """Enters that a partition failed, in a transaction of its own, unless the fence is another run's by now. ``counts``: what it had committed.
    The cursors of windows that it had committed stay."""
    with writing(engine).begin() as connection:
        if not overtaken(connection, fence):
            save_partition(connection, fence.run, partition, result="Failed", counts=counts, reason=reason, message=message)


def expect_partitions(engine: Engine, run: str, total: int) -> None:
    """Enters how many partitions the run has, so that one that is cut off tells it."""
    with writing(engine).begin() as connection:
        connection.execute(update(runs).where(runs.c.run == run, runs.c.result == "Running").values(partitions_total=total))


def partition_records(engine: Engine, run: str) -> list[PartitionRecord]:
    """The run's partitions that came to an end, or committed a window; by name."""
    query = select(run_partitions).where(run_partitions.c.run == run).order_by(run_partitions.c.partition)
    with reading(engine).connect() as connection:
        return [PartitionRecord(**row) for row in connection.execute(query).mappings()]


def partition_record(engine: Engine, run: str, partition: str) -> PartitionRecord | None:
    """One of them."""
    query = select(run_partitions).where(run_partitions.c.run == run, run_partitions.c.partition == partition)
    with reading(engine).connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else PartitionRecord(**row)
