"""Quarantined records: looked at, discarded, and tried again after a fix in one transaction with a run record of its own."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

import msgspec
from sqlalchemy import Connection

from syncsource import ledger
from syncsource.destinations import Applied, Database, Owner, Policy, Writer
from syncsource.engine.destination import keep_images, opened, opened_table
from syncsource.engine.ending import failed, known
from syncsource.engine.guards import Invalid
from syncsource.engine.inferring import unread, with_fields
from syncsource.engine.masking import Mask
from syncsource.engine.newest import newest_column
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.recording import RETRY
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError, SyncError
from syncsource.ledger import Entry
from syncsource.ledger.entries import entries_of_run
from syncsource.records.batch import Rejected
from syncsource.records.converting import from_json
from syncsource.records.shape import Shape
from syncsource.resource.spec import SyncSourceSpec

_PART = 1000
_LEAST = 4
"""Characters that an id must have at least."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A record in quarantine as it may be shown: sensitive values are masked."""

    id: str
    partition: str
    reason: str
    message: str
    field: str | None
    excerpt: str | None
    """The value at fault."""
    place: str | None
    position: int | None
    first_seen: datetime
    last_seen: datetime
    record: Any
    """As the source sent it; where the database refused it, its row by column."""


def look(plan: RunPlan, ids: Sequence[str] | None = None, *, limit: int = 100) -> tuple[list[Quarantined], int]:
    """The first records in quarantine, and how many there are. ``ids``: only these. Raises a SyncError that holds no secret."""
    with opened(plan) as (spec, database):
        mask = Mask(spec.fields)
        total = sum(ledger.quarantine_counts(database.engine, plan.identity).values())
        found = list(ledger.entries(database.engine, plan.identity, _checked(database, plan, ids), limit=limit))
        return [_shown(one, mask) for one in found], total


def of_run(plan: RunPlan, limit: int) -> list[Quarantined]:
    """The first records that the plan's run put into quarantine, by place and position. Raises as :func:`look`."""
    with opened(plan) as (spec, database):
        mask = Mask(spec.fields)
        return [_shown(one, mask) for one in entries_of_run(database.engine, plan.identity, plan.run, limit)]


def discard(plan: RunPlan, ids: Sequence[str] | None) -> int:
    """Forgets these records, all where ``ids`` is None; returns how many. Raises as :func:`look`."""
    with opened(plan) as (_, database):
        return ledger.discard(database.engine, plan.identity, _checked(database, plan, ids))


def retry(plan: RunPlan, ids: Sequence[str] | None, stop: Stop) -> Outcome:
    """Tries these records again, all where ``ids`` is None, with the spec as it is now. Those that succeed leave quarantine, the others stay
    with what is wrong now. What the source could not make out whole stays as it is. A row that has a higher cursor than the record stays,
    and the record leaves quarantine: where spec.fields has the cursor, else nothing tells. Cursors stay as they are. Never raises: what goes
    wrong is in the outcome."""
    started = time.monotonic()
    try:
        with opened(plan) as (spec, database):
            outcome = _run(plan, spec, database, _checked(database, plan, ids), stop)
    except Exception as error:
        outcome = failed(plan, stop.cause_of(known(error)))
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3), message=redact(outcome.message, plan.secrets))


def _checked(database: Database, plan: RunPlan, ids: Sequence[str] | None) -> Sequence[str] | None:
    """The ids, each of which must mean one record (that may stand in several partitions)."""
    for one in ids or ():
        digests = (
            {entry.digest for entry in ledger.entries(database.engine, plan.identity, [one], limit=2)} if len(one) >= _LEAST else set()
        )
        if len(digests) != 1:
            why = f"{'no record' if not digests else 'more than one record'} in quarantine has an id that begins with {one!r}"
            raise PermanentError(f"{why}: give at least {_LEAST} characters of an id that `syncsource quarantine` lists", reason="NotFound")
    return ids


def _shown(entry: Entry, mask: Mask) -> Quarantined:
    plain = {name: getattr(entry, name) for name in ("id", "partition", "reason", "field", "place", "position", "first_seen", "last_seen")}
    return Quarantined(message=mask.message(entry), excerpt=mask.excerpt(entry), record=mask.record(entry), **plain)


def _run(plan: RunPlan, spec: SyncSourceSpec, database: Database, ids: Sequence[str] | None, stop: Stop) -> Outcome:
    fence = ledger.acquire(
        database.engine, plan.identity, run=plan.run, trigger=RETRY, generation=plan.generation, started_at=datetime.now(UTC)
    )
    retrying = None
    try:
        with stop.after(spec.timeout, "what it had not committed is as it was"):
            retrying = _Retry(plan, with_fields(spec, plan.identity, database, unread), database, stop)
            return retrying.write(fence, ids)
    except Exception as error:
        ours = stop.cause_of(known(error))
        counts = retrying.counts if retrying else Counts()
        outcome = failed(plan, ours)
        with suppress(SyncError):
            message = redact(ours.message, plan.secrets)
            ledger.end_run(database.engine, fence, result=outcome.result, reason=ours.reason, message=message, counts=counts)
        return msgspec.structs.replace(outcome, counts=counts)


