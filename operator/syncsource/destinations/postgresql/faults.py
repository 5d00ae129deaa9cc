"""What PostgreSQL's errors mean: those that end a run, and those that refuse a row."""

from __future__ import annotations

import re

import psycopg

from syncsource.databases.postgresql import fault, nameless, said
from syncsource.destinations.dialect import NO_TEXT, Refusal
from syncsource.errors import SyncError, outside_text

_ROW = ("22", "23", "44", "54", "P0")
"""Classes in which a row is at fault: data, constraints, a view's check, a program's limit (an index entry too long), triggers."""

_WAYS_OUT = {
    "DatabaseReadOnly": "it takes no writes: name the server that does in the Secret of spec.destination.sql.urlFrom",
    "DatabaseAuthFailed": "check user and password in the Secret of spec.destination.sql.urlFrom",
    "TLSFailed": "mend sslmode and sslrootcert in the URL of spec.destination.sql.urlFrom, or the server's certificate",
    "DatabaseNotFound": "create it, or name another in the Secret of spec.destination.sql.urlFrom",
    "DatabaseUnavailable": "check that it runs, and the Secret of spec.destination.sql.urlFrom",
    "DiskFull": "free space on its disk",
    "TransactionTimeout": "the process of the run had stood still",
    "PermissionDenied": "grant it to the user of spec.destination.sql.urlFrom",
}
_STAGED = re.compile(r"column (c\d+)\b")


def translate(error: BaseException, place: str) -> SyncError | None:
    """None where a row is at fault."""
    if not isinstance(error, psycopg.Error) or _at_row(error):
        return None
    found = fault(error)
    way_out = f"; {_WAYS_OUT[found.reason]}" if found.reason in _WAYS_OUT else ""
    return found.kind(f"PostgreSQL {place}: {found.said}{way_out}", reason=found.reason)


def refusal(error: BaseException) -> Refusal:
    """What the server says of a row."""
    if not isinstance(error, psycopg.Error):
        return Refusal("InvalidValue", f"not text that a database takes: {outside_text(str(error))}", nameless=NO_TEXT)
    diag, state = error.diag, error.sqlstate or ""
    staged = _STAGED.search(diag.context or "")
    reason = "InvalidValue" if state.startswith("22") else "ConstraintViolation"
    named = f"{diag.constraint_name}: " if diag.constraint_name else ""
    column, depends = diag.column_name or (staged[1] if staged else None), state in ("23505", "23503", "23P01")
    return Refusal(reason, named + said(error), column, depends, named + nameless(error))


def _at_row(error: psycopg.Error) -> bool:
    """A value that the driver itself can't send has no state."""
    return isinstance(error, psycopg.DataError) if error.sqlstate is None else error.sqlstate.startswith(_ROW)
