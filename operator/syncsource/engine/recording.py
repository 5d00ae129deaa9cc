"""How the ledger knows of actions: by runs, whose triggers these are. Without the engine, which takes the operator memory that it needs for nothing else."""

from __future__ import annotations

from syncsource.engine.plan import Outcome
from syncsource.resource.syncrun import SyncRunSpec

UNDO = "Undo"
RESTORE = "Restore"
DUPLICATES = "Duplicates"
RETRY = "Retry"
RESOLVE = "Resolve"

_BY_ACTION = {"Undo": UNDO, "Restore": RESTORE, "Duplicates": DUPLICATES, "RetryQuarantined": RETRY, "ResolveConflict": RESOLVE}

OPEN = "whether it had committed is not known"
"""What the message of an outcome says where the ledger could not be asked."""


def recorded(asked: SyncRunSpec) -> str:
    """The trigger of the run by which the ledger knows of the action; empty: it leaves none."""
    return _BY_ACTION.get(asked.action, "") if asked.writes else ""


def left_open(outcome: Outcome) -> bool:
    """Whether nobody knows what became of it."""
    return OPEN in outcome.message
