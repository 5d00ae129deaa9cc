"""The table is copied to a file before a run writes to it, and made what it was again from there, on every database and by its own programs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import yaml
from sqlalchemy import make_url

from syncsource import ledger
from syncsource.destinations import FileBackups
from syncsource.destinations.dumps.programs import Programs
from syncsource.engine import backups, undoing
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError, PermanentError, RetryableError, SchemaMismatch
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.files import Files
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores
from tests.programs import dump_programs

CREATE = "CREATE TABLE t (id integer {}, name varchar(20), amount integer, changed integer, note varchar(20))"
PROGRAMS = {"postgresql": ("pg_dump",), "mariadb": ("mariadb-dump", "mysqldump")}


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


servers = pytest.mark.parametrize("kind", ["postgresql", "mariadb"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files go."""
    made = tmp_path / "kept"
    made.mkdir()
    return made


class Filed(Engine):
    """On a table of three rows that people typed in; ``folder`` is the backups'."""

    def __init__(self, place: Place, folder: Path, keep: int = 7, primary: str = "PRIMARY KEY", **safety: Any) -> None:
        place.sql(CREATE.format(primary))
        place.sql("INSERT INTO t VALUES (1, 'a', 1, 1, 'mine'), (2, NULL, 2, 2, NULL), (3, 'c', 3, 3, '')")
        backup = {"mode": "File", "keep": keep, "directory": str(folder)}
        super().__init__(place, "t", safety={"backup": backup, **safety}, incremental=None)
        self.files = Files(anywhere=True)

    def plan(self, *, full: bool = False) -> RunPlan:
        """With what the operator allows."""
        return msgspec.structs.replace(super().plan(full=full), files=self.files)


def _record(key: int, name: str | None = "a", amount: int | None = 1) -> dict[str, Any]:
    return {"id": key, "name": name, "amount": amount, "changed": key}


def _run(engine: Engine, *records: dict[str, Any]) -> Outcome:
    outcome = engine.run(Upstream(records))
    assert outcome.result == "Succeeded", outcome.message
    return outcome


def _rows(place: Place) -> list[tuple[Any, ...]]:
    return place.sql("SELECT * FROM t ORDER BY id")


def _restore(engine: Engine, backup: str | None = None) -> tuple[int, int, int]:
    """restored, removed, reinserted: as foreseen, and as done."""
    foreseen = backups.foresee(engine.plan(), backup, Stop())
    outcome, done = backups.restore(engine.plan(), foreseen.backup, Stop())
    assert (outcome.result, done) == ("Succeeded", foreseen), outcome
    return foreseen.restored, foreseen.removed, foreseen.reinserted


def _opened(place: Place, engine: Engine, folder: Path, identity: str = "") -> FileBackups:
    plan, sql = engine.plan(), SyncSourceSpec.model_validate(engine.spec).destination.sql
    return FileBackups(place.database, sql, identity or plan.identity, plan.run, folder, None)


def _names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def _tables(place: Place) -> list[str]:
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
        "mariadb": "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
    }
    return [name for (name,) in place.sql(names[place.kind]) if name.startswith(("syncsource_backup_", "syncsource_restore_"))]


