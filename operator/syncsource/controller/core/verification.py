"""One SyncSource that is verified: it begins, makes way, ends. Each step returns the source as it is then, and what is to be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncsource.controller.core.announcing import announce_verified
from syncsource.controller.core.change import Verified
from syncsource.controller.core.due import SPEC_CHANGED, Due, next_run
from syncsource.controller.core.happening import Cancel, VerificationEnded
from syncsource.controller.core.source import Run, Source
from syncsource.controller.core.steps import Step, changed

REQUESTED = "Requested"
"""Reason of a verification that was stopped for a run that people asked for."""


def begin(source: Source, due: Due, id_: str, now: datetime) -> tuple[Source, Run]:
    """The source with its verification. Status tells of it when it has ended."""
    run = Run(
        id=id_,
        trigger=due.trigger,
        generation=source.generation,
        digest=source.intent.digest,
        full=False,
        requests=source.requests,
        started=now,
    )
    return replace(source, verifying=run), run


def make_way(source: Source) -> Step:
    """A verification stops for a run that people ask for, and where it compares what the spec does not say any more: it is due again then."""
    if source.verifying is None:
        return source, []
    if not source.intent.problem and source.verifying.digest != source.intent.digest:
        return cancel(source, SPEC_CHANGED)
    due = next_run(source)
    return cancel(source, REQUESTED) if due is not None and due.trigger == "Request" else (source, [])


def cancel(source: Source, reason: str) -> Step:
    """The verification, if there is one, is told to stop, once."""
    run = source.verifying
    if run is None or run.cancelled:
        return source, []
    return replace(source, verifying=replace(run, cancelled=reason)), [Cancel(run=run.id)]


def end(source: Source, ended: VerificationEnded, now: datetime) -> Step:
    """The verification ended. One that was told to stop leaves no trace."""
    run = source.verifying
    assert run is not None
    source = replace(source, verifying=None)
    if run.cancelled:
        return source, []
    source = changed(source, Verified(run=_answering(run, source), outcome=ended.outcome), now)
    return source, announce_verified(source.ref, ended.outcome)


def _answering(run: Run, source: Source) -> Run:
    """The verification with the request that it answers: none where a newer one was refused meanwhile, which would be new again."""
    newest = source.requests.verify
    refused = newest not in (None, run.requests.verify) and not source.requests.pending_verify(source.status)
    return replace(run, requests=replace(run.requests, verify=None)) if refused else run
