"""From an older ledger to this one, a version at a time, in the transaction that :mod:`syncsource.ledger.preparing` holds. On MySQL each definition
commits: who is killed there leaves a part, and who comes next adds the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, inspect

_COUNTS = ("document_reads", "partitions_total", "partitions_succeeded", "partitions_failed")
_COUNT = "BIGINT NOT NULL DEFAULT 0"
_TO_2: Mapping[str, Mapping[str, str]] = {
    "syncsource_runs": dict.fromkeys(_COUNTS, _COUNT),
    "syncsource_sources": {"fields": "TEXT", "fields_hash": "VARCHAR(64)"},
    "syncsource_quarantine": {"place": "TEXT", "position": "BIGINT", "excerpt": "TEXT", "form": "VARCHAR(64)"},
}
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
        for table, columns in _TO_2.items():
            _add(connection, table, columns)
        _run(connection, _CURSORS_TO_2[connection.dialect.name])
    if version < 3:
        there = [name for name in _COUNTED_TO_3 if inspect(connection).has_table(name)]
        for table in there:
            _add(connection, table, {"deleted": _COUNT, "conflicts": _COUNT})
    if version < 4:
        _add(connection, "syncsource_cursors", {"position": _TEXT.get(connection.dialect.name, "TEXT")})


def _add(connection: Connection, table: str, columns: Mapping[str, str]) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table)}
    _run(connection, [f"ALTER TABLE {table} ADD COLUMN {name} {kind}" for name, kind in columns.items() if name not in there])


def _run(connection: Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
