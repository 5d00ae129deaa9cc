"""What a run had committed that did not come to its end."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from syncsource.ledger.tables import COUNTS, run_partitions, runs


def enter_committed(connection: Connection, run: str) -> bool:
    """Enters in its record the counts of its partitions, windows and batches; False where it had committed none."""
    sums = [func.sum(run_partitions.c[name]) for name in COUNTS]
    found = connection.execute(select(*sums).where(run_partitions.c.run == run)).one()
    if found[0] is None:
        return False
    counts = {name: int(count) for name, count in zip(COUNTS, found, strict=True)}
    connection.execute(update(runs).where(runs.c.run == run, runs.c.result == "Running").values(**counts))
    return True
