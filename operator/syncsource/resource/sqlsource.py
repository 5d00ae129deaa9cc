"""A table or a query of a database as a source: ``spec.source.sql``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from syncsource.resource.parts import PositiveDuration, SourcePart, UrlFrom
from syncsource.resource.types import ruled

_PLACEHOLDERS = (
    "{partition} stands for the partition's value, {cursor} for the cursor from which on rows are wanted and {until} for the window's end, "
    "which are null where everything is read: they are bound as parameters, so write them without quotes."
)
ColumnName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+$")]
Sql = Annotated[str, Field(min_length=1, max_length=16_384, pattern=r"^[^\x00]*$")]


class SqlSource(SourcePart):
    """A table or a query in PostgreSQL, MySQL, MariaDB or SQLite, read in one read-only transaction that sees one moment."""

    model_config = ruled(
        ("has(self.table) != has(self.query)", "exactly one of table and query must be set"),
        ("!has(self.schema) || has(self.table)", "schema is only for table; name it in the query", ".schema"),
        ("!has(self.columns) || has(self.table)", "columns is only for table; name them in the query", ".columns"),
        ("!has(self.where) || has(self.table)", "where is only for table; the query has its own", ".where"),
    )
    url_from: UrlFrom = Field(
        description=(
            "The database URL: postgresql://user:password@host:5432/name, mysql://user:password@host:3306/name or "
            "sqlite:////path/to/file.db. A user who may only read is enough."
        )
    )
    table: ColumnName | None = Field(None, description="Table or view to read.")
    schema_: ColumnName | None = Field(
        None, alias="schema", description="Schema of the table; on MySQL and MariaDB its database. Absent: the connection's default."
    )
    columns: (
        Annotated[list[ColumnName], Field(min_length=1, max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"})] | None
    ) = Field(None, description="Columns of the table to read. Absent: all.")
    where: Sql | None = Field(None, description=f"SQL condition on the table's rows, for example status <> 'draft'. {_PLACEHOLDERS}")
    query: Sql | None = Field(
        None,
        description=(
            "One SELECT in the database's SQL. With spec.incremental the cursor's condition is put around it, unless it holds "
            f"{{cursor}} itself. {_PLACEHOLDERS}"
        ),
    )
    json_columns: Annotated[list[ColumnName], Field(max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"})] = Field(
        default_factory=list,
        description="Columns whose texts are JSON, to be parsed. Those of a JSON type are in any case, and those that a field of type json takes whole.",
    )
    page_size: int = Field(5000, ge=1, le=50_000, description="Rows that are fetched at once; fewer where they are large.")
    timeout: PositiveDuration = Field(
        timedelta(minutes=1), description="Longest wait for the database to accept a connection, or to give more rows."
    )

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        reference = self.url_from.secret_key_ref
        return [(reference.name, reference.key)]

    def asking(self, name: str, key: str) -> str:
        return "urlFrom"

    @property
    def place(self) -> str:
        if self.table is None:
            return "sql query"
        return f"sql table {self.schema_}.{self.table}" if self.schema_ else f"sql table {self.table}"
