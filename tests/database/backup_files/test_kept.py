"""The table is copied to a file before a run writes to it: which files there are."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from syncsource.engine import backups
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from tests.database.backup_files.filed import Filed, names, opened, tables
from tests.database.conftest import Place
from tests.database.engine import Upstream
from tests.database.restoring import record, restore, rows, run, shared_by_partitions


def test_a_run_leaves_a_file_for_its_user_alone(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    outcome = run(engine, record(1, "x"), record(4))
    [kept] = backups.listed(engine.plan())
    assert (kept.rows, Path(kept.place).parent) == (3, folder)
    assert [stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()] == [0o600, 0o600]
    note = json.loads(Path(kept.place + ".json").read_text())
    assert (note["table"], note["rows"], note["run"], note["columns"].keys()) == (
        "t",
        3,
        outcome.run,
        {"id", "name", "amount", "changed", "note"},
    )
    assert names(folder) == [Path(kept.place).name, Path(kept.place).name + ".json"]
    assert tables(place) == []


def test_a_run_that_changes_nothing_or_fails_leaves_no_file(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, maxChanged=1)
    assert engine.run(Upstream([record(1, "x"), record(4)])).reason == "TooManyChanged"
    run(engine, record(1))
    assert (names(folder), backups.listed(engine.plan())) == ([], [])


def test_an_empty_table_is_not_copied(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("DELETE FROM t")
    run(engine, record(1))
    assert names(folder) == []
    with pytest.raises(PermanentError, match="there is no backup"):
        backups.foresee(engine.plan(), None, Stop())


def test_partitions_share_one_file(place: Place, folder: Path) -> None:
    shared_by_partitions(Filed(place, folder))


def test_a_sqlite_file_is_the_whole_database(sqlite: Place, folder: Path) -> None:
    engine = Filed(sqlite, folder)
    sqlite.sql("CREATE TABLE other (id integer)")
    run(engine, record(1, "x"))
    [kept] = backups.listed(engine.plan())
    with closing(sqlite3.connect(kept.place)) as copy:
        assert copy.execute("SELECT name FROM t WHERE id = 1").fetchone() == ("a",)
        assert copy.execute("SELECT count(*) FROM other").fetchone() == (0,)


def test_the_oldest_go_and_what_was_not_finished_but_nobody_elses(place: Place, folder: Path) -> None:
    engine, states = Filed(place, folder, keep=2), []
    with opened(place, engine, folder, "test/ns/other") as other:
        assert other.take() is not None
    theirs = names(folder)
    (folder / "mine.txt").write_text("mine")
    for name in "xyz":
        states.append(rows(place))
        run(engine, record(1, name))
        if name == "y":
            [first, _] = backups.listed(engine.plan())
            left = Path(first.place)
            (folder / f".{left.name}.partial").touch()
            (left.parent / left.name.replace(first.id, "20200101_000000_000000")).touch()
    found = backups.listed(engine.plan())
    expected = sorted([*theirs, "mine.txt", *(Path(one.place).name + end for one in found for end in ("", ".json"))])
    assert (len(found), names(folder)) == (2, expected)
    assert restore(engine, found[1].id) == (1, 0, 0)
    assert rows(place) == states[1]
    assert restore(engine, found[0].id[:-1]) == (1, 0, 0)
    assert rows(place) == states[2]


def test_a_file_that_was_cut_or_has_no_note_is_none(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    run(engine, record(1, "x"))
    [kept] = backups.listed(engine.plan())
    file, before = Path(kept.place), rows(place)
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(PermanentError, match="is damaged: it is not what was written"):
        backups.foresee(engine.plan(), None, Stop())
    Path(kept.place + ".json").unlink()
    assert backups.listed(engine.plan()) == []
    assert rows(place) == before


def test_a_table_left_by_a_restore_that_was_killed_goes_after_a_day(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    run(engine, record(1, "x"))
    with opened(place, engine, folder) as one:
        one.bring(one.listed()[0])
        [young] = tables(place)
        old = young[: -len("20261122_000000_000000")] + "20200101_000000_000000"
        place.sql(f"CREATE TABLE {old} (id integer PRIMARY KEY)")
        restore(engine)
        assert tables(place) == [young]
    assert tables(place) == []
