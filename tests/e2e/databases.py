"""Where the rows go, seen by somebody else than the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import Engine, create_engine, inspect


@dataclass
class Warehouse:
    """A database. ``url`` is what a Secret says."""

    kind: str
    url: str
    engine: Engine = field(repr=False)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement finds; what it changes is committed at once."""
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql(statement if self.kind == "sqlite" else statement.replace("%", "%%"))
            return [tuple(row) for row in found.fetchall()] if found.returns_rows else []

    def tables(self) -> set[str]:
        """Names of its tables."""
        return set(inspect(self.engine).get_table_names())


@contextmanager
def postgresql_schema(uri: str) -> Iterator[Warehouse]:
    """A schema of the server, which is the default one of its connections. It goes with the server: runs may still be at work in it."""
    schema = f"e2e_{uuid4().hex[:12]}"
    url = f"{uri}&options={quote(f'-csearch_path={schema}')}"
    with opened("postgresql", uri) as server:
        server.sql(f"CREATE SCHEMA {schema}")
    with opened("postgresql", url) as warehouse:
        yield warehouse


@contextmanager
def mariadb_database(uri: str) -> Iterator[Warehouse]:
    """A database of the server. It goes with the server, too."""
    name = f"e2e_{uuid4().hex[:12]}"
    with opened("mariadb", uri) as server:
        server.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    with opened("mariadb", uri.replace("/test?", f"/{name}?")) as warehouse:
        yield warehouse


@contextmanager
def sqlite_file(file: Path) -> Iterator[Warehouse]:
    """A SQLite file."""
    with opened("sqlite", f"sqlite:///{file}") as warehouse:
        yield warehouse


_ALIKE = {"ssl_disabled": True, "init_command": "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), time_zone = '+00:00'"}


@contextmanager
def opened(kind: str, url: str) -> Iterator[Warehouse]:
    """Connections to a database, where names are quoted alike; it is reached when one is used."""
    url_with_driver = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    more = {"connect_args": _ALIKE} if kind == "mariadb" else {}
    engine = create_engine(url_with_driver, isolation_level="AUTOCOMMIT", **more)
    try:
        yield Warehouse(kind, url, engine)
    finally:
        engine.dispose()
