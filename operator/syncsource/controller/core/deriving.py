"""What follows from the object, the time and the rest of the status: derived anew after whatever happened, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncsource.controller.core import messages
from syncsource.controller.core.change import View
from syncsource.controller.core.scheduling import UNTIL_SUCCESS, fresh_due, waits_for_change
from syncsource.controller.core.verified import next_time_told
from syncsource.resource import conditions
from syncsource.resource.conditions import condition, drop, find, put
from syncsource.resource.status import Condition, SyncSourceStatus
from syncsource.schedule.due import describe


def _mended(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """A new generation lifts what waited for one."""
    stalled = find(status.conditions, conditions.STALLED)
    if stalled is None or stalled.observed_generation == view.generation or stalled.reason in UNTIL_SUCCESS:
        return status
    return _set(status, conditions=drop(status.conditions, conditions.STALLED))


def _invalid(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    if not view.intent.problem:
        return status
    message = messages.capped(view.intent.problem)
    ready = _condition(view, conditions.READY, "False", conditions.INVALID_SPEC, message)
    stalled = _condition(view, conditions.STALLED, "True", conditions.INVALID_SPEC, message)
    return _set(status, conditions=put(put(status.conditions, ready), stalled))


def _unknown(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    """A spec that has not run yet: nobody knows whether it will. One that only says when to run keeps the last result."""
    ready = find(status.conditions, conditions.READY)
    if ready is not None and ready.observed_generation == view.generation:
        return status
    if ready is not None and ready.status != "Unknown" and status.last_attempt_substance == view.intent.substance:
        kept = ready.model_copy(update={"observed_generation": view.generation})
        return _set(status, conditions=put(status.conditions, kept))
    unknown = _condition(view, conditions.READY, "Unknown", conditions.NEVER_RAN, messages.never_ran(view.generation))
    return _set(status, conditions=put(status.conditions, unknown))


def _suspended(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    if not view.intent.suspend:
        return _set(status, conditions=drop(status.conditions, conditions.SUSPENDED))
    told = _condition(view, conditions.SUSPENDED, "True", "Suspended", view.intent.suspend_reason or messages.SUSPENDED)
    return _set(status, conditions=put(status.conditions, told))


def _tried_again(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    started = view.run is not None and view.run.started is not None
    return _set(status, next_retry_time=None) if started or not view.intent.runnable else status


def _scheduled(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    schedule = view.intent.schedule
    text = describe(schedule, uid=view.uid) if schedule is not None else None
    if not view.intent.runnable or waits_for_change(status, view):
        return _set(status, effective_schedule=text, next_run_time=None)
    kept = status.next_run_time if text == status.effective_schedule else None
    return _set(status, effective_schedule=text, next_run_time=kept or fresh_due(status, view))


def _observed(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    return _set(status, observed_generation=view.generation, source=view.intent.source or status.source)


def _syncing(status: SyncSourceStatus, view: View) -> SyncSourceStatus:
    state, reason, message = _syncing_words(status, view)
    return _set(status, conditions=put(status.conditions, _condition(view, conditions.SYNCING, state, reason, message)))


def _syncing_words(status: SyncSourceStatus, view: View) -> tuple[str, str, str]:
    if status.current_run is not None:
        return "True", conditions.RUNNING, messages.running(status.current_run)
    if view.intent.suspend:
        return "False", conditions.WAITING_FOR_SCHEDULE if view.intent.schedule else conditions.MANUAL, messages.SUSPENDED
    if view.intent.problem:
        return "False", conditions.MANUAL, messages.NOT_SCHEDULED
    if view.waiting:
        return "False", conditions.WAITING_FOR_SLOT, messages.WAITS_FOR_SLOT
    if status.next_retry_time is not None:
        told = messages.next_retry(status.next_retry_time, status.consecutive_failures, view.intent.retry.limit)
        return "False", conditions.BACKING_OFF, told
    if status.next_run_time is not None:
        return "False", conditions.WAITING_FOR_SCHEDULE, messages.next_run(status.next_run_time)
    return "False", conditions.MANUAL, messages.WAITS_FOR_CHANGE if view.intent.schedule else messages.ON_REQUEST


STEPS: tuple[Callable[[SyncSourceStatus, View], SyncSourceStatus], ...] = (
    _mended,
    _invalid,
    _unknown,
    _suspended,
    _tried_again,
    _scheduled,
    next_time_told,
    _observed,
    _syncing,
)
"""In this order."""


def _condition(view: View, type_: str, status: str, reason: str, message: str) -> Condition:
    return condition(type_, status, reason, message, now=view.now, generation=view.generation)


def _set(status: SyncSourceStatus, **fields: Any) -> SyncSourceStatus:
    return status.model_copy(update=fields)
