"""Texts for people: of conditions, history and Events."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncsource.engine.plan import Counts, Outcome
from syncsource.resource.conditions import WAITING_FOR_SLOT
from syncsource.resource.runstatus import WAITING_FOR_RUN, WAITING_FOR_SOURCE, WAITING_FOR_TURN
from syncsource.resource.status import CurrentRun, format_time
from syncsource.resource.types import format_duration

LONGEST = 1024
"""Characters of a message in history and Events."""


_MORE = ("skipped", "quarantined", "deleted", "conflicts")
"""Counts that are told where they are not 0."""


def duration(seconds: float) -> str:
    """How long a run took: ``850ms``, ``4.1s``, ``1m4s``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    return format_duration(timedelta(seconds=round(seconds)))


def counts(done: Counts, seconds: float) -> str:
    """``12,000 read, 15 inserted, 3 updated, 11,980 unchanged, 2 quarantined in 4.1s``."""
    shown = [("read", done.read), ("inserted", done.inserted), ("updated", done.updated), ("unchanged", done.unchanged)]
    shown += [(word, number) for word in _MORE if (number := getattr(done, word))]
    return f"{', '.join(f'{number:,} {word}' for word, number in shown)} in {duration(seconds)}"


def result(outcome: Outcome) -> str:
    """What became of a run, in one line."""
    if outcome.result != "Succeeded":
        return capped(outcome.message or outcome.reason)
    if outcome.partitions is not None:
        return capped(f"{outcome.message} in {duration(outcome.seconds)}")
    return capped(counts(outcome.counts, outcome.seconds) + (f"; {outcome.message}" if outcome.message else ""))


def verified(outcome: Outcome) -> str:
    """What became of a verification, in one line."""
    found = outcome.verified
    if outcome.result == "Interrupted" and outcome.reason == "Cancelled":
        return "verification stopped: it begins again as soon as it can"
    if found is None:
        return capped(f"not verified: {outcome.reason or outcome.result}: {outcome.message}")
    share = "nothing to compare" if found.accuracy is None else f"{found.accuracy} % of {found.cells:,} cells are equal"
    return (
        f"verified: {share}, {found.rows:,} rows, {found.missing:,} missing, {found.different:,} different in {duration(outcome.seconds)}"
    )


def capped(text: str) -> str:
    """At most as many characters as a message may have."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def never_ran(generation: int) -> str:
    """Of Ready: Unknown."""
    return f"Generation {generation} of the spec has not run yet."


def refused(reason: str, why: str) -> str:
    """Of a request that is answered without a run."""
    return capped(f"The request was refused and will not run later: {reason}{f': {why}' if why else ''}.")


def next_run(moment: datetime) -> str:
    """Of Syncing: WaitingForSchedule."""
    return f"Next run at {format_time(moment)}."


def next_retry(moment: datetime, failures: int, limit: int) -> str:
    """Of Syncing: BackingOff."""
    return f"Retry {failures} of {limit} at {format_time(moment)}."


def running(run: CurrentRun) -> str:
    """Of Syncing: Running."""
    return f"{'Full run' if run.full else 'Run'} {run.id} since {format_time(run.started_at)}."


def exhausted(failures: int, message: str) -> str:
    """Of Stalled: RetriesExhausted."""
    return capped(f"{failures} runs failed in a row; the last: {message}")


def doing(run: str) -> str:
    """Of Complete: Running."""
    return f"Under way as {run}."


WAITS = {
    WAITING_FOR_SOURCE: "Waits for its SyncSource, which is not known yet.",
    WAITING_FOR_TURN: "Waits until the SyncRuns before it have ended.",
    WAITING_FOR_RUN: "Waits until the run of its SyncSource that is under way has ended.",
    WAITING_FOR_SLOT: "Waits until another run ends.",
}
"""Of Complete: False, by reason."""

WAITS_FOR_SLOT = "Due, and waits until another run ends."
WAITS_FOR_CHANGE = "Waits for a change of spec or Secret, or for a request."
ON_REQUEST = "No schedule: runs on request."
SUSPENDED = "Suspended: nothing runs."
NOT_SCHEDULED = "The spec must be mended before anything runs."
TAKEN_OVER = "Another operator took over: the run that was under way here is stopped."
NO_SOURCE = "There is no SyncSource {} in this namespace: create it, then create the SyncRun again."
SOURCE_DELETED = "The SyncSource was deleted."
ACTION_LEFT = "The operator ended in mid-action. It is not done again by itself: create another SyncRun."
ACTION_OPEN = "The operator ended in mid-action, and whether it was done is not known: look before you create another SyncRun."
OPERATOR_STOPPED = "The operator stopped. It is not done again by itself: create another SyncRun."
LEFT_BEHIND = "The operator ended in mid-run. What was not committed is gone; the next run goes on from the cursor."
