"""How runs end: any error as one of ours, what happens next, and the words for it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from pydantic import ValidationError

from syncsource.engine.plan import Counts, Next, Outcome, PartitionOutcome, Partitions, RunPlan
from syncsource.errors import AbortedError, PermanentError, RetryableError, StalledError, SyncError, outside_text

FAILED = "PartitionsFailed"
"""Reason of a run of which a partition failed, unless all failed for one reason."""
UNCHANGED = "the source is unchanged"

_TOLD = 3
"""Failed partitions that a message names."""

_log = logging.getLogger(__name__)


def known(error: Exception) -> SyncError:
    """Any exception as one of ours. What nobody foresaw is told by its type only: its text might hold a secret."""
    if isinstance(error, SyncError):
        return error
    if isinstance(error, ValidationError):
        return StalledError(
            "the spec does not fit this version of the operator; is the installed CRD newer or older?", reason="InvalidSpec"
        )
    _log.error("a run failed in a way that nobody foresaw: %s", type(error).__name__, exc_info=error)
    return RetryableError(f"an unforeseen {type(error).__name__}; the worker's log has its traceback", reason="InternalError")


def failed(plan: RunPlan, error: SyncError) -> Outcome:
    """The outcome of a run that ended with this error."""
    result = "Interrupted" if isinstance(error, AbortedError) else "Failed"
    after = error.after if isinstance(error, RetryableError) else None
    return Outcome(run=plan.run, result=result, next=_next(error), reason=error.reason, message=error.message, retry_after=after)


def failed_partly(errors: Sequence[SyncError], total: int) -> tuple[Next, str, float | None]:
    """What happens after a run of which partitions failed, its reason, and the seconds that the other side asked to wait.

    What one partition waits for must not keep the others from running.
    """
    nexts, reasons = {_next(error) for error in errors}, {error.reason for error in errors}
    after = max((error.after for error in errors if isinstance(error, RetryableError) and error.after is not None), default=None)
    alike = len(errors) == total and len(reasons) == 1
    following = Next.RETRY if Next.RETRY in nexts else Next.STALL if alike and nexts == {Next.STALL} else Next.SCHEDULE
    return following, errors[0].reason if alike else FAILED, after


def summary(partitions: Partitions, counts: Counts) -> str:
    """``21/21 partitions, 15 new, 142 unchanged, 0 errors``."""
    told = [
        (counts.updated, "updated"),
        (counts.skipped, "skipped"),
        (counts.quarantined, "quarantined"),
        (counts.deleted, "deleted"),
        (counts.conflicts, "conflicts"),
    ]
    some = [f"{count:,} {word}" for count, word in told if count]
    waiting = partitions.total - partitions.succeeded - partitions.failed
    errors = f"{partitions.failed:,} error" if partitions.failed == 1 else f"{partitions.failed:,} errors"
    parts = [
        f"{partitions.succeeded:,}/{partitions.total:,} partitions",
        f"{counts.inserted:,} new",
        *some,
        f"{counts.unchanged:,} unchanged",
    ]
    return ", ".join([*parts, errors, *([f"{waiting:,} not begun"] if waiting else [])])


def first_failures(ended: Collection[PartitionOutcome]) -> str:
    """``store 17: HTTP503: …; store 18: …``, the first few."""
    failures = [one for one in ended if one.result == "Failed"]
    told = [f"{one.partition}: {one.reason}: {outside_text(one.message)}" for one in failures[:_TOLD]]
    return "; ".join([*told, *([f"and {len(failures) - _TOLD:,} more"] if len(failures) > _TOLD else [])])


def together(counts: Collection[Counts]) -> Counts:
    """All of them added up."""
    return Counts(**{name: sum(getattr(one, name) for one in counts) for name in Counts.__struct_fields__})


def _next(error: SyncError) -> Next:
    if isinstance(error, StalledError):
        return Next.STALL
    if isinstance(error, PermanentError):
        return Next.SCHEDULE
    return Next.RETRY
