"""What SQLite's errors mean, by their names."""

from __future__ import annotations

import sqlite3

from syncsource.destinations.dialect import Refusal
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, SyncError, outside_text

_ROW = ("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG")

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

_WAYS_OUT = {
    "DatabaseBusy": "another program holds its lock",
    "DatabaseReadOnly": "the file or its folder is not writable for this process",
    "DatabaseUnavailable": "look at the file, its folder and their permissions",
    "DiskFull": "free space on its disk",
    "DatabaseDamaged": "it is no SQLite file, or a damaged one",
}


def translate(error: BaseException, place: str) -> SyncError | None:
    """None where a row is at fault."""
    if not isinstance(error, sqlite3.Error):
        return None
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_ROW) or isinstance(error, sqlite3.DataError):
        return None
    kind, reason = next(((kind, reason) for start, kind, reason in _KINDS if name.startswith(start)), _other(error))
    way_out = f": {_WAYS_OUT[reason]}" if reason in _WAYS_OUT else ""
    return kind(f"SQLite {place}: {outside_text(str(error), 400)}{way_out}", reason=reason)


def refusal(error: BaseException) -> Refusal:
    """What SQLite says of a row."""
    name, said = getattr(error, "sqlite_errorname", ""), outside_text(str(error), 400)
    if name == "SQLITE_CONSTRAINT_DATATYPE" or not name.startswith("SQLITE_CONSTRAINT"):
        return Refusal("InvalidValue", said)
    column = said.rpartition(".")[2] if name == "SQLITE_CONSTRAINT_NOTNULL" else None
    return Refusal("ConstraintViolation", said, column, name != "SQLITE_CONSTRAINT_CHECK" and column is None)


def _other(error: sqlite3.Error) -> tuple[type[SyncError], str]:
    if str(error).startswith(("no such table", "no such column")) or " has no column named " in str(error):
        return SchemaMismatch, "SchemaMismatch"
    return PermanentError, "DatabaseError"
