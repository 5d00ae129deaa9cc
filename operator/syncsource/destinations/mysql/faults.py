"""What the errors of MySQL and MariaDB mean: those that end a run, and those that refuse a row."""

from __future__ import annotations

import re

import pymysql

from syncsource.databases.mysql import fault, nameless
from syncsource.destinations.dialect import NO_TEXT, Refusal
from syncsource.errors import SyncError, outside_text

_VALUES = frozenset((1153, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1416, 1441, 1525, 1690, 3140, 3141, 3157, 4038, 1118))
"""Out of range, cut, wrong, not of the character set, too long."""
_CONSTRAINTS = frozenset((1048, 1062, 1169, 1216, 1217, 1364, 1451, 1452, 1526, 1557, 1586, 1643, 1644, 1748, 3819, 4025))
"""NOT NULL, unique, foreign key, check, no partition for it, a trigger's SIGNAL."""
_DEPENDS = frozenset((1062, 1169, 1452, 1216, 1451, 1217, 1586))
_COLUMN = re.compile(r"(?:(?i:column|field) '?(?:`[^`]*`\.)*[`']?|^CONSTRAINT `[^`.]*\.)([^`']+)[`']")
"""A column's own check is called table.column."""

_WAYS_OUT = {
    "DatabaseReadOnly": "it takes no writes: name the server that does in the Secret of spec.destination.sql.urlFrom",
    "DatabaseAuthFailed": "check user and password in the Secret of spec.destination.sql.urlFrom",
    "TLSFailed": "mend the ssl options in the URL of spec.destination.sql.urlFrom, or the server's certificate",
    "DatabaseNotFound": "create it, or name another in the Secret of spec.destination.sql.urlFrom",
    "DatabaseUnavailable": "check that it runs, and the Secret of spec.destination.sql.urlFrom",
    "DiskFull": "free space on its disk",
    "PermissionDenied": "grant it to the user of spec.destination.sql.urlFrom",
}


def translate(error: BaseException, place: str) -> SyncError | None:
    """None where a row is at fault."""
    if not isinstance(error, pymysql.err.Error) or _number(error) in _VALUES | _CONSTRAINTS or _signalled(error):
        return None
    found = fault(error)
    way_out = f"; {_WAYS_OUT[found.reason]}" if found.reason in _WAYS_OUT else ""
    return found.kind(f"MySQL {place}: {found.said}{way_out}", reason=found.reason)


def refusal(error: BaseException) -> Refusal:
    """What the server says of a row."""
    if not isinstance(error, pymysql.err.Error):
        return Refusal("InvalidValue", f"not text that a database takes: {outside_text(str(error))}", nameless=NO_TEXT)
    number, said = _number(error), outside_text(str(error.args[-1]), 400)
    column = _COLUMN.search(said)
    reason = "ConstraintViolation" if number in _CONSTRAINTS or _signalled(error) else "InvalidValue"
    return Refusal(reason, said, column[1] if column else None, number in _DEPENDS, nameless(error))


def _number(error: BaseException) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _signalled(error: BaseException) -> bool:
    """A trigger's SIGNAL may have any number; its state is what people write."""
    return getattr(error, "sqlstate", None) == "45000"
