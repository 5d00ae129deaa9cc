"""Whether a SyncSource should be verified next, or run: read off its status, so that a restart comes to the same answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncsource.controller.core.due import AT_ONCE, Due, next_run
from syncsource.controller.core.source import Source


def next_work(source: Source, now: datetime, asked: str = "") -> Due | None:
    """What is due next, a run or a verification. Runs go first: a verification that can't begin before a run comes due waits for its end.
    ``asked``: the SyncRun whose turn it is, which goes before both."""
    if asked:
        return Due(at=AT_ONCE, trigger="Request", asked=asked) if source.status.current_run is None else None
    run, verification = next_run(source), next_verification(source)
    if verification is None or (run is not None and run.at <= max(verification.at, now)):
        return run
    return replace(verification, until=run.at if run is not None else None)


def next_verification(source: Source) -> Due | None:
    """The next verification; None: there is none, or it runs or is verified already, here or elsewhere."""
    if source.run is not None or source.verifying is not None or not source.intent.runnable:
        return None
    if source.requests.verify is None and source.intent.verify is None:
        return None
    status = source.status
    if status.current_run is not None:
        return None
    if source.requests.pending_verify(status):
        return Due(at=AT_ONCE, trigger="Request", verify=True)
    told = status.verification
    if told is None or told.next_time is None:
        return None
    return Due(at=told.next_time, trigger="Retry" if told.failures else "Schedule", verify=True)
