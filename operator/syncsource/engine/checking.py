"""Whether a SyncSource would work, step by step, with what each step found. Nothing is written.

Source and destination are looked at each on its own, so that one test tells of all that is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, Literal

import msgspec
from sqlalchemy.engine import Engine

from syncsource import ledger
from syncsource.destinations import Database, find_table
from syncsource.engine import backups
from syncsource.engine.destination import opened_database
from syncsource.engine.ending import known
from syncsource.engine.executing import OpenSource
from syncsource.engine.guards import Invalid
from syncsource.engine.inferring import with_fields
from syncsource.engine.masking import Mask
from syncsource.engine.partitions import partition_values
from syncsource.engine.parts import counted
from syncsource.engine.plan import RunPlan
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.records.batch import Batch
from syncsource.records.shape import Shape
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import PAUSE, Page, Slice
from syncsource.sources.noting import listening


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found."""

    step: str
    result: Literal["Ok", "Warning", "Failed"]
    reason: str = ""
    message: str = ""
    example: str = ""
    """How the message goes on with values of records, which is for those who may see them."""


Found = Callable[[Finding], None]
_STEPS = {
    "AddressRefused": "Address",
    "ConnectionFailed": "Connection",
    "TLSFailed": "TLS",
    "AuthFailed": "Auth",
    "SecretInvalid": "Secrets",
}
"""The step that an error of the source belongs to, by reason; of every other error it is the first page."""


def check(plan: RunPlan, *, opened: OpenSource, stop: Stop, found: Found) -> bool:
    """Tells each step to ``found`` as it is done; True where none failed. The Secrets of the plan may be incomplete."""
    results: list[str] = []

    def tell(finding: Finding) -> None:
        results.append(finding.result)
        told = {"message": redact(finding.message, plan.secrets), "example": redact(finding.example, plan.secrets)}
        found(msgspec.structs.replace(finding, **told))

    spec = SyncSourceSpec.model_validate(plan.spec)
    with stop.after(spec.timeout, "nothing was written"):
        _Check(spec, plan, opened, stop, tell).run()
    return "Failed" not in results


