"""Rows of the destination's table that share a key: found, and all but one of each key deleted, so that it can be undone."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from syncsource.destinations import Dropped, Rule, Shared
from syncsource.destinations import Duplicates as Rows
from syncsource.engine.destination import keep_asked, opened, opened_database
from syncsource.engine.ending import known
from syncsource.engine.fenced import ended, fenced, foreseen
from syncsource.engine.masking import MASK
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.recording import DUPLICATES
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.engine.words import as_text
from syncsource.resource.spec import SyncSourceSpec

_LEFT = "nothing was changed"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A key of several rows."""

    key: dict[str, str | None]
    rows: int


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that share a key, as its columns compare; a row without a value in a field of the key shares it with none."""

    table: str
    keys: list[str]
    """The key's fields."""
    groups: int
    """Keys of more than one row."""
    surplus: int
    """Rows over one of each of these keys."""
    examples: list[Group]
    """Those of most rows first."""


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """What keeping one row of each key does."""

    kept: int
    deleted: int


def find(plan: RunPlan, stop: Stop, examples: int) -> Duplicates:
    """Looks, and writes nothing. Raises a SyncError that holds no secret."""
    try:
        spec = SyncSourceSpec.model_validate(plan.spec)
        with (
            stop.after(spec.timeout, _LEFT),
            opened_database(spec, plan.secrets) as database,
            Rows(database, spec.destination.sql, spec.keys) as rows,
            stop.calling(rows.cancel),
        ):
            return _found(spec, spec.key_fields, rows.find(examples))
    except Exception as error:
        ours = stop.cause_of(known(error))
        ours.message = redact(ours.message, plan.secrets)
        raise ours from error


def foresee(plan: RunPlan, rule: Rule, stop: Stop) -> Fixed:
    """What :func:`fix` would do, found out by doing it in a transaction that is rolled back. Raises a SyncError that holds no secret."""
    with (
        opened(plan) as (spec, database),
        stop.after(spec.timeout, _LEFT),
        Rows(database, spec.destination.sql, spec.keys) as rows,
    ):
        return _fixed(foreseen(rows, stop, lambda: rows.drop(rule)))


def fix(plan: RunPlan, rule: Rule, stop: Stop) -> tuple[Outcome, Fixed | None]:
    """Keeps one row of each key. Never raises: what goes wrong is in the outcome, and then nothing has changed."""

    def work() -> tuple[Outcome, Fixed]:
        with opened(plan) as (spec, database), stop.after(spec.timeout, _LEFT):
            dropped: list[Dropped] = []

            def write(connection: Connection) -> Outcome:
                dropped.append(rows.drop(rule))
                keep_asked(connection, plan, spec, dropped[0].taken)
                return _outcome(plan, _fixed(dropped[0]))

            with Rows(database, spec.destination.sql, spec.keys) as rows:
                rows.keep_images()
                outcome = fenced(plan, database, rows, stop, DUPLICATES, write)
            return outcome, _fixed(dropped[0])

    return ended(plan, stop, work)


def _found(spec: SyncSourceSpec, keys: list[str], shared: Shared) -> Duplicates:
    hidden = {field.name for field in spec.fields if field.sensitive}
    groups = [
        Group(key={name: MASK if name in hidden else as_text(value) for name, value in zip(keys, key, strict=True)}, rows=count)
        for key, count in shared.examples
    ]
    return Duplicates(table=spec.destination.sql.table, keys=list(keys), groups=shared.groups, surplus=shared.surplus, examples=groups)


def _fixed(dropped: Dropped) -> Fixed:
    return Fixed(kept=dropped.groups, deleted=dropped.rows)


def _outcome(plan: RunPlan, fixed: Fixed) -> Outcome:
    message = (
        f"{fixed.deleted:,} duplicates deleted, one row of each of {fixed.kept:,} keys kept" if fixed.deleted else "no duplicates were left"
    )
    return Outcome(run=plan.run, result="Succeeded", counts=Counts(deleted=fixed.deleted), message=message)
