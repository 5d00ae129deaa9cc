"""Columns that both the source and people changed: looked at, and resolved for one side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from syncsource.destinations import Conflict as Found
from syncsource.destinations import Conflicts, Database, Owner, find_table
from syncsource.engine.destination import opened
from syncsource.engine.fenced import ended, fenced
from syncsource.engine.inferring import unread, with_fields
from syncsource.engine.masking import MASK
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.recording import RESOLVE
from syncsource.engine.stopping import Stop
from syncsource.engine.words import as_text
from syncsource.errors import PermanentError
from syncsource.resource.spec import SyncSourceSpec

Side = Literal["Source", "Destination"]


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict as it may be shown: sensitive values are masked."""

    id: str
    key: dict[str, str | None]
    column: str
    source: str | None
    """What the source says."""
    destination: str | None
    """What the table holds."""
    seen: str


def look(plan: RunPlan, limit: int) -> tuple[list[Conflict], int]:
    """The first conflicts, and how many there are. Raises a SyncError that holds no secret."""
    with opened(plan) as (spec, database), _conflicts(plan, spec, database) as (spec, conflicts):
        return [_shown(spec, one) for one in conflicts.listed(limit)], conflicts.total


def waiting(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> int:
    """How many wait for people. Raises a SyncError."""
    if spec.write.on_existing != "Merge":
        return 0
    with _conflicts(plan, spec, database) as (_, conflicts):
        return conflicts.total


def resolve(plan: RunPlan, ids: Sequence[str] | None, side: Side, stop: Stop) -> Outcome:
    """Resolves conflicts, all where ``ids`` is None: the source's value is written, or the table's stays. Never raises: what goes wrong is in
    the outcome, and then nothing has changed."""

    def work() -> tuple[Outcome, None]:
        with (
            opened(plan) as (spec, database),
            stop.after(spec.timeout, "nothing was changed"),
            _conflicts(plan, spec, database) as (_, conflicts),
        ):
            found = [] if ids is None else conflicts.listed()
            chosen = None if ids is None else [_chosen(found, one) for one in ids]
            return fenced(plan, database, conflicts, stop, RESOLVE, lambda _: _resolved(plan, conflicts, chosen, side)), None

    return ended(plan, stop, work)[0]


def _resolved(plan: RunPlan, conflicts: Conflicts, chosen: Sequence[Found] | None, side: Side) -> Outcome:
    done = conflicts.resolve(chosen, take_source=side == "Source")
    left = conflicts.total
    told = f"{done:,} conflict{'s' * (done != 1)} resolved for the {side.lower()}, {left:,} left"
    counts = Counts(updated=done if side == "Source" else 0)
    return Outcome(run=plan.run, result="Succeeded", counts=counts, message=told, conflicts_total=left)


@contextmanager
def _conflicts(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> Iterator[tuple[SyncSourceSpec, Conflicts]]:
    spec = with_fields(spec, plan.identity, database, unread)
    table = find_table(database, spec.destination.sql, spec.fields, spec.keys, spec.write)
    if table is None:
        raise PermanentError("the table is not there yet: run it first", reason="NotFound")
    with Conflicts(database, table, Owner(plan.identity, "", complete=False)) as conflicts:
        yield spec, conflicts


def _chosen(found: Sequence[Found], wanted: str) -> Found:
    alike = [one for one in found if one.id.startswith(wanted)]
    if len(alike) != 1:
        why = f"{'no conflict' if not alike else 'more than one conflict'} has an id that begins with {wanted!r}"
        raise PermanentError(f"{why}: give the id of one that `syncsource conflicts` lists", reason="NotFound")
    return alike[0]


def _shown(spec: SyncSourceSpec, one: Found) -> Conflict:
    hidden = {field.name for field in spec.fields if field.sensitive}
    keys = zip([field.name for field in spec.fields if field.name in spec.key_fields], one.key, strict=True)
    values = [MASK if one.field in hidden and value is not None else as_text(value) for value in (one.source, one.destination)]
    return Conflict(
        id=one.id,
        key={name: MASK if name in hidden else as_text(value) for name, value in keys},
        column=one.column,
        source=values[0],
        destination=values[1],
        seen=one.seen,
    )
