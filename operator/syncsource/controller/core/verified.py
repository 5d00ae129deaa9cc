"""What a verification does to status: to what tells of verifications, and to nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from syncsource.controller.core import messages
from syncsource.controller.core.change import Verified, VerifyRefused, View
from syncsource.controller.core.requests import Requests
from syncsource.engine.plan import Next, Outcome
from syncsource.resource.spec import Schedule
from syncsource.resource.status import SyncSourceStatus, Verification
from syncsource.schedule.backoff import asked_delay, retry_delay
from syncsource.schedule.due import describe, next_due, whole_second


def verified(old: SyncSourceStatus, change: Verified, view: View) -> SyncSourceStatus:
    """The status after a verification. One that failed leaves what an earlier one found, and its time."""
    before, outcome = old.verification or Verification(), change.outcome
    began = {"schedule": before.schedule, "last_attempt_time": change.run.started}
    taken = verify_taken(change.run.requests, old)
    if outcome.verified is None:
        failed = {**began, **_failed(before.failures + 1, outcome, view, change.run.started)}
        return _set(old, verification=before.model_copy(update=failed), **taken)
    found = msgspec.structs.asdict(outcome.verified)
    new = Verification(**began, result="Succeeded", time=view.now, **found)
    return _set(old, verification=new, accuracy=outcome.verified.accuracy, **taken)


def verify_refused(old: SyncSourceStatus, change: VerifyRefused) -> SyncSourceStatus:
    """The status after a request that is answered without a verification."""
    told = {"result": "Refused", "reason": change.reason, "message": messages.refused(change.reason, change.why)}
    before = old.verification or Verification()
    return _set(old, verification=before.model_copy(update=told), **verify_taken(change.requests, old))


def verify_again(old: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """The status of one that could not be verified, and should be at once."""
    assert old.verification is not None
    return _set(old, verification=old.verification.model_copy(update={"next_time": whole_second(view.now)}))


def verify_taken(requests: Requests, status: SyncSourceStatus) -> dict[str, Any]:
    """The field that says which request was handled. An absent annotation leaves it as it is."""
    return {"last_handled_verify_at": requests.verify or status.last_handled_verify_at}


def next_time_told(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """When it is verified next: kept where the schedule is the same, and not before the first run that succeeded."""
    told, every = status.verification or Verification(), view.intent.verify
    if status.verification is None and every is None:
        return status
    text = describe(Schedule(every=every), uid=view.uid) if every is not None else None
    due = None
    if view.intent.runnable and status.last_success_time is not None:
        kept = told.next_time if text == told.schedule else None
        due = kept or _fresh(every, told.last_attempt_time, view)
    return _set(status, verification=told.model_copy(update={"schedule": text, "next_time": due}))


def _failed(failures: int, outcome: Outcome, view: View, began: datetime | None) -> dict[str, Any]:
    return {
        "result": "Failed",
        "reason": outcome.reason or "Failed",
        "message": messages.result(outcome),
        "failures": failures,
        "next_time": _again(failures, outcome, view, began),
    }


def _again(failures: int, outcome: Outcome, view: View, began: datetime | None) -> datetime | None:
    """When it is tried again: as a run would be, or when the schedule comes due and the other side has had the time that it asked for."""
    if (outcome.next is Next.RETRY or outcome.result == "Interrupted") and failures <= view.intent.retry.limit:
        return whole_second(view.now + retry_delay(view.intent.retry, failures=failures, at_least=outcome.retry_after))
    due = _fresh(view.intent.verify, began, view)
    return max(due, whole_second(view.now + asked_delay(outcome.retry_after))) if due is not None else None


def _fresh(every: timedelta | None, last: datetime | None, view: View) -> datetime | None:
    """When the schedule comes due, counted from the last attempt, or from now where that has passed: resuming verifies nothing at once."""
    if every is None:
        return None
    schedule = Schedule(every=every)
    due = next_due(schedule, uid=view.uid, after=last or view.now)
    return due if due > view.now else next_due(schedule, uid=view.uid, after=view.now)


def _set(status: SyncSourceStatus, **fields: Any) -> SyncSourceStatus:
    return status.model_copy(update=fields)
