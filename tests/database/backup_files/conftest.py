"""Places with the programs that copy their tables, and a folder for the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.database.conftest import Place
from tests.programs import dump_programs


@pytest.fixture
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str) -> Place:
    """With the programs that its server wants."""
    found: Place = request.getfixturevalue(kind)
    version = int(found.sql("SHOW server_version_num")[0][0]) // 10000 if kind == "postgresql" else 0
    dump_programs(kind, version, monkeypatch)
    return found


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every one in turn."""
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files go."""
    made = tmp_path / "kept"
    made.mkdir()
    return made
