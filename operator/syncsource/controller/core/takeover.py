"""Two operators on one SyncSource: each leaves the other's run alone, and of a run that the other took over it tells nothing any more.

That happens where a second operator is started while the first is stopped or cut off from the API server. The second settled the run through the
ledger, which took its right to commit; what it wrote into status is the truth from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syncsource.controller.core import messages
from syncsource.controller.core.happening import Announce, Cancel, Decision
from syncsource.controller.core.observed import Observed
from syncsource.controller.core.packed import unpack_status
from syncsource.controller.core.source import Source
from syncsource.resource import conditions
from syncsource.resource.status import HistoryEntry, SyncSourceStatus

MARGIN = timedelta(minutes=1)
"""For what comes before and after a run: Secrets, waiting for a worker, the write of its end."""


def taken_over(source: Source, seen: Observed) -> str:
    """The run that was under way when status was last written here, and that somebody else ended or replaced since; empty: there is none."""
    was, now = unpack_status(source.packed_written).current_run, seen.status.current_run
    if was is None:
        return ""
    if now is not None:
        mine = {was.id, source.run.id if source.run else ""}
        return was.id if now.id not in mine else ""
    theirs = _entry(seen.status, was.id)
    return was.id if theirs is not None and theirs != _entry(source.status, was.id) else ""


def given_up(source: Source, run: str) -> tuple[Source, Sequence[Decision]]:
    """The source without that run, which is stopped if it is under way here."""
    mine = source.run
    if mine is None or mine.id != run:
        return source, []
    told = Announce(ref=source.ref, type="Warning", reason=conditions.TAKEN_OVER, message=messages.TAKEN_OVER)
    adopted = mine.cancelled == conditions.INTERRUPTED
    return replace(source, run=None), [] if adopted else [Cancel(run=run), told]


def presumed_over(source: Source) -> datetime | None:
    """When a run that another operator began must have ended, had its operator lived: then it is settled here. None: there is none."""
    elsewhere = source.status.current_run if source.run is None else None
    return elsewhere.started_at + source.intent.timeout + MARGIN if elsewhere is not None else None


def _entry(status: SyncSourceStatus, run: str) -> HistoryEntry | None:
    return next((entry for entry in status.history if entry.id == run), None)
