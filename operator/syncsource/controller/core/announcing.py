"""Which Events tell of what happened: little enough that ten thousand SyncSources don't flood a cluster.

Texts hold no run's id: Events of the same text are counted, not repeated.
"""

from __future__ import annotations

from syncsource.controller.core import messages
from syncsource.controller.core.happening import Announce
from syncsource.controller.core.observed import Ref
from syncsource.engine.plan import Outcome
from syncsource.resource import conditions
from syncsource.resource.conditions import find
from syncsource.resource.status import HistoryEntry, SyncSourceStatus

STALLED = "Stalled"


def announce_end(ref: Ref, outcome: Outcome, old: SyncSourceStatus, new: SyncSourceStatus) -> list[Announce]:
    """Of a run that ended. A success is told where rows changed or the last result was another."""
    if outcome.result != "Succeeded":
        return _failure(ref, outcome, old, new)
    counts = outcome.counts
    if counts.quarantined:
        return [_warning(ref, conditions.SUCCEEDED_WITH_QUARANTINE, messages.result(outcome))]
    if counts.inserted or counts.updated or _ready(old) != "True":
        return [Announce(ref=ref, type="Normal", reason=conditions.SUCCEEDED, message=messages.result(outcome))]
    return []


def announce_seen(ref: Ref, old: SyncSourceStatus, new: SyncSourceStatus) -> list[Announce]:
    """Of an object that was looked at: what its history gained, an invalid spec, and a verification that was refused."""
    known = {entry.id for entry in old.history}
    entries = [_entry(ref, entry) for entry in new.history if entry.id not in known]
    return _stall(ref, old, new) + entries + _verify_refused(ref, old, new)


def announce_verified(ref: Ref, outcome: Outcome) -> list[Announce]:
    """Of a verification that ended: only where it could not be carried through."""
    if outcome.result == "Succeeded":
        return []
    return [_warning(ref, conditions.VERIFICATION_FAILED, _told(outcome.reason, messages.result(outcome)))]


def _verify_refused(ref: Ref, old: SyncSourceStatus, new: SyncSourceStatus) -> list[Announce]:
    told = new.verification
    if told is None or told.result != "Refused" or new.last_handled_verify_at == old.last_handled_verify_at:
        return []
    return [_warning(ref, told.reason, told.message)]


def _failure(ref: Ref, outcome: Outcome, old: SyncSourceStatus, new: SyncSourceStatus) -> list[Announce]:
    if new.history == old.history:
        return []
    if outcome.result == "Interrupted":
        return [_warning(ref, conditions.INTERRUPTED, messages.result(outcome))]
    return _stall(ref, old, new) or [_warning(ref, "Failed", _told(outcome.reason, messages.result(outcome)))]


def _stall(ref: Ref, old: SyncSourceStatus, new: SyncSourceStatus) -> list[Announce]:
    before, after = find(old.conditions, conditions.STALLED), find(new.conditions, conditions.STALLED)
    if after is None or (before is not None and before.reason == after.reason and before.observed_generation == after.observed_generation):
        return []
    return [_warning(ref, STALLED, _told(after.reason, after.message))]


def _entry(ref: Ref, entry: HistoryEntry) -> Announce:
    return _warning(ref, entry.reason, entry.message)


def _ready(status: SyncSourceStatus) -> str:
    ready = find(status.conditions, conditions.READY)
    return ready.status if ready else ""


def _told(reason: str, message: str) -> str:
    return messages.capped(f"{reason}: {message}" if reason and reason != message else message)


def _warning(ref: Ref, reason: str, message: str) -> Announce:
    return Announce(ref=ref, type="Warning", reason=reason, message=message)
