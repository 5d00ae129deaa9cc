"""What SQLite's errors mean: those that end a run, and those that refuse a row."""

from __future__ import annotations

import sqlite3

from syncsource.databases.sqlite import fault, nameless
from syncsource.destinations.dialect import Refusal
from syncsource.errors import SyncError, outside_text

_ROW = ("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG")

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
    found = fault(error)
    way_out = f": {_WAYS_OUT[found.reason]}" if found.reason in _WAYS_OUT else ""
    return found.kind(f"SQLite {place}: {found.said}{way_out}", reason=found.reason)


def refusal(error: BaseException) -> Refusal:
    """What SQLite says of a row."""
    name, said = getattr(error, "sqlite_errorname", ""), outside_text(str(error), 400)
    if name == "SQLITE_CONSTRAINT_DATATYPE" or not name.startswith("SQLITE_CONSTRAINT"):
        return Refusal("InvalidValue", said, nameless=nameless(error))
    column = said.rpartition(".")[2] if name == "SQLITE_CONSTRAINT_NOTNULL" else None
    return Refusal("ConstraintViolation", said, column, name != "SQLITE_CONSTRAINT_CHECK" and column is None, nameless(error))
