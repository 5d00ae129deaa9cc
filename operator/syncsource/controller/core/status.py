"""The one function that makes a new status of an old one and what happened.

First what happened is taken down, then everything that follows from it is derived anew: that part is the same whatever happened,
so none of it can be forgotten.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncsource.controller.core import messages
from syncsource.controller.core.change import (
    Began,
    Change,
    Counted,
    Ended,
    LeftBehind,
    Looked,
    Moved,
    Outdated,
    Refused,
    SecretChanged,
    Verified,
    VerifyOutdated,
    VerifyRefused,
    VerifySecretChanged,
    View,
)
from syncsource.controller.core.deriving import STEPS
from syncsource.controller.core.ending import ended, interrupted, taken, taken_up, with_entry
from syncsource.controller.core.scheduling import missed
from syncsource.controller.core.source import Run
from syncsource.controller.core.verified import verified, verify_again, verify_refused, verify_taken
from syncsource.resource import conditions
from syncsource.resource.conditions import find
from syncsource.resource.status import CurrentRun, HistoryEntry, SyncSourceStatus


def next_status(old: SyncSourceStatus, change: Change, view: View) -> SyncSourceStatus:
    """The status after ``change``; equal to ``old`` where there is nothing to tell."""
    status = _happened(old, change, view)
    for step in STEPS:
        status = step(status, view)
    return status


def _happened(old: SyncSourceStatus, change: Change, view: View) -> SyncSourceStatus:
    match change:
        case Looked():
            return old
        case LeftBehind():
            return _left_behind(old, view)
        case Outdated(requests):
            return _set(old, **taken(requests, old))
        case Refused():
            return _refused(old, change, view.now)
        case Began(run):
            return _began(old, run, view)
        case Moved(run):
            return _moved(old, run)
        case Ended(run=run, outcome=outcome):
            return ended(old, run, outcome, view)
        case SecretChanged():
            return _set(old, next_retry_time=view.now)
        case Verified():
            return verified(old, change, view)
        case VerifyOutdated(requests):
            return _set(old, **verify_taken(requests, old))
        case VerifyRefused():
            return verify_refused(old, change)
        case VerifySecretChanged():
            return verify_again(old, view)
        case Counted(quarantined=quarantined, conflicts=waiting):
            return _counted(old, quarantined, waiting)


def _left_behind(old: SyncSourceStatus, view: View) -> SyncSourceStatus:
    if old.current_run is not None:
        return old if view.run is not None else interrupted(old, view)
    stalled = find(old.conditions, conditions.STALLED)
    if stalled is not None and stalled.reason in (conditions.SECRET_NOT_FOUND, conditions.INVALID_SPEC):
        return _set(old, next_retry_time=view.now)
    return old


def _refused(old: SyncSourceStatus, change: Refused, now: datetime) -> SyncSourceStatus:
    entry = HistoryEntry(
        id=change.id,
        trigger="Request",
        generation=change.generation,
        full=change.requests.pending_full(old),
        started_at=now,
        duration=messages.duration(0),
        result="Refused",
        reason=change.reason,
        message=messages.refused(change.reason, change.why),
    )
    return _set(old, history=with_entry(old.history, entry), **taken(change.requests, old))


def _began(old: SyncSourceStatus, run: Run, view: View) -> SyncSourceStatus:
    current = CurrentRun(id=run.id, trigger=run.trigger, generation=run.generation, full=run.full, started_at=view.now)
    return _set(taken_up(old, run, view), current_run=current, last_missed_time=missed(old, view))


def _moved(old: SyncSourceStatus, run: Run) -> SyncSourceStatus:
    if old.current_run is None:
        return old
    return _set(old, current_run=old.current_run.model_copy(update={"read": run.read}))


def _counted(old: SyncSourceStatus, quarantined: int | None, waiting: int | None) -> SyncSourceStatus:
    told = {"quarantined": quarantined, "conflicts": waiting}
    return _set(old, **{name: count for name, count in told.items() if count is not None})


def _set(status: SyncSourceStatus, **fields: Any) -> SyncSourceStatus:
    return status.model_copy(update=fields)
