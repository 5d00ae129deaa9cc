"""What PostgreSQL's errors mean: by SQLSTATE, and by text where a connection was refused, which has none."""

from __future__ import annotations

import re

import psycopg

from syncsource.databases.faults import Fault
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, StalledError, SyncError, outside_text

_KINDS: tuple[tuple[str, type[SyncError], str], ...] = (
    ("25006", RetryableError, "DatabaseReadOnly"),
    ("25P0", RetryableError, "TransactionTimeout"),
    ("53100", RetryableError, "DiskFull"),
    ("55P03", RetryableError, "DatabaseBusy"),
    ("57014", RetryableError, "DatabaseBusy"),
    ("40", RetryableError, "DatabaseBusy"),
    ("08", RetryableError, "DatabaseUnavailable"),
    ("53", RetryableError, "DatabaseUnavailable"),
    ("55", RetryableError, "DatabaseBusy"),
    ("57", RetryableError, "DatabaseUnavailable"),
    ("58", RetryableError, "DatabaseUnavailable"),
    ("42501", PermanentError, "PermissionDenied"),
    ("42P", SchemaMismatch, "SchemaMismatch"),
    ("42703", SchemaMismatch, "SchemaMismatch"),
    ("428", SchemaMismatch, "SchemaMismatch"),
    ("28", PermanentError, "DatabaseAuthFailed"),
    ("3D", PermanentError, "DatabaseNotFound"),
)
"""By the start of the SQLSTATE; the first that fits."""

_REFUSED: tuple[tuple[str, type[SyncError], str], ...] = (
    (r"certificate verify failed|SSL error|not support SSL|root certificate|server certificate", PermanentError, "TLSFailed"),
    (r"password|pg_hba|authentication|role .* does not exist|not permitted to log in|certificate", PermanentError, "DatabaseAuthFailed"),
    (r"database .* does not exist", PermanentError, "DatabaseNotFound"),
    (r"permission denied for database", PermanentError, "PermissionDenied"),
    (r"invalid (connection|URI)|invalid .* value|unsupported", StalledError, "InvalidSpec"),
)


def fault(error: psycopg.Error) -> Fault:
    """What the error means where no row is at fault."""
    state, told = error.sqlstate, said(error)
    if state is None:  # refused or lost
        found = next(((kind, reason) for text, kind, reason in _REFUSED if re.search(text, told)), (RetryableError, "DatabaseUnavailable"))
    else:
        found = next(((kind, reason) for start, kind, reason in _KINDS if state.startswith(start)), (PermanentError, "DatabaseError"))
    return Fault(*found, told)


def said(error: psycopg.Error) -> str:
    """The server's words, with their detail."""
    primary = error.diag.message_primary or str(error)
    return outside_text(f"{primary}: {error.diag.message_detail}" if error.diag.message_detail else primary, 400)
