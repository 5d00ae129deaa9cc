"""When the schedule of a status comes due."""

from __future__ import annotations

from datetime import datetime

from syncsource.controller.core.change import View
from syncsource.resource import conditions
from syncsource.resource.conditions import find
from syncsource.resource.status import SyncSourceStatus
from syncsource.schedule.due import last_missed, next_due

UNTIL_SUCCESS = (conditions.AUTH_FAILED, conditions.SCHEMA_MISMATCH, conditions.RETRIES_EXHAUSTED)
"""Reasons of Stalled that stay true until a run succeeds."""


def fresh_due(status: SyncSourceStatus, view: View) -> datetime | None:
    """When the schedule comes due, counted from the last attempt, or from now where that has passed: resuming makes nothing run at once."""
    schedule, now = view.intent.schedule, view.now
    if schedule is None:
        return None
    if schedule.every is not None and status.last_attempt_time is None:
        return now
    due = next_due(schedule, uid=view.uid, after=status.last_attempt_time or now)
    return due if due > now else next_due(schedule, uid=view.uid, after=now)


def waits_for_change(status: SyncSourceStatus, view: View) -> bool:
    """Whether it is stalled with nothing due: the schedule stands still until spec or Secret change, or a request comes."""
    stalled = find(status.conditions, conditions.STALLED)
    return stalled is not None and stalled.observed_generation == view.generation and status.next_run_time is None


def missed(status: SyncSourceStatus, view: View) -> datetime | None:
    """The last time that the schedule came due and no run could start, as a run starts now."""
    schedule, due = view.intent.schedule, status.next_run_time
    if schedule is None or due is None or due > view.now:
        return status.last_missed_time
    return last_missed(schedule, uid=view.uid, due=due, now=view.now) or status.last_missed_time
