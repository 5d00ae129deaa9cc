"""What SQLite's errors mean, by their names."""

from __future__ import annotations

import sqlite3

from syncsource.databases.faults import Fault
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, SyncError, outside_text

_KINDS: tuple[tuple[str, type[SyncError], str], ...] = (
    ("SQLITE_BUSY", RetryableError, "DatabaseBusy"),
    ("SQLITE_LOCKED", RetryableError, "DatabaseBusy"),
    ("SQLITE_INTERRUPT", RetryableError, "DatabaseBusy"),
    ("SQLITE_FULL", RetryableError, "DiskFull"),
    ("SQLITE_READONLY", RetryableError, "DatabaseReadOnly"),
    ("SQLITE_CANTOPEN", RetryableError, "DatabaseUnavailable"),
    ("SQLITE_IOERR", RetryableError, "DatabaseUnavailable"),
    ("SQLITE_PROTOCOL", RetryableError, "DatabaseBusy"),
    ("SQLITE_PERM", PermanentError, "PermissionDenied"),
    ("SQLITE_AUTH", PermanentError, "PermissionDenied"),
    ("SQLITE_NOTADB", PermanentError, "DatabaseDamaged"),
    ("SQLITE_CORRUPT", PermanentError, "DatabaseDamaged"),
    ("SQLITE_SCHEMA", SchemaMismatch, "SchemaMismatch"),
)
"""By the start of the name; the first that fits."""


def fault(error: sqlite3.Error) -> Fault:
    """What the error means where no row is at fault."""
    name = getattr(error, "sqlite_errorname", "")
    kind, reason = next(((kind, reason) for start, kind, reason in _KINDS if name.startswith(start)), _other(error))
    return Fault(kind, reason, outside_text(str(error), 400))


def nameless(error: BaseException) -> str:
    """SQLite's words about a row, which hold no value of it but where a trigger speaks."""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER":
        return "FOREIGN KEY constraint failed" if str(error).startswith("FOREIGN KEY") else "an error that a trigger raised"
    return outside_text(str(error), 400) if isinstance(error, sqlite3.Error) else "a value that SQLite does not take"


def _other(error: sqlite3.Error) -> tuple[type[SyncError], str]:
    if str(error).startswith(("no such table", "no such column")) or " has no column named " in str(error):
        return SchemaMismatch, "SchemaMismatch"
    return PermanentError, "DatabaseError"
