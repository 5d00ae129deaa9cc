"""One body of tests for every database that is read from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database.reading.origin import Origin, mariadb_origin, postgresql_origin, sqlite_origin


@pytest.fixture
def from_postgresql(postgresql_uri: str) -> Iterator[Origin]:
    """A fresh schema."""
    with postgresql_origin(postgresql_uri) as origin:
        yield origin


@pytest.fixture
def from_mariadb(mariadb_uri: str) -> Iterator[Origin]:
    """A fresh database."""
    with mariadb_origin(mariadb_uri) as origin:
        yield origin


@pytest.fixture
def from_sqlite(tmp_path: Path) -> Iterator[Origin]:
    """A fresh file."""
    with sqlite_origin(tmp_path) as origin:
        yield origin


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def origin(request: pytest.FixtureRequest) -> Origin:
    """Every kind of database in turn."""
    found: Origin = request.getfixturevalue(f"from_{request.param}")
    return found
