"""Where the spec declares no fields: those of the table that the first page has, or without a table those of the first page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from typing import NoReturn

import msgspec

from syncsource import ledger
from syncsource.destinations import Database, add_columns, fitting
from syncsource.engine.confighash import config_hash
from syncsource.engine.partitions import partition_values
from syncsource.errors import PermanentError, SchemaMismatch, outside_text
from syncsource.records.inferring import NOTHING, inferred, left_out
from syncsource.resource.fields import FieldSpec
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice, Source

UNKNOWN = "FieldsUnknown"
"""Permanent: the source's first page has no records to infer fields from."""

_TRIED = 20
"""Partitions that are asked for their first records."""

_log = logging.getLogger(__name__)


def with_fields(spec: SyncSourceSpec, identity: str, database: Database, opened: Callable[[], Source]) -> SyncSourceSpec:
    """The spec with its fields: declared, or as they were inferred once, or as a run would infer them now. Changes nothing.

    Reads the source's first page where it infers. Raises what a read raises, PermanentError (FieldsUnknown) and SchemaMismatch.
    """
    if spec.fields:
        return spec
    kept = {} if ledger.version(database.engine) is None else _kept(spec, identity, database)
    return _with(spec, kept or _fitting(spec, database, _seen(spec, database, opened), kept))


def settled(spec: SyncSourceSpec, identity: str, database: Database, opened: Callable[[], Source], *, full: bool) -> SyncSourceSpec:
    """The same for a run that has its fence: what it infers is kept. A full read looks again, and may find more: what was inferred once
    stays and keeps its type, and where spec.validation.columns is Evolve, the table gets columns for what it lacks."""
    if spec.fields:
        return spec
    kept = _kept(spec, identity, database)
    evolves = spec.validation.columns == "Evolve"
    if kept and not full and not (evolves and spec.incremental is None):
        return _with(spec, kept)
    seen = _seen(spec, database, opened, kept)
    if evolves:
        added = add_columns(database, spec.destination.sql, {name: kind for name, kind in seen.items() if kind != NOTHING})
        if added:
            _log.info("columns were added to %s: %s", spec.destination.sql.table, outside_text(", ".join(added), 4000))
    found = _fitting(spec, database, seen, kept)
    if found != kept:
        ledger.remember_fields(database.engine, identity, config_hash(spec), msgspec.json.encode(found).decode())
        _log.info("fields were inferred: %s", outside_text(", ".join(f"{name} {kind}" for name, kind in found.items()), 4000))
    return _with(spec, found)


def _kept(spec: SyncSourceSpec, identity: str, database: Database) -> dict[str, str]:
    text = ledger.inferred_fields(database.engine, identity, config_hash(spec))
    return {} if text is None else msgspec.json.decode(text, type=dict[str, str])


def _seen(spec: SyncSourceSpec, database: Database, opened: Callable[[], Source], kept: dict[str, str] | None = None) -> dict[str, str]:
    """Fields of the first records, and those that were inferred before."""
    page = _first_page(spec, database, opened)
    found = {**inferred(list(page.records)), **(kept or {})}
    if unnamed := left_out(page.records, found):
        _log.warning(
            "fields that can't be columns by their names, or are too many, were left out; spec.fields can take them: %s",
            outside_text(", ".join(unnamed), 1000),
        )
    if not found:
        raise PermanentError(
            "spec.fields is absent, and the source has no records yet to infer fields from: declare them, or wait for records",
            reason=UNKNOWN,
        )
    return found


def _fitting(spec: SyncSourceSpec, database: Database, seen: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    keys, table = spec.key_fields, spec.destination.sql.table
    found = fitting(database, spec.destination.sql, seen, keys, kept)
    fields = {name: "text" if kind == NOTHING else kind for name, kind in seen.items()} if found is None else found
    if absent := [key for key in keys if key not in fields]:
        where = "the records" if found is None else f"both the records and the table {table!r}"
        raise SchemaMismatch(
            f"spec.keys: {', '.join(absent)} is no field of {where}, which have {outside_text(', '.join(fields)) or 'none in common'}: "
            "mend spec.keys, or declare spec.fields"
        )
    return fields


def _with(spec: SyncSourceSpec, types: dict[str, str]) -> SyncSourceSpec:
    return spec.model_copy(update={"fields": [FieldSpec(name=name, type=kind) for name, kind in types.items()]})


def _first_page(spec: SyncSourceSpec, database: Database, opened: Callable[[], Source]) -> Page:
    """The first that has records; of partitions some may have none yet."""
    partitions = partition_values(spec.partitions, database)[:_TRIED] if spec.partitions else [""]
    with closing(opened()) as source:
        pages = (page for partition in partitions for page in source.pages(Slice(partition=partition)))
        return next((page for page in pages if page.records), Page([]))


def unread() -> NoReturn:
    """In place of a source, where nothing is to be read."""
    raise PermanentError("spec.fields is absent, and no run has inferred them yet: run it first", reason=UNKNOWN)
