"""Executes a plan and tells what became of it: every error ends in an outcome with a reason, and no secret in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from pydantic import ValidationError

from syncsource import ledger
from syncsource.destinations import Database, open_database
from syncsource.engine.plan import Counts, Next, Outcome, Progress, RunPlan
from syncsource.engine.redacting import redact
from syncsource.engine.run import Run
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError, PermanentError, RetryableError, StalledError, SyncError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Source
from syncsource.sources.hosts import Hosts
from syncsource.sources.opening import open_source

OpenSource = Callable[[SyncSourceSpec, Mapping[str, Mapping[str, str]]], Source]

_LEFT = "the run's process ended, or another operator took over"
_LOST = f"{_LEFT}; what it had not committed is gone, and the next run goes on from the cursor"
_UNKNOWN = f"{_LEFT}; whether it had committed is not known, since the ledger can't be read (%s); the next run goes on from the cursor"

_log = logging.getLogger(__name__)


def execute(
    plan: RunPlan,
    *,
    hosts: Hosts,
    stop: Stop,
    progress: Callable[[Progress], None],
    opened: OpenSource | None = None,
) -> Outcome:
    """Run the plan to its end. Never raises: what goes wrong is in the outcome.

    ``hosts`` is the way to what all runs share about upstreams. ``opened`` opens another source than the one that the
    spec names.
    """
    started = time.monotonic()
    source = opened or (lambda spec, secrets: open_source(spec, secrets, hosts=hosts, cancelled=stop.event))
    try:
        outcome = _execute(plan, stop, progress, source)
    except Exception as error:
        outcome = failed(plan, stop.cause_of(_known(error)))
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3), message=redact(outcome.message, plan.secrets))


def settle(plan: RunPlan) -> Outcome:
    """What became of a run whose worker is gone, as the ledger has it: succeeded where it had committed, failed where it had said so, else
    interrupted. Never raises."""
    try:
        with _database(plan) as database:
            ledger.prepare(database.engine)
            record = ledger.interrupt(database.engine, plan.identity, plan.run, _LOST, trigger=plan.trigger, generation=plan.generation)
            return _as_recorded(record, sum(ledger.quarantine_counts(database.engine, plan.identity).values()))
    except Exception as error:
        known = _known(error)
        _log.warning("the ledger could not be asked about run %s: %s", plan.run, known.message)
        return failed(plan, AbortedError(_UNKNOWN % known.reason))


def failed(plan: RunPlan, error: SyncError) -> Outcome:
    """The outcome of a run that ended with this error."""
    result = "Interrupted" if isinstance(error, AbortedError) else "Failed"
    after = error.after if isinstance(error, RetryableError) else None
    return Outcome(run=plan.run, result=result, next=_next(error), reason=error.reason, message=error.message, retry_after=after)


def _execute(plan: RunPlan, stop: Stop, progress: Callable[[Progress], None], opened: OpenSource) -> Outcome:
    spec = SyncSourceSpec.model_validate(plan.spec)
    with stop.after(spec.timeout), _database(plan) as database:
        ledger.prepare(database.engine)
        fence = ledger.acquire(
            database.engine, plan.identity, run=plan.run, trigger=plan.trigger, generation=plan.generation, started_at=datetime.now(UTC)
        )
        run = Run(plan, spec, database, opened(spec, plan.secrets), stop, progress)
        try:
            run.write(fence)
        except Exception as error:
            record = None
            with suppress(SyncError):  # a connection that breaks during COMMIT leaves open what became of it: the ledger knows
                record = ledger.succeeded(database.engine, plan.run)
            if record is None:
                _record_failure(database, fence, plan, stop.cause_of(_known(error)))
                raise
        return _succeeded(plan, run)


def _database(plan: RunPlan) -> Database:
    reference = SyncSourceSpec.model_validate(plan.spec).destination.sql.url_from.secret_key_ref
    url = plan.secrets.get(reference.name, {}).get(reference.key)
    if url is None:
        raise StalledError(
            f"Secret {reference.name} has no key {reference.key}, which spec.destination.sql.urlFrom needs: add it", reason="SecretNotFound"
        )
    return open_database(url, named=f"key {reference.key} of Secret {reference.name}")


def _succeeded(plan: RunPlan, run: Run) -> Outcome:
    counts = run.tally.applied
    quarantined = counts.quarantined > 0
    return Outcome(
        run=plan.run,
        result="Succeeded",
        reason="RecordsQuarantined" if quarantined else "",
        message=f"quarantined: {run.invalid_summary()}" if quarantined else "",
        counts=counts,
        full=run.tally.full,
        cursor=run.tally.cursor,
        quarantined_total=run.tally.quarantined_total,
    )


def _as_recorded(record: ledger.RunRecord, quarantined_total: int) -> Outcome:
    """A run that ended, as the ledger has it."""
    ended = record.finished_at or record.started_at
    succeeded = record.result == "Succeeded"
    return Outcome(
        run=record.run,
        result=record.result,
        next=Next.NOTHING if succeeded else Next.RETRY,
        reason=record.reason,
        message=record.message,
        counts=Counts(**{name: getattr(record, name) for name in Counts.__struct_fields__}),
        full=succeeded and record.cursor_before is None,
        cursor=record.cursor_after,
        quarantined_total=quarantined_total,
        seconds=(ended - record.started_at).total_seconds(),
    )


def _record_failure(database: Database, fence: ledger.Fence, plan: RunPlan, error: SyncError) -> None:
    """So that the ledger's history has failed runs, too; where the database is what failed, it can't. AbortedError (Fenced) where another
    run took over, whatever this one failed of."""
    outcome, kept = failed(plan, error), True
    with suppress(SyncError):
        kept = ledger.fail_run(
            database.engine, fence, result=outcome.result, reason=error.reason, message=redact(error.message, plan.secrets)
        )
    if not kept:
        raise AbortedError(ledger.FENCED, reason="Fenced") from error


def _known(error: Exception) -> SyncError:
    """Any exception as one of ours. What nobody foresaw is told by its type only: its text might hold a secret."""
    if isinstance(error, SyncError):
        return error
    if isinstance(error, ValidationError):
        return StalledError(
            "the spec does not fit this version of the operator; is the installed CRD newer or older?", reason="InvalidSpec"
        )
    _log.error("a run failed in a way that nobody foresaw: %s", type(error).__name__, exc_info=error)
    return RetryableError(f"an unforeseen {type(error).__name__}; the worker's log has its traceback", reason="InternalError")


def _next(error: SyncError) -> Next:
    if isinstance(error, StalledError):
        return Next.STALL
    if isinstance(error, PermanentError):
        return Next.SCHEDULE
    return Next.RETRY
