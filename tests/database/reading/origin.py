"""A database that is read from: the source on one side, a plain connection of somebody else on the other."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pymysql
from sqlalchemy import make_url

from syncsource.resource.partitions import Partitions
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import local_hosts
from syncsource.sources.opening import open_source
from syncsource.sources.sql.source import DatabaseSource

PASSWORD = "p@ss'w0rd"


def spec_of(incremental: str | None = None, fields: Any = (), /, **sql: Any) -> SyncSourceSpec:
    """A spec that reads ``sql``, its URL in key url of Secret shop."""
    reference = {"secretKeyRef": {"name": "shop", "key": "url"}}
    whole: dict[str, Any] = {
        "source": {"sql": {"urlFrom": reference, **sql}},
        "fields": [*fields] or [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "copy"}},
    }
    return SyncSourceSpec.model_validate(whole | ({"incremental": {"cursor": incremental}} if incremental else {}))


@dataclass
class Origin:
    """A fresh place in a real database. ``kind``: postgresql, mariadb or sqlite."""

    kind: str
    url: str
    plain: Any = field(repr=False)

    def sql(self, *statements: str) -> None:
        """What somebody else does; committed at once."""
        for statement in statements:
            with closing(self.plain.cursor()) as cursor:
                cursor.execute(statement)

    def source(self, spec: SyncSourceSpec, cancelled: threading.Event | None = None, url: str | None = None) -> DatabaseSource:
        """The source as the engine opens it."""
        stop = cancelled or threading.Event()
        found = open_source(spec, {"shop": {"url": url or self.url}}, hosts=local_hosts(stop), cancelled=stop)
        assert isinstance(found, DatabaseSource)
        return found

    def pages(self, incremental: str | None = None, fields: Any = (), part: Slice | None = None, /, **sql: Any) -> list[Page]:
        """All pages of a read."""
        spec, part = spec_of(incremental, fields, **sql), part or Slice()
        if part.partition:
            spec = spec.model_copy(update={"partitions": Partitions(values=["x"])})
        with closing(self.source(spec)) as source:
            return list(source.pages(part))

    def read(self, incremental: str | None = None, part: Slice | None = None, /, **sql: Any) -> list[Any]:
        """All records of a read."""
        return [record for page in self.pages(incremental, (), part, **sql) for record in page.records]

    def ids(self, incremental: str | None = None, part: Slice | None = None, /, **sql: Any) -> list[int]:
        """Their ids."""
        return [record["id"] for record in self.read(incremental, part, **sql)]


@contextmanager
def postgresql_origin(uri: str) -> Iterator[Origin]:
    """A schema of its own, which is the connection's default one."""
    schema = f"read_{uuid4().hex[:12]}"
    with psycopg.connect(uri, autocommit=True) as plain:
        plain.execute(f"CREATE SCHEMA {schema}")  # type: ignore[call-overload]
        plain.execute(f"SET search_path TO {schema}")  # type: ignore[call-overload]
        yield Origin("postgresql", f"{uri}&options={quote(f'-csearch_path={schema}')}", plain)
        plain.execute(f"DROP SCHEMA {schema} CASCADE")  # type: ignore[call-overload]


@contextmanager
def mariadb_origin(uri: str) -> Iterator[Origin]:
    """A database of its own."""
    url, name = make_url(uri), f"read_{uuid4().hex[:12]}"
    with pymysql.connect(unix_socket=url.query["unix_socket"], user="root", autocommit=True, ssl_disabled=True) as plain:
        origin = Origin("mariadb", str(url.set(database=name)), plain)
        origin.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"USE {name}", "SET time_zone = '+00:00'")
        yield origin
        origin.sql(f"DROP DATABASE {name}")


@contextmanager
def sqlite_origin(folder: Path) -> Iterator[Origin]:
    """A file of its own."""
    with closing(sqlite3.connect(folder / "shop.db", isolation_level=None, check_same_thread=False)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        yield Origin("sqlite", f"sqlite:///{folder}/shop.db", plain)
