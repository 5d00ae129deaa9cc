"""What the end of a run does to status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from syncsource.controller.core import messages
from syncsource.controller.core.change import View
from syncsource.controller.core.due import SPEC_CHANGED, UNWANTED
from syncsource.controller.core.requests import Requests
from syncsource.controller.core.scheduling import UNTIL_SUCCESS, fresh_due
from syncsource.controller.core.source import Run
from syncsource.engine.plan import Next, Outcome
from syncsource.resource import conditions
from syncsource.resource.conditions import condition, drop, find, put
from syncsource.resource.status import HISTORY_LENGTH, Condition, HistoryEntry, LastRun, PartitionCounts, Result, SyncSourceStatus
from syncsource.schedule.backoff import asked_delay, retry_delay
from syncsource.schedule.due import whole_second


def ended(old: SyncSourceStatus, run: Run, outcome: Outcome, view: View) -> SyncSourceStatus:
    """The status after a run. One that failed before its start was written leaves the traces of the start as well."""
    if run.started is None:
        if _repeated(old, run, outcome):
            return _set(old, next_retry_time=None)
        old = taken_up(old, run, view)
    status = _recorded(old, run, outcome, view)
    if outcome.result == "Succeeded":
        return _succeeded(status, run, outcome, view)
    if outcome.result == "Interrupted" and run.cancelled:
        return status if run.cancelled in (SPEC_CHANGED, UNWANTED) else _rerun(status, view)
    return _failed(status, run, outcome, view)


def interrupted(old: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """The status after a run whose operator is gone: it is in the history, and is tried again."""
    left = old.current_run
    assert left is not None
    entry = HistoryEntry(
        id=left.id,
        trigger=left.trigger,
        generation=left.generation,
        full=left.full,
        started_at=left.started_at,
        duration=messages.duration((view.now - left.started_at).total_seconds()),
        result="Interrupted",
        reason=conditions.INTERRUPTED,
        message=messages.LEFT_BEHIND,
        read=left.read,
    )
    return _rerun(_set(old, current_run=None, history=with_entry(old.history, entry)), view)


def taken(requests: Requests, status: SyncSourceStatus) -> dict[str, Any]:
    """The fields that say which requests were handled. Absent annotations leave them as they are."""
    full = requests.full if requests.pending_full(status) else status.last_handled_full_refresh_at
    return {"last_handled_request_at": requests.run or status.last_handled_request_at, "last_handled_full_refresh_at": full}


def taken_up(old: SyncSourceStatus, run: Run, view: View) -> SyncSourceStatus:
    """What the beginning of a run, be it a vain one, leaves in status."""
    fields = {
        "last_attempt_time": view.now,
        "last_attempt_hash": run.digest,
        "last_attempt_substance": run.substance,
        "next_run_time": None,
        "next_retry_time": None,
    }
    return _set(old, **fields, **taken(run.requests, old))


def with_entry(history: Sequence[HistoryEntry], entry: HistoryEntry) -> list[HistoryEntry]:
    """The history with another run in front."""
    return [entry, *history][:HISTORY_LENGTH]


def _repeated(old: SyncSourceStatus, run: Run, outcome: Outcome) -> bool:
    """Whether a look at what it waits for found it as missing as before: nothing to tell."""
    stalled = find(old.conditions, conditions.STALLED)
    if stalled is None or run.trigger != "Retry" or outcome.next is not Next.STALL:
        return False
    return (stalled.reason, stalled.message) == (outcome.reason, messages.result(outcome))


def _recorded(old: SyncSourceStatus, run: Run, outcome: Outcome, view: View) -> SyncSourceStatus:
    complete = outcome.result == "Succeeded"
    return _set(
        old,
        current_run=None,
        last_run=LastRun(id=run.id, changed=outcome.counts.changed, **_counts(outcome)),
        history=with_entry(old.history, _entry(run, outcome, view)),
        cursor=outcome.cursor if complete else outcome.cursor or old.cursor,
        quarantined=outcome.quarantined_total if complete else outcome.quarantined_total or old.quarantined,
        conflicts=outcome.conflicts_total if complete else outcome.conflicts_total or old.conflicts,
    )


def _entry(run: Run, outcome: Outcome, view: View) -> HistoryEntry:
    return HistoryEntry(
        id=run.id,
        trigger=run.trigger,
        generation=run.generation,
        full=run.full or outcome.full,
        started_at=run.started or view.now,
        duration=messages.duration(outcome.seconds or _lasted(run, view.now)),
        result=cast(Result, outcome.result),
        reason=run.cancelled if run.cancelled and outcome.result == "Interrupted" else outcome.reason or outcome.result,
        message=messages.result(outcome),
        **_counts(outcome),
    )


def _counts(outcome: Outcome) -> dict[str, Any]:
    """What both the last run and the history tell."""
    partitions = PartitionCounts(**msgspec.structs.asdict(outcome.partitions)) if outcome.partitions else None
    return {**msgspec.structs.asdict(outcome.counts), "partitions": partitions, "document_reads": outcome.document_reads or None}


def _lasted(run: Run, now: datetime) -> float:
    return (now - run.started).total_seconds() if run.started else 0.0


def _succeeded(status: SyncSourceStatus, run: Run, outcome: Outcome, view: View) -> SyncSourceStatus:
    reason = conditions.SUCCEEDED_WITH_QUARANTINE if outcome.counts.quarantined else conditions.SUCCEEDED
    fields: dict[str, Any] = {"last_success_time": view.now, "consecutive_failures": 0, "next_retry_time": None}
    told = drop(_ready(status, run, view, "True", reason, messages.result(outcome)), conditions.STALLED)
    return _set(status, conditions=told, **fields)


def _failed(status: SyncSourceStatus, run: Run, outcome: Outcome, view: View) -> SyncSourceStatus:
    failures = status.consecutive_failures + 1
    retry = _retry_time(run, outcome, failures, view)
    waits = outcome.next is Next.STALL and _of_this_spec(run, view)
    told = _ready(status, run, view, "False", outcome.reason or "Failed", messages.result(outcome))
    return _set(
        status,
        consecutive_failures=failures,
        next_retry_time=retry,
        next_run_time=None if waits else _not_before(status.next_run_time or fresh_due(status, view), retry, outcome, view),
        conditions=_stalled(told, run, outcome, view, failures) if _of_this_spec(run, view) else told,
    )


def _retry_time(run: Run, outcome: Outcome, failures: int, view: View) -> datetime | None:
    if run.secrets_changed:
        return view.now
    if _retryable(outcome) and failures <= view.intent.retry.limit:
        return whole_second(view.now + retry_delay(view.intent.retry, failures=failures, at_least=outcome.retry_after))
    return None


def _retryable(outcome: Outcome) -> bool:
    return outcome.next is Next.RETRY or outcome.result == "Interrupted"


def _not_before(due: datetime | None, retry: datetime | None, outcome: Outcome, view: View) -> datetime | None:
    """The schedule's due time, but not while the run backs off: a retry stands for it."""
    if due is None:
        return None
    return max(due, retry or whole_second(view.now + asked_delay(outcome.retry_after)) if retry or outcome.retry_after else due)


