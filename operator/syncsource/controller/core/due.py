"""Whether and why a SyncSource should run next: read off its status, so that a restart comes to the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from syncsource.controller.core.source import Source
from syncsource.resource.status import HistoryEntry, SyncSourceStatus, Trigger

AT_ONCE = datetime.min.replace(tzinfo=UTC)
SPEC_CHANGED = "SpecChanged"
"""Reason of a run that was cancelled because source, destination, fields or keys changed."""
UNWANTED = "SyncRunDeleted"
"""Reason of a run that was cancelled because the SyncRun that asked for it was deleted: it is not tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next run or verification."""

    at: datetime
    trigger: Trigger
    full: bool = False
    verify: bool = False
    asked: str = ""
    """Key of the SyncRun whose turn it is, if that is next."""
    until: datetime | None = None
    """When a run comes due that goes before this verification."""


def next_run(source: Source) -> Due | None:
    """The next run; None: nothing but a change of spec or Secret, or a request, makes it run, or it runs already, here or elsewhere."""
    if source.run is not None or not source.intent.runnable:
        return None
    status = source.status
    if status.current_run is not None:
        return None
    if source.requests.pending(status):
        return Due(at=AT_ONCE, trigger="Request", full=source.requests.pending_full(status))
    if respecified(source, status):
        return Due(at=AT_ONCE, trigger="SpecChange", full=unfinished_full(status))
    if status.next_retry_time is not None:
        return Due(at=status.next_retry_time, trigger="Retry", full=unfinished_full(status))
    if status.next_run_time is not None:
        return Due(at=status.next_run_time, trigger="Schedule" if status.last_attempt_time else _first(source))
    return None


def respecified(source: Source, status: SyncSourceStatus) -> bool:
    """Whether source, destination, fields or keys differ from those of the last run, and that is a reason to run at once."""
    if status.last_attempt_hash in (None, source.intent.digest):
        return False
    last = last_entry(status)
    return source.intent.schedule is not None or (last is not None and last.reason == SPEC_CHANGED)


def last_entry(status: SyncSourceStatus) -> HistoryEntry | None:
    """The last run of the history; refusals are none."""
    return next((entry for entry in status.history if entry.result != "Refused"), None)


def unfinished_full(status: SyncSourceStatus) -> bool:
    """Whether the last run was to ignore the cursor and did not succeed: what takes its place ignores it too."""
    last = last_entry(status)
    return last is not None and last.full and last.result != "Succeeded"


def _first(source: Source) -> Trigger:
    schedule = source.intent.schedule
    return "Create" if schedule is not None and schedule.every is not None else "Schedule"
