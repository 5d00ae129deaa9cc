"""How accurate the copy is: the source is read anew and compared with the table, cell by cell. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import ROUND_DOWN, Decimal

import msgspec

from syncsource.destinations import Compared, Database, Table, Writer, find_table
from syncsource.engine.destination import opened_database
from syncsource.engine.ending import known
from syncsource.engine.executing import OpenSource
from syncsource.engine.inferring import with_fields
from syncsource.engine.masking import MASK
from syncsource.engine.partitions import partition_values
from syncsource.engine.plan import Progress, RunPlan
from syncsource.engine.progress import Meter
from syncsource.engine.reading import Reader
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.engine.words import as_text
from syncsource.errors import PermanentError
from syncsource.records.shape import Shape
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Slice, Source

_EXAMPLES = 20


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not as the source has it."""

    key: dict[str, str | None]
    columns: list[str]
    """Those that differ; empty where the table lacks the row."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """How the table compares with the source. cells are (rows + quarantined) times fields, accuracy is equal by cells."""

    table: str
    complete: bool
    """Whether everything was read: then ``extra`` is known, too."""
    read: int
    skipped: int
    """Records that spec.filter leaves out, and older ones of a key."""
    quarantined: int
    """Records that are no rows: each counts as a row that is missing."""
    rows: int
    missing: int
    different: int
    ambiguous: int
    """Rows whose key finds more than one row of the table."""
    extra: int | None
    """Rows of the table that the source has no record of, and that are not marked as deleted: people's, or those that it has no more. None where not
    everything was read."""
    cells: int
    equal: int
    accuracy: str | None
    """Percent with four digits, rounded down; None where there is nothing to compare."""
    columns: dict[str, int]
    """Columns outside the key with cells that differ."""
    key_unique: bool
    """Whether an index keeps the key unique."""
    examples: list[Wrong]


def verify(plan: RunPlan, *, opened: OpenSource, stop: Stop, limit: int | None, progress: Callable[[Progress], None]) -> Verified:
    """Reads everything, or the first ``limit`` records of each partition. Raises a SyncError that holds no secret."""
    try:
        spec = SyncSourceSpec.model_validate(plan.spec)
        with stop.after(spec.timeout, "nothing was written"), opened_database(spec, plan.secrets) as database:
            spec = with_fields(spec, plan.identity, database, lambda: opened(spec, plan.secrets))
            with closing(opened(spec, plan.secrets)) as source:
                return _Verifying(spec, database, source, stop, Meter(progress)).run(limit)
    except Exception as error:
        ours = stop.cause_of(known(error))
        ours.message = redact(ours.message, plan.secrets)
        raise ours from error


class _Verifying:
    def __init__(self, spec: SyncSourceSpec, database: Database, source: Source, stop: Stop, meter: Meter) -> None:
        self._spec, self._database, self._source, self._stop, self._meter = spec, database, source, stop, meter
        self._read = self._filtered = self._quarantined = 0
        self._complete = True

    def run(self, limit: int | None) -> Verified:
        """See :func:`verify`."""
        spec = self._spec
        table = find_table(self._database, spec.destination.sql, spec.fields, spec.keys, spec.write)
        if table is None:
            raise PermanentError("the table is not there yet: run it first", reason="NotFound")
        partitions = partition_values(spec.partitions, self._database) if spec.partitions else [""]
        with Writer(self._database, table, zone=Shape.of(spec).zone) as writer, self._stop.calling(writer.cancel):
            for partition in partitions:
                self._stage(writer, partition, limit)
            self._meter.moved(0, 0, "Comparing")
            found, older = writer.compare(_EXAMPLES)
        return self._told(table, found, older)

    def _stage(self, writer: Writer, partition: str, limit: int | None) -> None:
        shape, left = Shape.of(self._spec, partition), limit
        with Reader(self._source, shape, Slice(partition=partition), self._stop) as reader:
            for batch in reader:
                self._stop.check()
                self._quarantined += len(batch.rejected) + len(writer.stage(batch.rows, batch.cursors))
                self._read, self._filtered = self._read + batch.read, self._filtered + batch.skipped
                self._meter.moved(batch.read, 1, "Reading")
                left = None if left is None else left - batch.read
                if left is not None and left <= 0:
                    self._complete = False
                    return

    def _told(self, table: Table, found: Compared, older: int) -> Verified:
        width = len(table.columns)
        cells = (found.rows + self._quarantined) * width
        equal = (found.rows - found.missing - found.ambiguous) * width - sum(found.columns.values())
        hidden = {field.name for field in self._spec.fields if field.sensitive}
        keys = [table.columns[place].field for place in table.telling]
        wrong = [
            Wrong(
                key={name: MASK if name in hidden else as_text(value) for name, value in zip(keys, one.key, strict=True)},
                columns=list(one.columns),
            )
            for one in found.examples
        ]
        return Verified(
            table=table.name,
            complete=self._complete,
            read=self._read,
            skipped=self._filtered + older,
            quarantined=self._quarantined,
            rows=found.rows,
            missing=found.missing,
            different=found.different,
            ambiguous=found.ambiguous,
            extra=found.extra if self._complete else None,
            cells=cells,
            equal=equal,
            accuracy=_percent(equal, cells),
            columns={name: count for name, count in found.columns.items() if count},
            key_unique=table.key_unique,
            examples=wrong,
        )


def _percent(equal: int, cells: int) -> str | None:
    """100.0000 only where all are equal."""
    return str((Decimal(equal) * 100 / Decimal(cells)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)) if cells else None
