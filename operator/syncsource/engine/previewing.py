"""The first records of a source, typed, and what a run would do with each. Nothing is written, not even a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import msgspec

from syncsource.destinations import Database, Foreseen, Owner, Policy, Table, Writer, find_table
from syncsource.engine.destination import opened_database
from syncsource.engine.ending import known
from syncsource.engine.executing import OpenSource
from syncsource.engine.inferring import with_fields
from syncsource.engine.masking import MASK, Mask
from syncsource.engine.partitions import partition_values
from syncsource.engine.plan import RunPlan
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.engine.words import as_text
from syncsource.errors import SyncError
from syncsource.records.batch import Batch
from syncsource.records.shape import Shape
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Slice, Source


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """One record, and what would become of it."""

    place: str
    """Where the source had it: page 1, orders.csv."""
    position: int
    """Its place there, such as its line."""
    action: str
    """Insert, Update, Unchanged, Skip or Quarantine."""
    changed: list[str]
    """The columns that an Update sets."""
    reason: str
    message: str
    values: dict[str, str | None]
    """Its row by column, each value as text; null is NULL, *** stands for a sensitive value. Empty where the record is no row."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would begin with."""

    table: str
    creates: bool
    """Whether the run would create the table."""
    partition: str
    """The partition that was looked at; empty where there are none."""
    fields: dict[str, str]
    """The columns and their types."""
    records: list[Previewed]


def preview(plan: RunPlan, *, opened: OpenSource, stop: Stop, limit: int) -> Preview:
    """Reads from the source's beginning, in its first partition, until ``limit`` records are there. Raises a SyncError that holds no secret."""
    try:
        spec = SyncSourceSpec.model_validate(plan.spec)
        with (
            stop.after(spec.timeout, "nothing was written"),
            opened_database(spec, plan.secrets) as database,
            closing(opened(spec, plan.secrets)) as source,
        ):
            known_fields = with_fields(spec, plan.identity, database, lambda: opened(spec, plan.secrets))
            return _Preview(known_fields, plan.identity, database, source, stop).of(limit)
    except Exception as error:
        raise _told(stop.cause_of(known(error)), plan) from error


class _Preview:
    def __init__(self, spec: SyncSourceSpec, identity: str, database: Database, source: Source, stop: Stop) -> None:
        self._spec, self._identity, self._database, self._source, self._stop = spec, identity, database, source, stop
        self._mask = Mask(spec.fields)

    def of(self, limit: int) -> Preview:
        spec = self._spec
        partition = next(iter(partition_values(spec.partitions, self._database)), "") if spec.partitions else ""
        table = find_table(self._database, spec.destination.sql, spec.fields, spec.keys, spec.write)
        shape = Shape.of(spec, partition)
        batches = list(islice(self._batches(shape, partition), limit))
        return Preview(
            table=spec.destination.sql.table,
            creates=table is None,
            partition=partition,
            fields={field.name: field.type for field in spec.fields},
            records=list(self._previewed(batches, table, shape)),
        )

    def _batches(self, shape: Shape, partition: str) -> Iterator[tuple[str, int, Batch]]:
        """Each record as a batch of its own, so that none loses its place."""
        for page in self._source.pages(Slice(partition=partition)):
            self._stop.check()
            for index, record in enumerate(page.records):
                position = index + 1 if page.positions is None else page.positions[index]
                yield page.place, position, shape.batch([record], page.place, [position])

    def _previewed(self, batches: list[tuple[str, int, Batch]], table: Table | None, shape: Shape) -> Iterator[Previewed]:
        foreseen = iter(self._foreseen([batch for _, _, batch in batches if batch.rows], table, shape))
        for place, position, batch in batches:
            found = next(foreseen) if batch.rows else _left_out(batch)
            yield Previewed(
                place=place,
                position=position,
                action=found.action,
                changed=list(found.changed),
                reason=found.reason,
                message=self._mask.words(found.reason, found.message),
                values=self._values(batch.rows[0]) if batch.rows else {},
            )

    def _foreseen(self, batches: list[Batch], table: Table | None, shape: Shape) -> list[Foreseen]:
        rows = [row for batch in batches for row in batch.rows]
        if table is None or not rows:
            return [Foreseen("Insert")] * len(rows)
        cursors = [cursor for batch in batches for cursor in batch.cursors or []] if batches[0].cursors is not None else None
        policy = Policy.of(self._spec.write)
        with Writer(self._database, table, policy, zone=shape.zone) as writer, self._stop.calling(writer.cancel):
            return writer.foresee(rows, cursors, Owner(self._identity, "", complete=False))

    def _values(self, row: tuple[Any, ...]) -> dict[str, str | None]:
        named = zip(self._spec.fields, row, strict=True)
        return {field.name: MASK if field.sensitive and value is not None else as_text(value) for field, value in named}


def _left_out(batch: Batch) -> Foreseen:
    if batch.rejected:
        return Foreseen("Quarantine", reason=batch.rejected[0].reason, message=batch.rejected[0].message)
    return Foreseen("Skip", reason="Filtered", message="spec.filter leaves it out")


def _told(error: SyncError, plan: RunPlan) -> SyncError:
    error.message = redact(error.message, plan.secrets)
    return error
