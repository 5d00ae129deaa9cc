"""What a SyncSource must remember, in the database that its rows go to: fences, cursors, runs and quarantine.

The tables are named ``syncsource_*`` and stand in the connection's default schema. What belongs to a run's rows (cursor, quarantine,
result, fence check) is written on the connection that writes the rows, in their transaction, which the caller begins and ends.
The rest has transactions of its own.

What may not happen here: a secret in a table, a COMMIT of the caller's transaction, a table that is not the ledger's.
"""

from syncsource.ledger.cursors import Cursor, cursor, save_cursor
from syncsource.ledger.fences import FENCED, Fence, acquire, check_fence
from syncsource.ledger.preparing import prepare
from syncsource.ledger.quarantine import commit_rejected, quarantine_counts, stage_rejected
from syncsource.ledger.runs import RunRecord, fail_run, finish_run, history, interrupt, succeeded

__all__ = [
    "FENCED",
    "Cursor",
    "Fence",
    "RunRecord",
    "acquire",
    "check_fence",
    "commit_rejected",
    "cursor",
    "fail_run",
    "finish_run",
    "history",
    "interrupt",
    "prepare",
    "quarantine_counts",
    "save_cursor",
    "stage_rejected",
    "succeeded",
]
