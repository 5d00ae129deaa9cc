"""What went wrong while a database was read, in the words of ``spec.source.sql``, without a password."""

from __future__ import annotations

from sqlalchemy import URL

from syncsource.databases.url import secrets_of, where
from syncsource.errors import StalledError, SyncError
from syncsource.resource.sqlsource import SqlSource
from syncsource.resource.types import format_duration
from syncsource.sources.sql.dialect import Dialect

_SECRET = "the Secret of spec.source.sql.urlFrom"
_WAYS_OUT = {
    "DatabaseAuthFailed": f"check user and password in {_SECRET}",
    "TLSFailed": f"mend what the URL in {_SECRET} says of TLS, or the server's certificate",
    "DatabaseNotFound": f"create it, or name another in {_SECRET}",
    "DatabaseUnavailable": f"check that it runs, and {_SECRET}",
    "DatabaseBusy": "the next run reads it again",
    "TransactionTimeout": "writing took longer than the server lets a transaction wait: raise its idle_in_transaction_session_timeout",
}


class Border:
    """Makes our errors of a driver's."""

    def __init__(self, sql: SqlSource, dialect: Dialect, url: URL) -> None:
        self._sql, self._dialect = sql, dialect
        self._place, self._secrets = where(url), secrets_of(url)

    def translated(self, error: Exception, connecting: bool = False) -> SyncError:
        """What the error means for the run."""
        fault = self._dialect.fault(error)
        if connecting and fault.reason == "InvalidSpec":
            return fault.kind(self._told(fault.said, f"mend the URL in {_SECRET}"))
        if fault.reason == "DatabaseReadOnly":
            return StalledError(self._told(fault.said, f"a source only reads: make {self._field} one SELECT"))
        return fault.kind(self._told(fault.said, self._way_out(fault.reason)), reason=fault.reason)

    @property
    def _field(self) -> str:
        if self._sql.query is not None:
            return "spec.source.sql.query"
        return "spec.source.sql.where" if self._sql.where else "spec.source.sql.table"

    def _told(self, said: str, way_out: str) -> str:
        message = f"{self._dialect.name} {self._place}: {said}" + (f"; {way_out}" if way_out else "")
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message

    def _way_out(self, reason: str) -> str:
        if reason == "PermissionDenied":
            return f"run GRANT SELECT ON {self._object} TO the user of spec.source.sql.urlFrom"
        if reason == "Timeout":
            return (
                f"it took longer than spec.source.sql.timeout ({format_duration(self._sql.timeout)}): raise it, or give the cursor an index"
            )
        if reason == "SchemaMismatch":
            return f"mend {self._field}" + (", or spec.source.sql.columns" if self._sql.columns else "")
        if reason == "InvalidSpec":
            return f"mend {self._field}: one SELECT or condition, with {{cursor}}, {{until}} and {{partition}} outside quotes"
        return _WAYS_OUT.get(reason, "")

    @property
    def _object(self) -> str:
        sql, quoted = self._sql, self._dialect.quoted
        if sql.table is None:
            return "what spec.source.sql.query reads"
        return f"{quoted(sql.schema_)}.{quoted(sql.table)}" if sql.schema_ else quoted(sql.table)
