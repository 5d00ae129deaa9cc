"""Executes a plan and tells what became of it: every error ends in an outcome with a reason, and no secret in it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import msgspec

from syncsource import ledger
from syncsource.destinations import Database
from syncsource.engine.conflicts import waiting
from syncsource.engine.connecting import BESIDE
from syncsource.engine.destination import opened_database
from syncsource.engine.ending import failed, known, together
from syncsource.engine.inferring import settled
from syncsource.engine.parts import Kept
from syncsource.engine.plan import Counts, Next, Outcome, PartitionOutcome, Partitions, Progress, RunPlan
from syncsource.engine.recording import OPEN
from syncsource.engine.redacting import redact
from syncsource.engine.run import Run
from syncsource.engine.stopping import Stop
from syncsource.engine.undoing import prune
from syncsource.errors import AbortedError, CommitLost, RetryableError, SyncError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Source
from syncsource.sources.hosts import Hosts
from syncsource.sources.opening import open_source

OpenSource = Callable[[SyncSourceSpec, Mapping[str, Mapping[str, str]]], Source]

_LEFT = "the run's process ended, or another operator took over"
_LOST = f"{_LEFT}; what it had not committed is gone, and the next run goes on from the cursor"
_UNKNOWN = f"{_LEFT}; {OPEN}, since the ledger can't be read (%s); the next run goes on from the cursor"

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
    source = opened or (lambda spec, secrets: open_source(spec, secrets, hosts=hosts, cancelled=stop.event, files=plan.files))
    try:
        outcome = _execute(plan, stop, progress, source)
    except Exception as error:
        outcome = failed(plan, stop.cause_of(known(error)))
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3), message=redact(outcome.message, plan.secrets))


def settle(plan: RunPlan) -> Outcome:
    """What became of a run whose worker is gone, as the ledger has it: succeeded where it had committed, failed where it had said so, else
    interrupted. Never raises."""
    try:
        with opened_database(SyncSourceSpec.model_validate(plan.spec), plan.secrets) as database:
            ledger.prepare(database.engine)
            record = ledger.interrupt(database.engine, plan.identity, plan.run, _LOST, trigger=plan.trigger, generation=plan.generation)
            return _as_recorded(plan, record, database)
    except Exception as error:
        ours = known(error)
        _log.warning("the ledger could not be asked about run %s: %s", plan.run, ours.message)
        return failed(plan, AbortedError(_UNKNOWN % ours.reason))


def _execute(plan: RunPlan, stop: Stop, progress: Callable[[Progress], None], opened: OpenSource) -> Outcome:
    spec = SyncSourceSpec.model_validate(plan.spec)
    most = None if plan.lanes is None else plan.lanes + BESIDE
    with stop.after(spec.timeout, _left(spec)), opened_database(spec, plan.secrets, most) as database:
        ledger.prepare(database.engine)
        fence = ledger.acquire(
            database.engine, plan.identity, run=plan.run, trigger=plan.trigger, generation=plan.generation, started_at=datetime.now(UTC)
        )
        run = None
        try:
            spec = settled(spec, plan.identity, database, partial(opened, spec, plan.secrets), full=plan.full)
            run = Run(plan, spec, database, lambda: opened(spec, plan.secrets), stop, progress)
            outcome = run.write(fence)
        except Exception as error:
            ours = stop.cause_of(known(error))
            try:  # a connection that breaks during COMMIT leaves open what became of it: the ledger knows
                if (record := ledger.succeeded(database.engine, plan.run)) is not None:
                    return _as_recorded(plan, record, database)
            except SyncError:
                ours = _open(ours)
            return _failed(plan, run.kept if run else Kept(), database, fence, ours)
        _tidy(plan, spec, database)
        return outcome


def _open(error: SyncError) -> SyncError:
    """The error of a run that nobody can ask the ledger about."""
    if not isinstance(error, CommitLost):
        return error
    return RetryableError(f"{error.message}; this was during COMMIT: whether the run had committed is not known", reason=error.reason)


def _tidy(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> None:
    """What is done has no part in how the run ended."""
    try:
        prune(plan, spec, database)
    except SyncError as error:
        _log.warning(
            "what need not be kept for undo any longer could not be deleted: %s: %s", error.reason, redact(error.message, plan.secrets)
        )


def _left(spec: SyncSourceSpec) -> str:
    """What a run that is out of time leaves."""
    whole = spec.partitions is None and (spec.incremental is None or spec.incremental.window is None)
    if whole and spec.safety.transaction == "Run":
        return "nothing of it was written"
    return "what it had committed stays, and the next run goes on from there"


def _waiting(plan: RunPlan, database: Database) -> int:
    try:
        return waiting(plan, SyncSourceSpec.model_validate(plan.spec), database)
    except SyncError as error:
        _log.warning("conflicts could not be counted: %s: %s", error.reason, redact(error.message, plan.secrets))
        return 0


def _as_recorded(plan: RunPlan, record: ledger.RunRecord, database: Database) -> Outcome:
    """A run that ended, as the ledger has it."""
    ended = record.finished_at or record.started_at
    succeeded = record.result == "Succeeded"
    by_partition = ledger.partition_records(database.engine, record.run)
    counts = _counts(record) if succeeded or record.read else together([_counts(one) for one in by_partition])
    return Outcome(
        run=record.run,
        result=record.result,
        next=Next.NOTHING if succeeded else Next.RETRY,
        reason=record.reason,
        message=record.message,
        counts=counts,
        full=succeeded and record.cursor_before is None,
        cursor=record.cursor_after,
        quarantined_total=sum(ledger.quarantine_counts(database.engine, record.identity).values()),
        conflicts_total=_waiting(plan, database),
        seconds=(ended - record.started_at).total_seconds(),
        document_reads=record.document_reads,
        partitions=_partitions(record, by_partition),
        by_partition=[_as_partition(one) for one in by_partition if record.partitions_total],
    )


def _partitions(record: ledger.RunRecord, by_partition: Sequence[ledger.PartitionRecord]) -> Partitions | None:
    if not record.partitions_total:
        return None
    results = [one.result for one in by_partition]
    return Partitions(total=record.partitions_total, succeeded=results.count("Succeeded"), failed=results.count("Failed"))


def _as_partition(record: ledger.PartitionRecord) -> PartitionOutcome:
    """One that was cut off between its windows has failed."""
    return PartitionOutcome(
        partition=record.partition,
        result="Succeeded" if record.result == "Succeeded" else "Failed",
        reason=record.reason,
        message=record.message,
        counts=_counts(record),
        cursor=record.cursor_after,
    )


def _counts(record: ledger.RunRecord | ledger.PartitionRecord) -> Counts:
    return Counts(**{name: getattr(record, name) for name in Counts.__struct_fields__})


def _failed(plan: RunPlan, kept: Kept, database: Database, fence: ledger.Fence, error: SyncError) -> Outcome:
    """The outcome of a run that failed, entered in the ledger; where the database is what failed, it can't be. AbortedError (Fenced) where
    another run took over, whatever this one failed of."""
    outcome, entered = failed(plan, error), True
    message = f"{outcome.message}; {kept.told}" if kept.told else outcome.message
    with suppress(SyncError):
        if kept.counts.quarantined:
            outcome = msgspec.structs.replace(
                outcome, quarantined_total=sum(ledger.quarantine_counts(database.engine, plan.identity).values())
            )
        entered = ledger.end_run(
            database.engine,
            fence,
            result=outcome.result,
            reason=error.reason,
            message=redact(message, plan.secrets),
            counts=kept.counts,
            document_reads=kept.document_reads,
            partitions=kept.partitions,
            cursor_after=kept.cursor,
        )
    if not entered:
        told = f"another run of this SyncSource took over; {kept.told}" if kept.told else ledger.FENCED
        raise AbortedError(told, reason="Fenced") from error
    return msgspec.structs.replace(
        outcome,
        message=message,
        counts=kept.counts,
        cursor=kept.cursor,
        document_reads=kept.document_reads,
        partitions=kept.partitions,
        by_partition=kept.by_partition,
    )
