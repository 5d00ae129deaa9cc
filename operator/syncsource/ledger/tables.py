"""The ledger's tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Index, Integer, MetaData, String, TypeDecorator
from sqlalchemy import Table as SqlTable
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

VERSION = 4
"""Of these definitions. A ledger with a higher one belongs to a newer SyncSource."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC: timestamptz; on MySQL a datetime without zone; on SQLite text of a fixed length that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        held: dict[str, TypeEngine[Any]] = {"sqlite": String(27), "mysql": mysql.DATETIME(fsp=6)}
        return dialect.type_descriptor(held.get(dialect.name, DateTime(timezone=True)))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None or dialect.name == "postgresql":
            return value
        if dialect.name == "mysql":
            return value.astimezone(UTC).replace(tzinfo=None)
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
            return value
        return datetime.fromisoformat(value) if isinstance(value, str) else value.replace(tzinfo=UTC)


Text = SqlText().with_variant(mysql.LONGTEXT(), "mysql")
metadata = MetaData()


def Table(name: str, metadata: MetaData, *parts: Column[Any] | Index, **more: Any) -> SqlTable:
    """A table whose texts compare by code point, on MySQL too."""
    return SqlTable(name, metadata, *parts, mysql_engine="InnoDB", mysql_charset="utf8mb4", mysql_collate="utf8mb4_bin", **more)


_IDENTITY, _PARTITION, _WORD = String(400), String(200), String(64)

versions = Table("syncsource_ledger", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

sources = Table(
    "syncsource_sources",
    metadata,
    Column("identity", _IDENTITY, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("fields", Text),
    Column("fields_hash", _WORD),
)

cursors = Table(
    "syncsource_cursors",
    metadata,
    Column("identity", _IDENTITY, primary_key=True),
    Column("partition", _PARTITION, primary_key=True),
    Column("cursor", Text),
    Column("state", Text),
    Column("position", Text),
    Column("config_hash", _WORD, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

COUNTS = ("read", "inserted", "updated", "unchanged", "skipped", "quarantined", "deleted", "conflicts")


def _result() -> list[Column[Any]]:
    """What became of a run, or of one of its partitions."""
    return [
        Column("result", _WORD, nullable=False),
        Column("reason", _WORD, nullable=False, default=""),
        Column("message", Text, nullable=False, default=""),
        *(Column(name, BigInteger, nullable=False, default=0, server_default="0") for name in COUNTS),
        Column("cursor_before", Text),
        Column("cursor_after", Text),
    ]


runs = Table(
    "syncsource_runs",
    metadata,
    Column("run", _WORD, primary_key=True),
    Column("identity", _IDENTITY, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("trigger", _WORD, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    *_result(),
    Column("document_reads", BigInteger, nullable=False, server_default="0"),
    Column("partitions_total", BigInteger, nullable=False, server_default="0"),
    Column("partitions_succeeded", BigInteger, nullable=False, server_default="0"),
    Column("partitions_failed", BigInteger, nullable=False, server_default="0"),
    Index("syncsource_runs_by_fence", "identity", "fence"),
)

run_partitions = Table(
    "syncsource_run_partitions",
    metadata,
    Column("run", _WORD, primary_key=True),
    Column("partition", _PARTITION, primary_key=True),
    *_result(),
    Column("finished_at", Instant, nullable=False),
)
"""What a run committed, partition by partition: written in the transaction of the rows. Without partitions the value is empty, and a row is
there only where the run committed window by window."""

images = Table(
    "syncsource_images",
    metadata,
    Column("batch", _WORD, primary_key=True),
    Column("identity", _IDENTITY, nullable=False),
    Column("run", _WORD, nullable=False),
    Column("partition", _PARTITION, nullable=False),
    Column("images", _WORD, nullable=False),
    Column("schema", _WORD),
    Column("table", _WORD, nullable=False),
    Column("columns", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("keep_until", Instant, nullable=False),
    Column("undone_by", _WORD),
    Index("syncsource_images_by_run", "identity", "run"),
)
"""Where the images of a run's transactions are, each row before and after: with them it is undone. ``number``: their order."""


def _bad_record() -> list[Column[Any]]:
    """A record that can't be written, and why."""
    return [
        Column("digest", _WORD, primary_key=True),
        Column("record", Text, nullable=False),
        Column("reason", _WORD, nullable=False),
        Column("message", Text, nullable=False),
        Column("field", Text),
        Column("place", Text),
        Column("position", BigInteger),
        Column("excerpt", Text),
        Column("form", _WORD),
    ]


quarantine = Table(
    "syncsource_quarantine",
    metadata,
    Column("identity", _IDENTITY, primary_key=True),
    Column("partition", _PARTITION, primary_key=True),
    *_bad_record(),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("last_run", _WORD, nullable=False),
)

rejected = Table(
    "syncsource_rejected",
    MetaData(),
    *_bad_record(),
    prefixes=["TEMPORARY"],
)
"""A run's bad records until it commits: temporary, on the connection that writes."""