def _stalled(told: list[Condition], run: Run, outcome: Outcome, view: View, failures: int) -> list[Condition]:
    old = find(told, conditions.STALLED)
    message = messages.result(outcome)
    if outcome.next is Next.STALL or outcome.reason in (conditions.AUTH_FAILED, conditions.SCHEMA_MISMATCH):
        return put(told, _condition(view, conditions.STALLED, "True", outcome.reason, message))
    if _retryable(outcome) and failures > view.intent.retry.limit:
        return put(told, _condition(view, conditions.STALLED, "True", conditions.RETRIES_EXHAUSTED, messages.exhausted(failures, message)))
    return told if old is not None and old.reason in UNTIL_SUCCESS else drop(told, conditions.STALLED)


def _of_this_spec(run: Run, view: View) -> bool:
    """Whether the run did what the spec says now, though it may have changed since in when to run."""
    return run.generation == view.generation or run.substance == view.intent.substance


def _ready(status: SyncSourceStatus, run: Run, view: View, state: str, reason: str, message: str) -> list[Condition]:
    """Ready tells of the spec as it is now: the run of an older one leaves it as it was."""
    if not _of_this_spec(run, view):
        return list(status.conditions)
    return put(status.conditions, _condition(view, conditions.READY, state, reason, message))


def _rerun(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """An interrupted run is tried again after the backoff, longer each time, or when the schedule comes due."""
    times = next((index for index, entry in enumerate(status.history) if entry.result != "Interrupted"), len(status.history))
    retry = whole_second(view.now + retry_delay(view.intent.retry, failures=times))
    return _set(status, next_retry_time=min(retry, status.next_run_time or retry))


def _condition(view: View, type_: str, status: str, reason: str, message: str) -> Condition:
    return condition(type_, status, reason or "Failed", message, now=view.now, generation=view.generation)


def _set(status: SyncSourceStatus, **fields: Any) -> SyncSourceStatus:
    return status.model_copy(update=fields)
