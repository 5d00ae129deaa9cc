"""What the URLs of MySQL and MariaDB may set, and what their errors mean, by their numbers."""

from __future__ import annotations

import re
from typing import Any

import pymysql
from pymysql.constants import CR, ER
from sqlalchemy import URL

from syncsource.databases.faults import Fault
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, StalledError, SyncError, outside_text

_OPTIONS = frozenset(
    ("unix_socket", "connect_timeout", "charset", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity", "ssl_disabled")
)
"""What a URL may set: the rest would change what is read, or read files of this machine."""

_QUERY_TIMEOUTS = (1028, 1969, 3024)
"""Filesort aborted; MariaDB's max_statement_time; MySQL's max_execution_time."""

_KINDS: dict[int, tuple[type[SyncError], str]] = {
    ER.ACCESS_DENIED_ERROR: (PermanentError, "DatabaseAuthFailed"),
    1698: (PermanentError, "DatabaseAuthFailed"),
    ER.HOST_NOT_PRIVILEGED: (PermanentError, "DatabaseAuthFailed"),
    1524: (PermanentError, "DatabaseAuthFailed"),  # the account's plugin is not loaded
    3159: (PermanentError, "DatabaseAuthFailed"),  # the server takes no connection without TLS
    4151: (PermanentError, "DatabaseAuthFailed"),  # the account is locked
    ER.BAD_DB_ERROR: (PermanentError, "DatabaseNotFound"),
    ER.DBACCESS_DENIED_ERROR: (PermanentError, "PermissionDenied"),
    ER.TABLEACCESS_DENIED_ERROR: (PermanentError, "PermissionDenied"),
    ER.COLUMNACCESS_DENIED_ERROR: (PermanentError, "PermissionDenied"),
    ER.SPECIFIC_ACCESS_DENIED_ERROR: (PermanentError, "PermissionDenied"),
    ER.NO_SUCH_TABLE: (SchemaMismatch, "SchemaMismatch"),
    ER.BAD_FIELD_ERROR: (SchemaMismatch, "SchemaMismatch"),
    ER.PARSE_ERROR: (StalledError, "InvalidSpec"),
    1060: (StalledError, "InvalidSpec"),  # two columns of one name
    1210: (StalledError, "InvalidSpec"),  # as many parameters as the statement has not
    1295: (StalledError, "InvalidSpec"),  # a statement that can't be prepared
    1792: (RetryableError, "DatabaseReadOnly"),  # a write in a read-only transaction
    1290: (RetryableError, "DatabaseReadOnly"),
    ER.LOCK_WAIT_TIMEOUT: (RetryableError, "DatabaseBusy"),
    ER.LOCK_DEADLOCK: (RetryableError, "DatabaseBusy"),
    1020: (RetryableError, "DatabaseBusy"),
    1317: (RetryableError, "DatabaseBusy"),  # the query was interrupted
    1242: (RetryableError, "DatabaseBusy"),  # a lock of a name was not given: two rows where one is wanted
    3101: (RetryableError, "DatabaseBusy"),  # rolled back by the other servers of its group
    1114: (RetryableError, "DiskFull"),
    1412: (RetryableError, "DatabaseBusy"),  # the table's definition changed since the snapshot
    **dict.fromkeys(_QUERY_TIMEOUTS, (RetryableError, "Timeout")),
    **dict.fromkeys(
        (ER.CON_COUNT_ERROR, 1203, 1226, 1053, 1927, 1152, 1158, 1159, 1160, 1161, 1047, 4031), (RetryableError, "DatabaseUnavailable")
    ),
    ER.DISK_FULL: (RetryableError, "DiskFull"),
}

ER_SIGNAL = 1644
_DUPLICATES = (1062, 1169, 1586)
_VALUELESS = frozenset((1048, 1118, 1153, 1216, 1217, 1264, 1265, 1364, 1406, 1451, 1452, 1748, 3819, 4025))
"""Errors about rows that quote none."""


def fault(error: Exception) -> Fault:
    """What the error means where no row is at fault."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    told = outside_text(str(error.args[1] if len(error.args) > 1 else error), 400)
    if (number == CR.CR_SERVER_LOST and "timed out" in told) or isinstance(error, TimeoutError):
        return Fault(RetryableError, "Timeout", told)
    if isinstance(error, OSError):
        return Fault(RetryableError, "DatabaseUnavailable", outside_text(str(error), 400))
    if number == CR.CR_SSL_CONNECTION_ERROR or "certificate verify failed" in told or "[SSL" in told:
        return Fault(PermanentError, "TLSFailed", told)
    if CR.CR_ERROR_FIRST <= number <= CR.CR_ERROR_LAST or isinstance(error, pymysql.err.InterfaceError):
        return Fault(RetryableError, "DatabaseUnavailable", told)
    return Fault(*_KINDS.get(number, (PermanentError, "DatabaseError")), told)


def nameless(error: Exception) -> str:
    """The server's words about a row without its values, which may go anywhere: constraints, tables and columns by their names."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    told = str(error.args[-1]) if error.args else ""
    if number in _VALUELESS:
        return outside_text(told, 400)
    if number in _DUPLICATES:
        key = re.search(r"for key '([^']*)'$", told)
        return f"a duplicate entry{f' for key {outside_text(key[1])!r}' if key else ''} ({number})"
    if number == ER_SIGNAL or getattr(error, "sqlstate", None) == "45000":
        return f"an error that a trigger or a function raised ({number})"
    column = re.search(r"for column (?:`[^`']*`\.)*[`']([^`']*)[`'](?: at row \d+)?$", told)
    return f"a value that it does not take{f' for column {outside_text(column[1])!r}' if column else ''} ({number})"


def arguments(url: URL, field: str) -> dict[str, Any]:
    """What pymysql.connect is given for a URL that is kept in ``field``. StalledError where it sets what it may not."""
    unknown = sorted(set(url.query) - _OPTIONS)
    if unknown:
        raise StalledError(f"{field}: the URL sets {unknown[0]!r}: remove it; it may set {', '.join(sorted(_OPTIONS))}")
    options = {name: _option(value if isinstance(value, str) else value[-1]) for name, value in url.query.items()}
    if "unix_socket" in options:
        options.setdefault("ssl_disabled", True)  # it stays within the machine
    password = None if url.password is None else str(url.password).encode()  # PyMySQL would make Latin-1 of it
    given = {"host": url.host, "port": url.port, "user": url.username, "password": password, "database": url.database}
    return {**{name: value for name, value in given.items() if value is not None}, **options}


def _option(text: str) -> str | bool | int:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if text.isdecimal() else text


def by_code_point(*, mariadb: bool) -> str:
    """The collation that compares texts by code point, spaces at their end included: the two servers have no name in common for it."""
    return "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"