class _Check:
    def __init__(self, spec: SyncSourceSpec, plan: RunPlan, opened: OpenSource, stop: Stop, tell: Found) -> None:
        self._spec, self._plan, self._opened, self._stop, self._tell = spec, plan, opened, stop, tell

    def run(self) -> None:
        """Every step that can be taken."""
        absent = [(name, key) for name, key in self._spec.secret_keys if key not in self._plan.secrets.get(name, {})]
        for name, key in absent:
            self._failed(
                "Secrets", "SecretNotFound", f"Secret {name} has no key {key}, which {self._spec.named_in(name, key)} needs: add it"
            )
        url = self._spec.destination.sql.url_from.secret_key_ref
        if not absent:
            self._ok("Secrets", f"{counted(len(self._spec.secret_keys), 'key')} found")
        if (url.name, url.key) not in absent:
            self._step("Destination", self._destination)
        if not absent:
            self._step("First page", self._source)

    def _source(self) -> None:
        spec = self._spec
        with listening(lambda step, told: self._ok(step, told)), closing(self._opened(spec, self._plan.secrets)) as source:
            partition = self._partition()
            started = time.monotonic()
            page = next((page for page in source.pages(Slice(partition=partition)) if page is not PAUSE), Page([]))
        self._first_page(page, time.monotonic() - started)
        shape = Shape.of(spec, partition)
        if page.records and spec.fields:
            self._step("Fields", lambda: self._fields(shape, page))

    def _partition(self) -> str:
        if self._spec.partitions is None:
            return ""
        with opened_database(self._spec, self._plan.secrets) as database:
            values = partition_values(self._spec.partitions, database)
        self._ok("Partitions", f"{len(values):,}, of which the first is tested: {values[0]}" if values else "none")
        return values[0] if values else ""

    def _first_page(self, page: Page, seconds: float) -> None:
        if page.records:
            self._ok("First page", f"{counted(len(page.records), 'record')} in {seconds * 1000:,.0f} ms")
        else:
            self._warn("First page", "NoRecords", "the source answered, and has no records: fields and cursor were not checked")

    def _fields(self, shape: Shape, page: Page) -> None:
        batch = shape.batch(page.records, page.place, page.positions)
        invalid = Invalid(self._spec.validation)
        invalid.add(batch.rejected)
        mask = Mask(self._spec.fields)
        if batch.rejected:
            tell = self._warn if batch.rows else self._failed
            first = batch.rejected[0]
            tell(
                "Fields",
                first.reason,
                f"{invalid.count:,} of {batch.read:,} records don't fit: {invalid.summary()}",
                f"first: {mask.words(first.reason, first.message, first.field)}",
            )
        empty = [
            field.name for field, values in zip(self._spec.fields, zip(*batch.rows, strict=True), strict=False) if not any(map(_is, values))
        ]
        if empty:
            self._warn("Fields", "AlwaysNull", f"null in every record: {', '.join(empty)}; do the paths in spec.fields fit the records?")
        if not batch.rejected and not empty:
            self._ok("Fields", f"{batch.read:,} of {batch.read:,} records fit {len(self._spec.fields)} fields")
        self._cursor(batch)

    def _cursor(self, batch: Batch) -> None:
        if self._spec.incremental is None or batch.cursors is None:
            return
        path, present = self._spec.incremental.cursor, sum(map(_is, batch.cursors))
        if batch.cursor is None:
            self._failed("Cursor", "CursorNotFound", f"no record has {path} (spec.incremental.cursor): every run would read everything")
        elif present < len(batch.cursors):
            self._warn(
                "Cursor", "CursorMissing", f"{path} is in {present:,} of {len(batch.cursors):,} records", f"the highest is {batch.cursor}"
            )
        else:
            self._ok("Cursor", f"{path} is in every record", f"the highest is {batch.cursor}")

    def _destination(self) -> None:
        with opened_database(self._spec, self._plan.secrets) as database:
            self._ok("Destination", _product(database.engine, database.place))
            self._step("Table", lambda: self._table(database))
            self._step("Ledger", lambda: self._ledger(database))
            self._step("Backup", lambda: self._backup(database))

    def _table(self, database: Database) -> None:
        sql = self._spec.destination.sql
        self._spec = with_fields(self._spec, self._plan.identity, database, partial(self._opened, self._spec, self._plan.secrets))
        table = find_table(database, sql, self._spec.fields, self._spec.keys, self._spec.write)
        if table is None:
            self._ok("Table", f"{sql.table} is not there; the first run creates it")
            return
        self._ok("Table", f"{table.name} takes the {len(table.columns)} fields")
        listed = ", ".join(self._spec.keys[0].fields)
        if table.candidates:
            primary = ", ".join(table.primary)
            self._ok("Key", f"{counted(len(table.candidates), 'key')}: rows are found by what their columns hold, and known by ({primary})")
        elif table.key_unique:
            self._ok("Key", f"a unique index keeps ({listed}) unique")
        else:
            way_out = f"create one: CREATE UNIQUE INDEX ON {table.name} ({listed})"
            self._warn(
                "Key",
                "KeyNotUnique",
                f"no unique index keeps ({listed}) unique: two rows of one key send their record to quarantine; {way_out}",
            )

    def _ledger(self, database: Database) -> None:
        version = ledger.version(database.engine)
        self._ok("Ledger", "the first run creates it" if version is None else f"version {version}")

    def _backup(self, database: Database) -> None:
        if told := backups.check(self._plan, self._spec, database):
            self._ok("Backup", told)

    def _step(self, step: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            ours = self._stop.cause_of(known(error))
            self._failed(_STEPS.get(ours.reason, step), ours.reason, ours.message)

    def _ok(self, step: str, message: str, example: str = "") -> None:
        self._tell(Finding(step=step, result="Ok", message=message, example=example))

    def _warn(self, step: str, reason: str, message: str, example: str = "") -> None:
        self._tell(Finding(step=step, result="Warning", reason=reason, message=message, example=example))

    def _failed(self, step: str, reason: str, message: str, example: str = "") -> None:
        self._tell(Finding(step=step, result="Failed", reason=reason, message=message, example=example))


def _is(value: Any) -> bool:
    return value is not None


def _product(engine: Engine, place: str) -> str:
    with engine.connect() as connection:
        version: Iterator[Any] | None = getattr(connection.dialect, "server_version_info", None)
    name = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MySQL"}[engine.dialect.name]
    name = "MariaDB" if getattr(engine.dialect, "is_mariadb", False) else name
    return f"{name} {'.'.join(map(str, version or ()))} at {place}"
