"""An engine that copies its table to a file before it writes, and where what it leaves is to be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncsource.destinations import FileBackups
from syncsource.engine.plan import RunPlan
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.files import Files
from tests.database import restoring
from tests.database.conftest import Place
from tests.database.engine import Engine

servers = pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
"""Databases that programs copy tables of."""


class Filed(Engine):
    """On a table of three rows that people typed in; ``folder`` is the backups'."""

    def __init__(self, place: Place, folder: Path, keep: int = 7, primary: str = "PRIMARY KEY", **safety: Any) -> None:
        restoring.typed_in(place, primary)
        backup = {"mode": "File", "keep": keep, "directory": str(folder)}
        super().__init__(place, "t", safety={"backup": backup, **safety}, incremental=None)
        self.files = Files(anywhere=True)

    def plan(self, *, full: bool = False) -> RunPlan:
        """With what the operator allows."""
        return msgspec.structs.replace(super().plan(full=full), files=self.files)


def opened(place: Place, engine: Engine, folder: Path, identity: str = "") -> FileBackups:
    """The engine's backups, or those of another SyncSource with that identity."""
    plan, sql = engine.plan(), SyncSourceSpec.model_validate(engine.spec).destination.sql
    return FileBackups(place.database, sql, identity or plan.identity, plan.run, folder, None)


def names(folder: Path) -> list[str]:
    """Of the files in it."""
    return sorted(one.name for one in folder.iterdir())


def tables(place: Place) -> list[str]:
    """Those that a file was to be brought back from, or that stand for one."""
    return restoring.tables(place, "syncsource_backup_", "syncsource_restore_")
