"""What PostgreSQL's errors mean: by SQLSTATE, and by text where a connection was refused, which has none."""

from __future__ import annotations

import re

import psycopg

from syncsource.destinations.dialect import Refusal
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, StalledError, SyncError, outside_text

_ROW = ("22", "23", "44", "54", "P0")
"""Classes in which a row is at fault: data, constraints, a view's check, a program's limit (an index entry too long), triggers."""

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
    (r"password|pg_hba|authentication|role .* does not exist|not permitted to log in|certificate", PermanentError, "DatabaseAuthFailed"),
    (r"database .* does not exist", PermanentError, "DatabaseNotFound"),
    (r"permission denied for database", PermanentError, "PermissionDenied"),
    (r"invalid (connection|URI)|invalid .* value|unsupported", StalledError, "InvalidSpec"),
)
_WAYS_OUT = {
    "DatabaseReadOnly": "it takes no writes: name the server that does in the Secret of spec.destination.sql.urlFrom",
    "DatabaseAuthFailed": "check user and password in the Secret of spec.destination.sql.urlFrom",
    "DatabaseNotFound": "create it, or name another in the Secret of spec.destination.sql.urlFrom",
    "DatabaseUnavailable": "check that it runs, and the Secret of spec.destination.sql.urlFrom",
    "DiskFull": "free space on its disk",
    "TransactionTimeout": "the process of the run had stood still",
    "PermissionDenied": "grant it to the user of spec.destination.sql.urlFrom",
}
_DISCONNECTED = RetryableError, "DatabaseUnavailable"
_STAGED = re.compile(r"column (c\d+)\b")


def translate(error: BaseException, place: str) -> SyncError | None:
    """None where a row is at fault."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        return _without_state(error, place)
    if state.startswith(_ROW):
        return None
    kind, reason = next(((kind, reason) for start, kind, reason in _KINDS if state.startswith(start)), (PermanentError, "DatabaseError"))
    return _told(kind, reason, place, _said(error))


def refusal(error: BaseException) -> Refusal:
    """What the server says of a row."""
    if not isinstance(error, psycopg.Error):
        return Refusal("InvalidValue", f"not text that a database takes: {outside_text(str(error))}")
    diag, state = error.diag, error.sqlstate or ""
    staged = _STAGED.search(diag.context or "")
    reason = "InvalidValue" if state.startswith("22") else "ConstraintViolation"
    named = f"{diag.constraint_name}: " if diag.constraint_name else ""
    return Refusal(reason, named + _said(error), diag.column_name or (staged[1] if staged else None), state in ("23505", "23503", "23P01"))


def _said(error: psycopg.Error) -> str:
    said = error.diag.message_primary or str(error)
    return outside_text(f"{said}: {error.diag.message_detail}" if error.diag.message_detail else said, 400)


def _without_state(error: psycopg.Error, place: str) -> SyncError | None:
    """Refused or lost connections, and values that the driver itself can't send."""
    if isinstance(error, psycopg.DataError):
        return None
    said = outside_text(str(error), 400)
    kind, reason = next(((kind, reason) for text, kind, reason in _REFUSED if re.search(text, said)), _DISCONNECTED)
    return _told(kind, reason, place, said)


def _told(kind: type[SyncError], reason: str, place: str, said: str) -> SyncError:
    way_out = f"; {_WAYS_OUT[reason]}" if reason in _WAYS_OUT else ""
    return kind(f"PostgreSQL {place}: {said}{way_out}", reason=reason)
