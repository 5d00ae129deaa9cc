"""One SyncSource: something happened, what now. Each step returns the source as it is then, and what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncsource.controller.core.announcing import announce_end, announce_seen
from syncsource.controller.core.change import (
    Began,
    Change,
    Ended,
    LeftBehind,
    Looked,
    Moved,
    Outdated,
    Refused,
    SecretChanged,
    VerifyOutdated,
    VerifyRefused,
    VerifySecretChanged,
    View,
)
from syncsource.controller.core.due import SPEC_CHANGED, Due
from syncsource.controller.core.happening import Announce, Cancel, Decision, RunEnded, RunStarted, Settle
from syncsource.controller.core.observed import Observed
from syncsource.controller.core.source import Run, Source, acknowledged, refreshed, source_of
from syncsource.controller.core.status import next_status
from syncsource.controller.core.takeover import given_up, taken_over
from syncsource.resource import conditions
from syncsource.resource.conditions import find
from syncsource.resource.status import SyncSourceStatus

STOPPING = "OperatorStopped"
"""Reason of a run that was cancelled because the operator stops."""

Step = tuple[Source, Sequence[Decision]]


def view(source: Source, now: datetime) -> View:
    """What the source's status is about."""
    return View(uid=source.ref.uid, generation=source.generation, intent=source.intent, run=source.run, waiting=source.waiting, now=now)


def changed(source: Source, change: Change, now: datetime) -> Source:
    """The source after the change."""
    return source.holding(next_status(source.status, change, view(source, now)))


def see(old: Source | None, seen: Observed, now: datetime, id_: str) -> Step:
    """The object was seen, for the first time or at a newer version. ``id_`` names a refusal, if there is one."""
    lost = taken_over(old, seen) if old is not None else ""
    source = adopted(source_of(seen)) if old is None else refreshed(old, seen, yielding=bool(lost))
    source, stopped = given_up(source, lost)
    before = source.status
    for change in _noticed(old, source, id_):
        source = changed(source, change, now)
    source, cancelled = _cancel_outdated(source)
    settle = [Settle(ref=source.ref, run=source.run)] if old is None and source.run is not None else []
    return source, [*settle, *stopped, *cancelled, *announce_seen(source.ref, before, source.status)]


def adopted(source: Source) -> Source:
    """A source that is seen for the first time with the run that its status tells of: another operator's, which is gone."""
    left = source.status.current_run
    if left is None or source.intent.problem:
        return source
    run = Run(
        id=left.id,
        trigger=left.trigger,
        generation=left.generation,
        digest=source.status.last_attempt_hash or "",
        substance=source.status.last_attempt_substance or "",
        full=left.full,
        requests=source.requests,
        started=left.started_at,
        told=left.started_at,
        read=left.read,
        cancelled=conditions.INTERRUPTED,
    )
    return replace(source, run=run)


def settled_late(source: Source, now: datetime) -> Step:
    """The run of another operator has taken longer than any may: that operator is gone."""
    source = changed(adopted(source), LeftBehind(), now)
    return source, [Settle(ref=source.ref, run=source.run)] if source.run is not None else []


def _noticed(old: Source | None, source: Source, id_: str) -> list[Change]:
    """What there is to notice about an object, in this order."""
    changes: list[Change] = [LeftBehind() if old is None else Looked()]
    requests, status = source.requests, source.status
    if requests.pending(status):
        changes += _answered(source, id_)
    under_way = source.verifying is not None and source.verifying.requests.verify == requests.verify
    if requests.pending_verify(status) and not under_way:
        changes += _verify_answered(source)
    return changes


def _answered(source: Source, id_: str) -> list[Change]:
    """How a request is answered without a run, if it is."""
    if source.requests.outdated:
        return [Outdated(source.requests)]
    if source.intent.runnable:
        return []
    reason, why = _refusal(source)
    return [Refused(id=id_, generation=source.generation, requests=source.requests, reason=reason, why=why)]


def _verify_answered(source: Source) -> list[Change]:
    """The same for a verification."""
    if source.requests.verify_outdated:
        return [VerifyOutdated(source.requests)]
    if source.intent.runnable:
        return []
    reason, why = _refusal(source)
    return [VerifyRefused(requests=source.requests, reason=reason, why=why)]


def _refusal(source: Source) -> tuple[str, str]:
    intent = source.intent
    if intent.suspend:
        return conditions.SUSPEND_REFUSED, intent.suspend_reason
    return conditions.INVALID_SPEC, intent.problem


def _cancel_outdated(source: Source) -> Step:
    """A run of another source, destination, fields or keys than the spec has now is stopped."""
    if source.run is None or source.intent.problem or source.run.digest == source.intent.digest:
        return source, []
    return cancel(source, SPEC_CHANGED)


def cancel(source: Source, reason: str) -> Step:
    """The run, if there is one, is told to stop, once."""
    run = source.run
    if run is None or run.cancelled:
        return source, []
    return replace(source, run=replace(run, cancelled=reason)), [Cancel(run=run.id)]


def prepare(source: Source, due: Due, id_: str) -> Source:
    """The source with a run that is being prepared. Status tells of it when it starts."""
    run = Run(
        id=id_,
        trigger=due.trigger,
        generation=source.generation,
        digest=source.intent.digest,
        substance=source.intent.substance,
        full=due.full,
        requests=source.requests,
        asked=due.asked,
    )
    return replace(source, run=run, waiting=False)


def take_requests(source: Source) -> Source:
    """The run that is about to start answers what was asked since it was decided, unless that is a full refresh and it is none."""
    run = source.run
    assert run is not None
    if source.requests.pending_full(source.status) and not run.full:
        return source
    return replace(source, run=replace(run, requests=source.requests))


def begun(source: Source, now: datetime) -> SyncSourceStatus:
    """The status of the source if its run started now."""
    assert source.run is not None
    run = replace(source.run, started=now)
    return next_status(source.status, Began(run), view(replace(source, run=run), now))


def begin(source: Source, started: RunStarted) -> Source:
    """The start of the run was written."""
    assert source.run is not None
    run = replace(source.run, started=started.at, told=started.at)
    return changed(replace(acknowledged(source, started.packed, started.version), run=run), Began(run), started.at)


def abandon(source: Source, now: datetime) -> Source:
    """The run could not start: as if it had never been decided."""
    return changed(replace(source, run=None), Looked(), now)


def end(source: Source, ended: RunEnded, now: datetime) -> Step:
    """The run ended."""
    run, before = source.run, source.status
    assert run is not None
    source = changed(replace(source, run=None), Ended(run=run, outcome=ended.outcome), now)
    told: list[Announce] = announce_end(source.ref, ended.outcome, before, source.status)
    return source, told


def move(source: Source, now: datetime) -> Source:
    """Status tells how far the run has come."""
    assert source.run is not None
    run = replace(source.run, told=now)
    return changed(replace(source, run=run), Moved(run), now)


def wait(source: Source, now: datetime) -> Source:
    """Status tells that the source waits for a slot."""
    return changed(replace(source, waiting=True), Looked(), now)


def secret_changed(source: Source, now: datetime) -> Source:
    """A Secret that it names changed: what backs off, is stalled or could not be verified is tried again at once."""
    if source.run is not None:
        return replace(source, run=replace(source.run, secrets_changed=True))
    if not source.intent.runnable:
        return source
    status = source.status
    if source.verifying is None and status.verification is not None and status.verification.failures:
        source = changed(source, VerifySecretChanged(), now)
    waits = status.next_retry_time is not None or find(status.conditions, conditions.STALLED) is not None
    return changed(source, SecretChanged(), now) if waits else source