class _Retry:
    """Partition by partition, each in a transaction; the run ends with the last."""

    def __init__(self, plan: RunPlan, spec: SyncSourceSpec, database: Database, stop: Stop) -> None:
        self._plan, self._spec, self._database, self._stop = plan, spec, database, stop
        self._table = opened_table(spec, plan.identity, database)
        self._invalid = Invalid(spec.validation)
        self.counts = Counts()
        """Of what was committed."""

    def write(self, fence: ledger.Fence, ids: Sequence[str] | None) -> Outcome:
        """Raises a SyncError; what was not committed is gone then."""
        partitions = ledger.quarantined_partitions(self._database.engine, self._plan.identity, ids)
        total = 0
        for partition in partitions or [""]:
            total = self._partition(fence, ids, partition, last=partition == (partitions or [""])[-1])
        return self._outcome(total)

    def _partition(self, fence: ledger.Fence, ids: Sequence[str] | None, partition: str, *, last: bool) -> int:
        """Returns how many records are in quarantine then."""
        plan, zone, before = self._plan, Shape.of(self._spec).zone, self._invalid.count
        policy = Policy.of(self._spec.write, newer=newest_column(self._spec, self._table))
        with Writer(self._database, self._table, policy, zone=zone) as writer, self._stop.calling(writer.cancel):
            read, skipped = self._stage(writer, ids, partition)
            with writer.transaction() as connection:
                applied = writer.apply(owner=Owner(plan.identity, partition, complete=False))
                self._keep_aside(connection, applied.rejected)
                keep_images(connection, plan, self._spec, partition, applied.taken)
                ledger.commit_rejected(connection, plan.identity, plan.run, full=False, partition=partition)
                ledger.keep_only(connection, plan.identity, partition, ids, plan.run)
                counts = self.counts.plus(_counts(applied, read, skipped, self._invalid.count - before))
                if last:
                    told = self._told(counts)
                    ledger.finish_run(connection, plan.run, result="Succeeded", counts=counts, reason=told[0], message=told[1])
                self._stop.check()
                ledger.check_fence(connection, fence)
                total = ledger.quarantine_total(connection, plan.identity)
            self.counts = counts
        return total

    def _stage(self, writer: Writer, ids: Sequence[str] | None, partition: str) -> tuple[int, int]:
        """How many records were tried, and how many of them spec.filter leaves out now."""
        kept, made = Shape.of(self._spec, partition), Shape.of_rows(self._spec)
        found = ledger.entries(self._database.engine, self._plan.identity, ids, partition=partition)
        read = skipped = 0
        while part := list(islice(found, _PART)):
            self._stop.check()
            read += len(part)
            self._keep_aside(writer.connection, [_left(one) for one in part if one.partial])
            whole = [one for one in part if not one.partial]
            for shape, some in ((kept, [one for one in whole if not one.as_row]), (made, [one for one in whole if one.as_row])):
                skipped += self._try(writer, shape, some)
        return read, skipped

    def _try(self, writer: Writer, shape: Shape, some: Sequence[Entry]) -> int:
        """Rows go to staging, what is still no row back to quarantine; returns how many the filter leaves out."""
        skipped = 0
        for place, entries in groupby(sorted(some, key=_place), key=_place):
            there = list(entries)
            batch = shape.batch([from_json(one.record) for one in there], place, [one.position or 0 for one in there])
            cursors = batch.cursors or ([None] * len(batch.rows) if self._spec.incremental else None)
            self._keep_aside(writer.connection, [*batch.rejected, *writer.stage(batch.rows, cursors)])
            skipped += batch.skipped
        return skipped

    def _keep_aside(self, connection: Connection, rejected: Collection[Rejected]) -> None:
        if rejected:
            self._invalid.add(rejected)
            ledger.stage_rejected(connection, rejected)

    def _told(self, counts: Counts) -> tuple[str, str]:
        return ("RecordsQuarantined", f"quarantined: {self._invalid.summary()}") if counts.quarantined else ("", "")

    def _outcome(self, total: int) -> Outcome:
        reason, message = self._told(self.counts)
        return Outcome(
            run=self._plan.run, result="Succeeded", reason=reason, message=message, counts=self.counts, full=False, quarantined_total=total
        )


def _left(entry: Entry) -> Rejected:
    """An entry of which there is no whole record to try."""
    told = {name: getattr(entry, name) for name in ("record", "reason", "message", "field", "excerpt", "place", "position", "partial")}
    return Rejected(**told)


def _place(entry: Entry) -> str:
    return entry.place or ""


def _counts(applied: Applied, read: int, skipped: int, quarantined: int) -> Counts:
    return Counts(
        read=read,
        inserted=applied.inserted,
        updated=applied.updated,
        unchanged=applied.unchanged,
        skipped=applied.skipped + skipped,
        quarantined=quarantined,
    )
