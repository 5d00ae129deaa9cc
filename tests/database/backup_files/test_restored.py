"""The table is made what it was again from a file, on every database."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from syncsource import ledger
from syncsource.engine import backups, undoing
from syncsource.engine.stopping import Stop
from tests.database.backup_files.filed import Filed, servers, tables
from tests.database.conftest import Place
from tests.database.restoring import record, restore, restored_to_an_altered_table, rows, run


def test_whoever_changed_rows_since_they_are_what_they_were(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    before = rows(place)
    run(engine, record(1, "x"), record(4))
    place.sql("UPDATE t SET note = 'later', name = '' WHERE id = 2")
    place.sql("DELETE FROM t WHERE id = 3")
    place.sql("INSERT INTO t (id) VALUES (5)")
    assert restore(engine) == (2, 2, 1)
    assert rows(place) == before
    assert restore(engine) == (0, 0, 0)
    assert tables(place) == []


def test_the_plan_changes_nothing(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    run(engine, record(1, "x"), record(4))
    before = rows(place)
    foreseen = backups.foresee(engine.plan(), None, Stop())
    assert (foreseen.restored, foreseen.removed, foreseen.reinserted) == (1, 1, 0)
    assert (rows(place), tables(place)) == (before, [])


def test_to_restore_is_a_run_that_can_be_undone(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, undo={"keep": "1d"})
    run(engine, record(1, "x"), record(4))
    place.sql("DELETE FROM t WHERE id = 3")
    before = rows(place)
    assert restore(engine) == (1, 1, 1)
    latest, *_ = ledger.history(place.database.engine, engine.plan().identity)
    outcome, done = undoing.undo(engine.plan(), latest.run, Stop())
    assert (outcome.result, done is not None and (done.restored, done.removed, done.reinserted)) == ("Succeeded", (1, 1, 1))
    assert rows(place) == before


def test_a_table_that_was_altered_since(place: Place, folder: Path) -> None:
    restored_to_an_altered_table(place, Filed(place, folder))
    assert tables(place) == []


@pytest.mark.parametrize("name", ['a "b', "a.b*", "ä`?\\", "-x $1"])
def test_values_and_names_of_every_sort(place: Place, folder: Path, name: str) -> None:
    """What a file's form could take for its own: quotes, brackets, ends of lines, \\. on a line of its own; numbers to their last digit."""
    folds = {"sqlite": "COLLATE NOCASE", "mariadb": "COLLATE utf8mb4_general_ci", "postgresql": ""}[place.kind]
    blob = {"sqlite": "blob", "mariadb": "varbinary(20)", "postgresql": "bytea"}[place.kind]
    raw = {"sqlite": "x'00ff27'", "mariadb": "x'00ff27'", "postgresql": "'\\x00ff27'::bytea"}[place.kind]
    table = '"' + name.replace('"', '""') + '"'
    place.sql(
        f'CREATE TABLE {table} ("Key (One)" varchar(20) {folds} NOT NULL, n integer NOT NULL, "v-" varchar(80), d decimal(20, 4), f double precision, '
        f'raw {blob}, moment timestamp NULL, twice integer GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY ("Key (One)", n))'
    )
    with place.plain.connect() as connection:
        mark = "?" if place.kind == "sqlite" else "%s"
        for key, n, text in [("ä", 1, "'), (1, \"\\'\n\\.\n);\r\t"), ("b", 2, ""), ("c", 3, None), ("\\N", 4, "\\N")]:
            statement = (
                f'INSERT INTO {table.replace("%", "%%")} ("Key (One)", n, "v-", d, f, raw, moment) VALUES ({mark}, {mark}, {mark}, '
                f"1234567890123456.7891, 0.30000000000000004, {raw}, '2026-01-31 12:00:00')"
            )
            connection.exec_driver_sql(statement, (key, n, text))
    before = place.sql(f"SELECT * FROM {table} ORDER BY n")
    fields = [
        {"name": "Key (One)", "type": "text", "path": '"Key (One)"'},
        {"name": "n", "type": "integer"},
        {"name": "v-", "type": "text", "path": '"v-"'},
    ]
    engine = Filed(place, folder)
    engine.spec |= {"fields": fields, "keys": [{"fields": ["Key (One)", "n"]}]}
    engine.spec["destination"] = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": name}}
    run(engine, {"Key (One)": "ä", "n": 1, "v-": "X"}, {"Key (One)": "new", "n": 9, "v-": None})
    place.sql(f"UPDATE {table} SET d = 7, raw = NULL, f = 0 WHERE n = 2")
    place.sql(f"DELETE FROM {table} WHERE n = 4")
    assert restore(engine) == (2, 1, 1)
    assert place.sql(f"SELECT * FROM {table} ORDER BY n") == before
    assert restore(engine) == (0, 0, 0)


def test_rows_that_a_run_deletes_come_back_however_many(place: Place, folder: Path) -> None:
    """More than one statement of a file, and more than a pipe holds."""
    engine = Filed(place, folder)
    many = range(10, 30_010)
    for start in range(0, len(many), 10_000):
        place.sql(
            "INSERT INTO t (id, name, note) VALUES " + ", ".join(f"({key}, 'n', '{'x' * 20}')" for key in many[start : start + 10_000])
        )
    before = rows(place)
    run(engine, record(1, "x"))
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 30_003
    place.sql("DELETE FROM t WHERE id > 5")
    assert restore(engine) == (1, 0, 30_000)
    assert rows(place) == before


@servers
def test_people_can_restore_it_with_the_databases_own_programs(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    before = rows(place)
    run(engine, record(1, "x"))
    [kept] = backups.listed(engine.plan())
    place.sql("DROP TABLE t")
    if place.kind == "postgresql":
        url = place.url.partition("&options=")[0]
        subprocess.run(["pg_restore", "--no-owner", f"--dbname={url}", kept.place], check=True, capture_output=True)
    else:
        name, socket = place.sql("SELECT database()")[0][0], place.url.partition("unix_socket=")[2]
        with Path(kept.place).open("rb") as script:
            subprocess.run(
                ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", name], stdin=script, check=True, capture_output=True
            )
    assert rows(place) == before
