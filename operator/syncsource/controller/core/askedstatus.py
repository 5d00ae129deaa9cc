"""What the status of a SyncRun tells: that it waits, that it has begun, how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from syncsource.controller.core import messages
from syncsource.controller.core.asked import Asked
from syncsource.engine.plan import Counts, Next, Outcome, Partitions
from syncsource.resource.conditions import INTERRUPTED, RUNNING, SUCCEEDED, put
from syncsource.resource.runstatus import COMPLETE, FAILED, SyncRunCondition, SyncRunResult, SyncRunStatus
from syncsource.resource.status import HistoryEntry

_STOPPED = ("", INTERRUPTED, "Cancelled")


def pending(asked: Asked, reason: str, now: datetime) -> SyncRunStatus:
    """The status of one whose turn has not come."""
    return _told(asked, "Pending", reason, messages.WAITS[reason], now)


def begun(asked: Asked, generation: int, now: datetime) -> SyncRunStatus:
    """The status of one that begins now, with that generation of the source's spec."""
    told = _told(asked, "Running", RUNNING, messages.doing(asked.run), now)
    return _set(told, run=asked.run, source_generation=generation, started_at=now)


def ended(asked: Asked, outcome: Outcome, now: datetime) -> SyncRunStatus:
    """The status of one that has ended so, be it before it began."""
    old, good = asked.status, outcome.result == "Succeeded"
    reason, message = outcome.reason or SUCCEEDED, _message(asked, outcome)
    if outcome.result == "Interrupted" and not asked.cancelled:
        reason, message = INTERRUPTED, outcome.message if outcome.reason in _STOPPED else f"{outcome.reason}: {outcome.message}"
    elif not good:
        reason = asked.cancelled or outcome.reason or FAILED
    told = _told(asked, "Succeeded" if good else "Failed", reason, messages.capped(message), now)
    lasted = outcome.seconds or ((now - old.started_at).total_seconds() if old.started_at else 0.0)
    took = messages.duration(lasted) if old.started_at else None
    return _set(told, completed_at=now, duration=took, result=_result(asked, outcome))


def refused(asked: Asked, reason: str, message: str) -> Outcome:
    """The outcome of one that can't be done."""
    return Outcome(run=asked.run, result="Failed", next=Next.SCHEDULE, reason=reason, message=messages.capped(message))


def interrupted(asked: Asked, message: str) -> Outcome:
    """The outcome of one whose operator is gone."""
    return Outcome(run=asked.run, result="Interrupted", next=Next.SCHEDULE, reason=INTERRUPTED, message=message)


def as_recorded(entry: HistoryEntry) -> Outcome:
    """The outcome of a run that ended, as the history of its source has it."""
    return Outcome(
        run=entry.id,
        result="Failed" if entry.result == "Refused" else entry.result,
        reason="" if entry.reason == SUCCEEDED else entry.reason,
        message=entry.message,
        counts=Counts(**{name: getattr(entry, name) for name in Counts.__struct_fields__}),
        full=entry.full,
        partitions=Partitions(**entry.partitions.model_dump()) if entry.partitions else None,
        document_reads=entry.document_reads or 0,
    )


def _message(asked: Asked, outcome: Outcome) -> str:
    """Of a run as the history has it; actions say it themselves."""
    told = messages.result(outcome) if asked.is_run and outcome.seconds else outcome.message
    return messages.capped(told or messages.result(outcome))


def _result(asked: Asked, outcome: Outcome) -> SyncRunResult | None:
    found = outcome.found
    if not found and (outcome.result == "Succeeded" or outcome.counts.read or outcome.counts.changed):
        partitions = msgspec.structs.asdict(outcome.partitions) if outcome.partitions else None
        counts = {**msgspec.structs.asdict(outcome.counts), "partitions": partitions, "document_reads": outcome.document_reads or None}
        found = {"counts": counts, **({"full": outcome.full} if asked.is_run else {})}
    return SyncRunResult.model_validate(found) if found else None


def _told(asked: Asked, phase: str, reason: str, message: str, now: datetime) -> SyncRunStatus:
    old, state = asked.status, "True" if phase == "Succeeded" else "False"
    told = put(old.conditions, _condition(asked, COMPLETE, state, reason, message, now))
    if phase == "Failed":
        told = put(told, _condition(asked, FAILED, "True", reason, message, now))
    return _set(old, observed_generation=asked.generation, phase=phase, conditions=told, reason=reason, message=message)


def _condition(asked: Asked, type_: str, status: str, reason: str, message: str, now: datetime) -> SyncRunCondition:
    made = {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": now}
    return SyncRunCondition.model_validate({**made, "observedGeneration": asked.generation})


def _set(status: SyncRunStatus, **fields: Any) -> SyncRunStatus:
    return status.model_copy(update=fields)
