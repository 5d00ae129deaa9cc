"""What a SyncSource must remember, in the database that its rows go to: fences, cursors, runs and quarantine.

The tables are named ``syncsource_*`` and stand in the connection's default schema. What belongs to a run's rows (cursor, quarantine,
result, fence check) is written on the connection that writes the rows, in their transaction, which the caller begins and ends.
The rest has transactions of its own.

What may not happen here: a secret in a table, a COMMIT of the caller's transaction, a table that is not the ledger's.
"""

from syncsource.ledger.cursors import Cursor, cursor, forget, forget_states, rewind, save_cursor
from syncsource.ledger.entries import Entry, discard, entries, keep_only, quarantined_partitions
from syncsource.ledger.fences import FENCED, Fence, acquire, check_fence
from syncsource.ledger.images import Kept as KeptImages
from syncsource.ledger.images import Undoable, forget_images, images_of, keep_images, no_longer_kept, undoable, undoable_runs, undone
from syncsource.ledger.inferred import inferred_fields, remember_fields
from syncsource.ledger.partitions import (
    PartitionRecord,
    expect_partitions,
    fail_partition,
    partition_record,
    partition_records,
    save_partition,
)
from syncsource.ledger.preparing import prepare, version
from syncsource.ledger.quarantine import commit_rejected, has_quarantined, quarantine_counts, quarantine_total, stage_rejected
from syncsource.ledger.runs import RunRecord, end_run, finish_run, history, interrupt, succeeded

__all__ = [
    "FENCED",
    "Cursor",
    "Entry",
    "Fence",
    "KeptImages",
    "PartitionRecord",
    "RunRecord",
    "Undoable",
    "acquire",
    "check_fence",
    "commit_rejected",
    "cursor",
    "discard",
    "end_run",
    "entries",
    "expect_partitions",
    "fail_partition",
    "finish_run",
    "forget",
    "forget_images",
    "forget_states",
    "has_quarantined",
    "history",
    "images_of",
    "inferred_fields",
    "interrupt",
    "keep_images",
    "keep_only",
    "no_longer_kept",
    "partition_record",
    "partition_records",
    "prepare",
    "quarantine_counts",
    "quarantine_total",
    "quarantined_partitions",
    "remember_fields",
    "rewind",
    "save_cursor",
    "save_partition",
    "stage_rejected",
    "succeeded",
    "undoable",
    "undoable_runs",
    "undone",
    "version",
]
