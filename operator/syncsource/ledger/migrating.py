"""From an older ledger to this one, a version at a time, in the transaction that :mod:`syncsource.ledger.preparing` holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, inspect

_COUNTS = ("document_reads", "partitions_total", "partitions_succeeded", "partitions_failed")
_TO_2 = (
    *(f"ALTER TABLE syncsource_runs ADD COLUMN {name} BIGINT NOT NULL DEFAULT 0" for name in _COUNTS),
    "ALTER TABLE syncsource_sources ADD COLUMN fields TEXT",
    "ALTER TABLE syncsource_sources ADD COLUMN fields_hash VARCHAR(64)",
    "ALTER TABLE syncsource_quarantine ADD COLUMN place TEXT",
    "ALTER TABLE syncsource_quarantine ADD COLUMN position BIGINT",
    "ALTER TABLE syncsource_quarantine ADD COLUMN excerpt TEXT",
    "ALTER TABLE syncsource_quarantine ADD COLUMN form VARCHAR(64)",
)
_COUNTED_TO_3 = ("syncsource_runs", "syncsource_run_partitions")
_CURSORS_TO_2 = {
    "postgresql": (
        "ALTER TABLE syncsource_cursors ADD COLUMN state TEXT",
        "ALTER TABLE syncsource_cursors ALTER COLUMN cursor DROP NOT NULL",
    ),
    "sqlite": (  # which has no way to take a NOT NULL from a column
        "ALTER TABLE syncsource_cursors RENAME TO syncsource_cursors_1",
        "CREATE TABLE syncsource_cursors (identity VARCHAR(400) NOT NULL, partition VARCHAR(200) NOT NULL, cursor TEXT, state TEXT, "
        "config_hash VARCHAR(64) NOT NULL, updated_at VARCHAR(27) NOT NULL, PRIMARY KEY (identity, partition))",
        "INSERT INTO syncsource_cursors SELECT identity, partition, cursor, NULL, config_hash, updated_at FROM syncsource_cursors_1",
        "DROP TABLE syncsource_cursors_1",
    ),
}
_TEXT = {"mysql": "LONGTEXT"}
"""Where :data:`syncsource.ledger.tables.Text` is not TEXT."""


def migrate(connection: Connection, version: int) -> None:
    """Brings the tables of ``version`` to those of today; what they hold stays."""
    if version < 2:
        _run(connection, _TO_2)
        _run(connection, _CURSORS_TO_2[connection.dialect.name])
    if version < 3:
        there = [name for name in _COUNTED_TO_3 if inspect(connection).has_table(name)]
        added = [(name, count) for name in there for count in ("deleted", "conflicts")]
        _run(connection, [f"ALTER TABLE {name} ADD COLUMN {count} BIGINT NOT NULL DEFAULT 0" for name, count in added])
    if version < 4:
        text = _TEXT.get(connection.dialect.name, "TEXT")
        _run(connection, [f"ALTER TABLE syncsource_cursors ADD COLUMN position {text}"])


def _run(connection: Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
