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

_RAISED = ("exec_stmt_raise", "PLy_", "plperl", "pltcl")
"""Beginnings of the names of the server's functions that pass on what people's say."""
_QUOTING = ("22", "23", "44", "54")
"""Classes whose detail quotes rows."""
_FUNCTION = re.compile(r"function ([^\s(]+)")


def fault(error: psycopg.Error) -> Fault:
    """What the error means where no row is at fault."""
    state, told = error.sqlstate, nameless(error)
    if state is None:  # refused or lost
        found = next(((kind, reason) for text, kind, reason in _REFUSED if re.search(text, told)), (RetryableError, "DatabaseUnavailable"))
    else:
        found = next(((kind, reason) for start, kind, reason in _KINDS if state.startswith(start)), (PermanentError, "DatabaseError"))
    return Fault(*found, told)


def nameless(error: psycopg.Error) -> str:
    """The server's words without values of rows, which may go anywhere: constraints, tables, columns and functions by their names."""
    diag, state = error.diag, error.sqlstate
    if state is None:
        return "a value that PostgreSQL does not take" if isinstance(error, psycopg.DataError) else said(error)
    if (diag.source_function or "").startswith(_RAISED) or state.startswith("P0"):
        named = _FUNCTION.search(diag.context or "")
        return f"an error that {named[1] if named else 'a function'} raised ({state})"
    if state.startswith("22") and state != "22001":
        column = f" in the column {diag.column_name}" if diag.column_name else ""
        words = re.sub("(?<=.)([A-Z])", r" \1", type(error).__name__).lower()
        return f"{words} ({state}){column}"
    return outside_text(diag.message_primary or str(error), 400) if state.startswith(_QUOTING) else said(error)


def said(error: psycopg.Error) -> str:
    """The server's words, with their detail, which may quote a row."""
    primary = error.diag.message_primary or str(error)
    return outside_text(f"{primary}: {error.diag.message_detail}" if error.diag.message_detail else primary, 400)
