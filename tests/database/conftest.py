"""One body of tests for every database: each test gets a fresh place in a real one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import create_engine

from syncsource.destinations import Applied, Database, Policy, Table, Writer, open_database, open_table
from syncsource.destinations.policy import UPSERT
from syncsource.records.batch import Rejected
from syncsource.resource.fields import FieldSpec, Key
from syncsource.resource.spec import SqlDestination
from syncsource.resource.writing import Write
from tests.mariadb import mariadb_server
from tests.postgres import postgresql_server


@dataclass
class Result:
    """What became of rows: those that staging refused, and what applying said."""

    staged: list[Rejected]
    inserted: int
    updated: int
    unchanged: int
    skipped: int
    rejected: list[Rejected]

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """inserted, updated, unchanged, skipped, rejected."""
        return self.inserted, self.updated, self.unchanged, self.skipped, len(self.rejected)


def result_of(applied: Applied, staged: Sequence[Rejected] = ()) -> Result:
    """Read while the writer is open."""
    return Result(list(staged), applied.inserted, applied.updated, applied.unchanged, applied.skipped, list(applied.rejected))


@dataclass
class Place:
    """A database, the code under test on one side and a plain connection of somebody else on the other."""

    kind: str
    url: str
    database: Database
    plain: Any = field(repr=False)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What somebody else does or sees; committed at once."""
        with self.plain.connect() as connection:
            found = connection.exec_driver_sql(statement.replace("%", "%%"))
            return [tuple(row) for row in found.fetchall()] if found.returns_rows else []

    def fields(self, /, **types: str) -> list[FieldSpec]:
        """spec.fields by name and type."""
        return [FieldSpec(name=name, type=kind) for name, kind in types.items()]

    def table(
        self,
        name: str,
        keys: Sequence[str] = ("id",),
        /,
        *,
        create: bool = True,
        fields: Sequence[FieldSpec] = (),
        write: dict[str, Any] | None = None,
        undo: bool = False,
        **types: str,
    ) -> Table:
        """The table opened as the engine would. ``write``: spec.write; ``undo``: whether images are kept."""
        reference = {"secretKeyRef": {"name": "db", "key": "url"}}
        destination = SqlDestination.model_validate({"urlFrom": reference, "table": name, "createTable": create})
        return open_table(
            self.database,
            destination,
            fields or self.fields(**types),
            [Key(fields=list(keys))],
            Write.model_validate(write or {}),
            undo=undo,
        )

    def write(self, table: Table, rows: Sequence[Any], cursors: Sequence[str | None] | None = None, policy: Policy = UPSERT) -> Result:
        """A whole run's writing."""
        with Writer(self.database, table, policy) as writer:
            staged = writer.stage(rows, cursors)
            with writer.transaction():
                return result_of(writer.apply(), staged)


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """One server for the worker's tests."""
    with postgresql_server() as uri:
        yield uri


@pytest.fixture(scope="session")
def mariadb_uri() -> Iterator[str]:
    """One server for the worker's tests."""
    with mariadb_server() as uri:
        yield uri


@contextmanager
def opened(kind: str, url: str) -> Iterator[Place]:
    """A place in a database. Who else is there quotes names alike in all of them."""
    more = {"connect_args": _ALIKE} if kind == "mariadb" else {}
    plain = create_engine(with_driver(url), isolation_level="AUTOCOMMIT", max_overflow=30, **more)
    with open_database(url, patience=20) as database:
        yield Place(kind, url, database, plain)
    plain.dispose()


def with_driver(url: str) -> str:
    """As SQLAlchemy wants it."""
    return url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")


_BARE = {"ssl_disabled": True}  # PyMySQL reads all the certificates of the system otherwise, whether it needs them or not
_ALIKE = {**_BARE, "init_command": "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), time_zone = '+00:00'"}


@pytest.fixture
def postgresql(postgresql_uri: str) -> Iterator[Place]:
    """A schema of its own, which is the connection's default one."""
    schema = f"test_{uuid4().hex[:12]}"
    admin = create_engine(with_driver(postgresql_uri), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    with opened("postgresql", f"{postgresql_uri}&options={quote(f'-csearch_path={schema}')}") as place:
        yield place
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    admin.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """A file of its own."""
    with opened("sqlite", f"sqlite:///{tmp_path}/rows.db") as place:
        yield place


@pytest.fixture
def mariadb(mariadb_uri: str) -> Iterator[Place]:
    """A database of its own."""
    name = f"test_{uuid4().hex[:12]}"
    admin = create_engine(with_driver(mariadb_uri), isolation_level="AUTOCOMMIT", connect_args=_BARE)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    with opened("mariadb", mariadb_uri.replace("/test?", f"/{name}?")) as place:
        yield place
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    admin.dispose()


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def place(request: pytest.FixtureRequest) -> Place:
    """Every kind of database in turn."""
    found: Place = request.getfixturevalue(request.param)
    return found
