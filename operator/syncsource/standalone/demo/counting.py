"""How many rows the demo's tables have."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from syncsource.standalone.demo.bringing import Databases


def row_counts(databases: Databases) -> str:
    """A line for each table: ``orders    523 rows in PostgreSQL``."""
    places = (("orders", databases.orders), ("stores", databases.shop), ("products", databases.shop))
    return "\n".join(f"{table:<9}{_count(url, table):>6,} rows in {_kind(url)}" for table, url in places)


def _count(url: str, table: str) -> int:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
    finally:
        engine.dispose()


def _kind(url: str) -> str:
    return "PostgreSQL" if url.startswith("postgresql") else url.removeprefix("sqlite:///")