def test_a_run_leaves_a_file_for_its_user_alone(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    outcome = _run(engine, _record(1, "x"), _record(4))
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
    assert _names(folder) == [Path(kept.place).name, Path(kept.place).name + ".json"]
    assert _tables(place) == []


def test_whoever_changed_rows_since_they_are_what_they_were(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    before = _rows(place)
    _run(engine, _record(1, "x"), _record(4))
    place.sql("UPDATE t SET note = 'later', name = '' WHERE id = 2")
    place.sql("DELETE FROM t WHERE id = 3")
    place.sql("INSERT INTO t (id) VALUES (5)")
    assert _restore(engine) == (2, 2, 1)
    assert _rows(place) == before
    assert _restore(engine) == (0, 0, 0)
    assert _tables(place) == []


def test_the_plan_changes_nothing(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    _run(engine, _record(1, "x"), _record(4))
    before = _rows(place)
    foreseen = backups.foresee(engine.plan(), None, Stop())
    assert (foreseen.restored, foreseen.removed, foreseen.reinserted) == (1, 1, 0)
    assert (_rows(place), _tables(place)) == (before, [])


def test_to_restore_is_a_run_that_can_be_undone(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, undo={"keep": "1d"})
    _run(engine, _record(1, "x"), _record(4))
    place.sql("DELETE FROM t WHERE id = 3")
    before = _rows(place)
    assert _restore(engine) == (1, 1, 1)
    record, *_ = ledger.history(place.database.engine, engine.plan().identity)
    outcome, done = undoing.undo(engine.plan(), record.run, Stop())
    assert (outcome.result, done is not None and (done.restored, done.removed, done.reinserted)) == ("Succeeded", (1, 1, 1))
    assert _rows(place) == before


def test_a_run_that_changes_nothing_or_fails_leaves_no_file(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, maxChanged=1)
    assert engine.run(Upstream([_record(1, "x"), _record(4)])).reason == "TooManyChanged"
    _run(engine, _record(1))
    assert (_names(folder), backups.listed(engine.plan())) == ([], [])


def test_an_empty_table_is_not_copied(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("DELETE FROM t")
    _run(engine, _record(1))
    assert _names(folder) == []
    with pytest.raises(PermanentError, match="there is no backup"):
        backups.foresee(engine.plan(), None, Stop())


def test_the_oldest_go_and_what_was_not_finished_but_nobody_elses(place: Place, folder: Path) -> None:
    engine, states = Filed(place, folder, keep=2), []
    with _opened(place, engine, folder, "test/ns/other") as other:
        assert other.take() is not None
    theirs = _names(folder)
    (folder / "mine.txt").write_text("mine")
    for name in "xyz":
        states.append(_rows(place))
        _run(engine, _record(1, name))
        if name == "y":
            [first, _] = backups.listed(engine.plan())
            left = Path(first.place)
            (folder / f".{left.name}.partial").touch()
            (left.parent / left.name.replace(first.id, "20200101_000000_000000")).touch()
    found = backups.listed(engine.plan())
    expected = sorted([*theirs, "mine.txt", *(Path(one.place).name + end for one in found for end in ("", ".json"))])
    assert (len(found), _names(folder)) == (2, expected)
    assert _restore(engine, found[1].id) == (1, 0, 0)
    assert _rows(place) == states[1]
    assert _restore(engine, found[0].id[:-1]) == (1, 0, 0)
    assert _rows(place) == states[2]


def test_partitions_share_one_file(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    engine.spec["partitions"] = {"values": ["a", "b", "c"], "parallelism": 3}
    outcome = engine.run(Stores(a=[_record(1, "x")], b=[_record(12)], c=[_record(13)]))
    assert (outcome.result, outcome.counts.inserted, outcome.counts.updated) == ("Succeeded", 2, 1)
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 3
    assert _restore(engine) == (1, 2, 0)


def test_a_file_that_was_cut_or_has_no_note_is_none(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    _run(engine, _record(1, "x"))
    [kept] = backups.listed(engine.plan())
    file, before = Path(kept.place), _rows(place)
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(PermanentError, match="is damaged: it is not what was written"):
        backups.foresee(engine.plan(), None, Stop())
    Path(kept.place + ".json").unlink()
    assert backups.listed(engine.plan()) == []
    assert _rows(place) == before


def test_a_table_without_a_primary_key_is_told_of_before_anything_is_written(place: Place, folder: Path) -> None:
    engine = Filed(place, folder, primary="")
    assert engine.run(Upstream([_record(4)])).reason == "SchemaMismatch"
    assert (len(_rows(place)), _names(folder)) == (3, [])


def test_a_table_that_was_altered_since(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    _run(engine, _record(1, "x"))
    place.sql("ALTER TABLE t ADD COLUMN more varchar(20)")
    place.sql("ALTER TABLE t DROP COLUMN note")
    place.sql("UPDATE t SET more = 'kept'")
    assert _restore(engine) == (1, 0, 0)
    assert place.sql("SELECT id, name, more FROM t ORDER BY id") == [(1, "a", "kept"), (2, None, "kept"), (3, "c", "kept")]
    place.sql("ALTER TABLE t DROP COLUMN amount")
    place.sql("ALTER TABLE t ADD COLUMN amount varchar(7)")
    with pytest.raises(SchemaMismatch, match="the column 'amount' of 't' is no longer what it was when the backup was made"):
        backups.foresee(engine.plan(), None, Stop())
    assert _tables(place) == []


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
    _run(engine, {"Key (One)": "ä", "n": 1, "v-": "X"}, {"Key (One)": "new", "n": 9, "v-": None})
    place.sql(f"UPDATE {table} SET d = 7, raw = NULL, f = 0 WHERE n = 2")
    place.sql(f"DELETE FROM {table} WHERE n = 4")
    assert _restore(engine) == (2, 1, 1)
    assert place.sql(f"SELECT * FROM {table} ORDER BY n") == before
    assert _restore(engine) == (0, 0, 0)


def test_rows_that_a_run_deletes_come_back_however_many(place: Place, folder: Path) -> None:
    """More than one statement of a file, and more than a pipe holds."""
    engine = Filed(place, folder)
    many = range(10, 30_010)
    for start in range(0, len(many), 10_000):
        place.sql(
            "INSERT INTO t (id, name, note) VALUES " + ", ".join(f"({key}, 'n', '{'x' * 20}')" for key in many[start : start + 10_000])
        )
    before = _rows(place)
    _run(engine, _record(1, "x"))
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 30_003
    place.sql("DELETE FROM t WHERE id > 5")
    assert _restore(engine) == (1, 0, 30_000)
    assert _rows(place) == before


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
    before = _rows(sqlite)
    spoil(folder)
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.result, outcome.reason, told in outcome.message) == ("Failed", "DirectoryRefused", True), outcome.message
    assert (_rows(sqlite), sqlite.sql("SELECT count(*) FROM syncsource_cursors")) == (before, [(0,)])


def test_a_directory_that_is_not_writable(sqlite: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere: what a user is told is what the system says of its rights."""
    engine = Filed(sqlite, folder)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, "is not writable" in outcome.message) == ("DirectoryRefused", True)


def test_an_operator_writes_files_where_it_was_told_to(sqlite: Place, folder: Path, tmp_path: Path) -> None:
    engine = Filed(sqlite, folder)
    engine.files = Files()
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, "start it with --backups FOLDER" in outcome.message) == ("DirectoryRefused", True)
    (tmp_path / "others").mkdir()
    engine.files = Files(backups=str(tmp_path / "others"))
    (tmp_path / "others" / "link").symlink_to(folder)
    for directory in (folder, tmp_path / "others" / "link"):
        engine.spec["safety"]["backup"]["directory"] = str(directory)
        assert "outside of the folder that this operator may keep" in engine.run(Upstream([_record(1, "x")])).message
    engine.files = Files(backups=str(tmp_path))
    _run(engine, _record(1, "x"))
    assert len(_names(folder)) == 2


@servers
def test_a_program_that_is_not_there_ends_the_run_before_it_writes(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    before = _rows(place)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, f"needs the program {' or '.join(PROGRAMS[place.kind])}" in outcome.message) == ("ProgramNotFound", True)
    assert (_rows(place), _names(folder)) == (before, [])
    with pytest.raises(PermanentError, match="which is not on the PATH"):
        backups.check(engine.plan(), SyncSourceSpec.model_validate(engine.spec), place.database)


@servers
def test_a_program_that_fails_in_the_middle_leaves_no_file(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    before = _rows(place)
    _wrapped(PROGRAMS[place.kind][0], '"$REAL" "$@" | head -c 300; echo "no more" >&2; exit 3', tmp_path, monkeypatch)
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, outcome.message.startswith(f"{PROGRAMS[place.kind][0]} failed: ")) == ("BackupFailed", True)
    assert outcome.message.endswith("no more")
    assert (_rows(place), _names(folder)) == (before, [])


@servers
def test_a_file_that_a_program_cuts_short_in_silence_is_no_backup(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    _wrapped(PROGRAMS[place.kind][0], '"$REAL" "$@" | head -c 1500', tmp_path, monkeypatch)
    assert engine.run(Upstream([_record(1, "x")])).reason == "BackupFailed"
    assert _names(folder) == []


@servers
def test_a_run_that_is_cancelled_ends_the_program(place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, stop = Filed(place, folder), Stop()
    before, fifo = _rows(place), tmp_path / "began"
    os.mkfifo(fifo)
    _wrapped(PROGRAMS[place.kind][0], f"echo begun; echo $$ > {fifo}; exec tail -f /dev/null", tmp_path, monkeypatch)
    pids: list[int] = []

    def cancel() -> None:
        pids.append(int(fifo.read_text()))
        stop()

    watcher = threading.Thread(target=cancel)
    watcher.start()
    outcome = engine.run(Upstream([_record(1, "x")]), stop=stop)
    watcher.join()
    assert (outcome.reason, _rows(place), _names(folder)) == ("Cancelled", before, [])
    assert not psutil.pid_exists(pids[0])


@servers
def test_a_process_that_is_killed_leaves_no_file_and_no_program(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program's output is a pipe: it ends at its next word."""
    engine, fifo, go = Filed(place, folder), tmp_path / "began", tmp_path / "go"
    os.mkfifo(fifo)
    os.mkfifo(go)
    _wrapped(PROGRAMS[place.kind][0], f'echo $$ > {fifo}; cat {go}; exec "$REAL" "$@"', tmp_path, monkeypatch)
    command = [sys.executable, "-m", "syncsource", "run", "-f", _manifest(engine, tmp_path), "--identity", engine.plan().identity]
    child = subprocess.Popen(command)
    program = psutil.Process(int(fifo.read_text()))
    child.kill()
    child.wait()
    with suppress(BrokenPipeError):  # cat ends at its first word
        go.write_text("go on\n" * 50_000)
    psutil.wait_procs([program], 20)
    assert not program.is_running()
    assert [one for one in _names(folder) if not one.endswith(".partial")] == []
    assert backups.listed(engine.plan()) == []
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[2])
    _run(engine, _record(1, "x"))
    assert len(_names(folder)) == 2


@servers
def test_no_secret_is_on_a_command_line(
    request: pytest.FixtureRequest, place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor in a file that others can read or that stays: a user with a password of every sort of character."""
    engine, seen = Filed(place, folder), tmp_path / "seen"
    secret = "p\"a'#\\ s;%x"
    engine.url = _with_password(request, place, secret)
    told = f'tr "\\0" "\\n" < /proc/$$/cmdline > {seen}; for f in "$@"; do case $f in --defaults-file=*) stat -c "%a %n" "${{f#*=}}" >> {seen};; esac; done; '
    _wrapped(PROGRAMS[place.kind][0], told + 'exec "$REAL" "$@"', tmp_path, monkeypatch)
    _run(engine, _record(1, "x"))
    lines = seen.read_text()
    assert ("--single-transaction" in lines) is (place.kind == "mariadb")
    assert secret not in lines
    assert "p%22a" not in lines
    if place.kind == "mariadb":
        [left] = [line.split() for line in lines.splitlines() if line.startswith("600 ")]
        assert not Path(left[1]).exists()
    assert _restore(engine) == (1, 0, 0)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_partitioned_table_is_told_of(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("ALTER TABLE t RENAME TO part")
    place.sql("CREATE TABLE t (LIKE part, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    place.sql("ALTER TABLE t ATTACH PARTITION part DEFAULT")
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, "consists of partitions" in outcome.message) == ("SchemaMismatch", True)
    assert _names(folder) == []


@pytest.mark.parametrize("kind", ["mariadb"])
def test_a_float_is_told_of(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    place.sql("ALTER TABLE t ADD COLUMN f float")
    outcome = engine.run(Upstream([_record(1, "x")]))
    assert (outcome.reason, "the column 'f' of 't' is a FLOAT" in outcome.message) == ("SchemaMismatch", True)


@servers
def test_people_can_restore_it_with_the_databases_own_programs(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    before = _rows(place)
    _run(engine, _record(1, "x"))
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
    assert _rows(place) == before


def test_a_sqlite_file_is_the_whole_database(sqlite: Place, folder: Path) -> None:
    engine = Filed(sqlite, folder)
    sqlite.sql("CREATE TABLE other (id integer)")
    _run(engine, _record(1, "x"))
    [kept] = backups.listed(engine.plan())
    with closing(sqlite3.connect(kept.place)) as copy:
        assert copy.execute("SELECT name FROM t WHERE id = 1").fetchone() == ("a",)
        assert copy.execute("SELECT count(*) FROM other").fetchone() == (0,)


def test_a_table_left_by_a_restore_that_was_killed_goes_after_a_day(place: Place, folder: Path) -> None:
    engine = Filed(place, folder)
    _run(engine, _record(1, "x"))
    with _opened(place, engine, folder) as one:
        one.bring(one.listed()[0])
        [young] = _tables(place)
        old = young[: -len("20261122_000000_000000")] + "20200101_000000_000000"
        place.sql(f"CREATE TABLE {old} (id integer PRIMARY KEY)")
        _restore(engine)
        assert _tables(place) == [young]
    assert _tables(place) == []


def test_programs_that_were_cancelled_start_no_more() -> None:
    programs = Programs()
    programs.cancel()
    with pytest.raises(AbortedError), programs.output(["true"]):
        pass
    with pytest.raises(RetryableError, match="false failed: it ended with code 1"), Programs().output(["false"]) as written:
        written.read()


def _manifest(engine: Engine, folder: Path) -> str:
    """That of the engine, with a file of one line as its source."""
    (folder / "rows.csv").write_text("id,name,amount,changed\n1,x,1,1\n", encoding="utf-8")
    spec = {**engine.spec, "source": {"csv": {"path": "rows.csv"}}}
    spec.pop("incremental")
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "t"}, "spec": spec}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": engine.url}}
    (folder / "t.yaml").write_text(yaml.safe_dump_all([secret, source]), encoding="utf-8")
    return str(folder / "t.yaml")


def _wrapped(name: str, script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of this name that does ``script`` where $REAL is the true one."""
    real, bin_folder = shutil.which(name), folder / "bin"
    bin_folder.mkdir()
    (bin_folder / name).write_text(f'#!/bin/sh\nREAL={real}\n[ "$1" != --version ] || exec "$REAL" --version\n{script}\n')
    (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")


def _with_password(request: pytest.FixtureRequest, place: Place, secret: str) -> str:
    written, user = secret.replace("'", "''"), "file_" + os.urandom(4).hex()
    if place.kind == "postgresql":
        place.sql(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{written}'")
        request.addfinalizer(lambda: place.sql(f"DROP OWNED BY {user}; DROP ROLE {user}"))
    else:
        escaped = secret.replace("\\", "\\\\").replace("'", "''")
        place.sql(f"CREATE USER {user}@localhost IDENTIFIED BY '{escaped}'")
        place.sql(f"GRANT ALL ON *.* TO {user}@localhost")
        request.addfinalizer(lambda: place.sql(f"DROP USER {user}@localhost"))
    return make_url(place.url).set(username=user, password=secret).render_as_string(hide_password=False)
