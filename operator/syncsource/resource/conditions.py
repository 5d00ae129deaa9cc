"""Types and reasons of the conditions, each with its meaning, and how a condition changes.

Ready     the last result. It does not flap while a routine run is under way; a new spec makes it Unknown until its first run.
Syncing   True: Running. False: WaitingForSchedule, WaitingForSlot, BackingOff, Manual.
Stalled   only while true: InvalidSpec, SecretNotFound, AuthFailed, SchemaMismatch, RetriesExhausted.
Suspended only while true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from syncsource.resource.status import AnyCondition, Condition

C = TypeVar("C", bound=AnyCondition)

READY = "Ready"
SYNCING = "Syncing"
STALLED = "Stalled"
SUSPENDED = "Suspended"

SUCCEEDED = "Succeeded"
"""Ready is True: the last run wrote all that it read."""
SUCCEEDED_WITH_QUARANTINE = "RecordsQuarantined"
"""Ready is True, but the last run put records into quarantine."""
NEVER_RAN = "NeverRan"
"""Ready is Unknown: this spec has not run yet."""

RUNNING = "Running"
WAITING_FOR_SCHEDULE = "WaitingForSchedule"
WAITING_FOR_SLOT = "WaitingForSlot"
BACKING_OFF = "BackingOff"
MANUAL = "Manual"
"""No schedule: runs only on request."""

INVALID_SPEC = "InvalidSpec"
SECRET_NOT_FOUND = "SecretNotFound"
AUTH_FAILED = "AuthFailed"
SCHEMA_MISMATCH = "SchemaMismatch"
RETRIES_EXHAUSTED = "RetriesExhausted"
INTERRUPTED = "Interrupted"
TAKEN_OVER = "TakenOver"
"""Reason of an Event: another operator settled a run that was under way here."""
SUSPEND_REFUSED = "Suspended"
VERIFICATION_FAILED = "VerificationFailed"
"""Reason of an Event: the source could not be compared with the table."""


def find(conditions: Iterable[C], type_: str) -> C | None:
    """The condition of that type, if there."""
    return next((condition for condition in conditions if condition.type == type_), None)


def put(conditions: Sequence[C], new: C) -> list[C]:
    """The conditions with ``new`` in its type's place; its transition time is kept where the status did not change."""
    old = find(conditions, new.type)
    if old is None:
        return [*conditions, new]
    if old.status == new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    return [new if condition.type == new.type else condition for condition in conditions]


def drop(conditions: Sequence[Condition], type_: str) -> list[Condition]:
    """The conditions without that type."""
    return [condition for condition in conditions if condition.type != type_]


def condition(type_: str, status: str, reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """A condition as of ``now``."""
    return Condition.model_validate(
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": now,
            "observedGeneration": generation,
        }
    )
