"""The destination of a spec: its database, opened by the URL in its Secret, and its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, literal, quoted_name, select, table

from syncsource import ledger
from syncsource.databases.url import kept_url
from syncsource.destinations import Database, Table, Taken, open_database, open_table
from syncsource.engine.plan import RunPlan
from syncsource.engine.redacting import redact
from syncsource.errors import SyncError
from syncsource.resource.spec import SyncSourceSpec

_KEPT = timedelta(days=14)
"""How long it is kept what commands did, where spec.safety.undo does not say."""
_GRACE = 5.0
"""Seconds that a statement may take longer than spec.timeout, when the run is stopped: only one that nobody stops any more is left to the server."""


def opened_database(spec: SyncSourceSpec, secrets: Mapping[str, Mapping[str, str]], most: int | None = None) -> Database:
    """Connects when it is first used, at most so many times at once. Raises StalledError (SecretNotFound, SecretInvalid)."""
    url, place = kept_url(spec.destination.sql.url_from.secret_key_ref, secrets, "spec.destination.sql.urlFrom")
    return open_database(url, named=place, longest=spec.timeout.total_seconds() + _GRACE, most=most)


@contextmanager
def opened(plan: RunPlan) -> Iterator[tuple[SyncSourceSpec, Database]]:
    """The spec of a plan and its database, the ledger ready. A SyncError that leaves the block holds no secret."""
    try:
        spec = SyncSourceSpec.model_validate(plan.spec)
        with opened_database(spec, plan.secrets) as database:
            ledger.prepare(database.engine)
            yield spec, database
    except SyncError as error:
        error.message = redact(error.message, plan.secrets)
        raise


def opened_table(spec: SyncSourceSpec, identity: str, database: Database) -> Table:
    """The table, for writing. Where it is gone or empty, what earlier runs left in the ledger of it is forgotten first, of all partitions at
    once: as soon as one of them has written, a table tells no more what the others lack."""
    sql, keys = spec.destination.sql, spec.keys
    forget, undo = partial(ledger.forget, database.engine, identity), spec.safety.undo is not None
    found = open_table(database, sql, spec.fields, keys, spec.write, undo=undo, missing=forget)
    if not has_rows(database, found):
        ledger.forget_states(database.engine, identity)
    return found


def keep_images(connection: Connection, plan: RunPlan, spec: SyncSourceSpec, partition: str, taken: Taken | None) -> None:
    """Enters what a transaction did to rows, so that it can be undone."""
    if taken is not None and spec.safety.undo is not None:
        ledger.keep_images(connection, plan.identity, plan.run, partition, taken, spec.safety.undo.keep)


def keep_asked(connection: Connection, plan: RunPlan, spec: SyncSourceSpec, taken: Taken | None) -> None:
    """Enters what a command did to rows because people asked for it: kept whether runs keep what they do or not."""
    if taken is not None:
        ledger.keep_images(connection, plan.identity, plan.run, "", taken, spec.safety.undo.keep if spec.safety.undo else _KEPT)


def has_rows(database: Database, of: Table) -> bool:
    """Whether the table has any."""
    target = table(quoted_name(of.name, True), schema=quoted_name(of.schema, True) if of.schema else None)
    with database.engine.connect() as connection:
        return connection.execute(select(literal(1)).select_from(target).limit(1)).first() is not None
