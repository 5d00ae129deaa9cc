"""Where no file can be made, or none that would bring the table back, the run ends before it writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncsource.sources.files import Files
from tests.database.backup_files.filed import Filed, names
from tests.database.conftest import Place
from tests.database.engine import Upstream
from tests.database.restoring import record, rows, run

# Folders


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: folder.rmdir(), "does not exist"),
        (lambda folder: (folder.rmdir(), folder.touch()), "is no directory"),
        (lambda folder: folder.chmod(0o777), "can be written to by every user"),
        (lambda folder: (folder.rmdir(), folder.symlink_to(folder)), "can't be looked at"),
    ],
)
def test_a_directory_that_is_not_fit_ends_the_run_before_it_writes(
    sqlite: Place, folder: Path, spoil: Callable[[Path], Any], told: str
) -> None:
    engine = Filed(sqlite, folder)
    before = rows(sqlite)
    spoil(folder)
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.result, outcome.reason, told in outcome.message) == ("Failed", "DirectoryRefused", True), outcome.message
    assert (rows(sqlite), sqlite.sql("SELECT count(*) FROM syncsource_cursors")) == (before, [(0,)])


def test_a_directory_that_is_not_writable(sqlite: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere: what a user is told is what the system says of its rights."""
    engine = Filed(sqlite, folder)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, "is not writable" in outcome.message) == ("DirectoryRefused", True)


def test_an_operator_writes_files_where_it_was_told_to(sqlite: Place, folder: Path, tmp_path: Path) -> None:
    engine = Filed(sqlite, folder)
    engine.files = Files()
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, "start it with --backups FOLDER" in outcome.message) == ("DirectoryRefused", True)
    (tmp_path / "others").mkdir()
    engine.files = Files(backups=str(tmp_path / "others"))
    (tmp_path / "others" / "link").symlink_to(folder)
    for directory in (folder, tmp_path / "others" / "link"):
        engine.spec["safety"]["backup"]["directory"] = str(directory)
        assert "outside of the folder that this operator may keep" in engine.run(Upstream([record(1, "x")])).message
    engine.files = Files(backups=str(tmp_path))
    run(engine, record(1, "x"))
    assert len(names(folder)) == 2


# Tables


def test_a_table_without_a_primary_key_is_told_of_before_anything_is_written(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, primary="")
    assert engine.run(Upstream([record(4)])).reason == "SchemaMismatch"
    assert (len(rows(place)), names(folder)) == (3, [])


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_partitioned_table_is_told_of(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("ALTER TABLE t RENAME TO part")
    place.sql("CREATE TABLE t (LIKE part, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    place.sql("ALTER TABLE t ATTACH PARTITION part DEFAULT")
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, "consists of partitions" in outcome.message) == ("SchemaMismatch", True)
    assert names(folder) == []


@pytest.mark.parametrize("kind", ["mariadb"])
def test_a_float_is_told_of(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("ALTER TABLE t ADD COLUMN f float")
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, "the column 'f' of 't' is a FLOAT" in outcome.message) == ("SchemaMismatch", True)
