"""The databases' own programs make the files: what becomes of a run whose program is not there, fails, or is ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from sqlalchemy import make_url

from syncsource.destinations.dumps.programs import Programs
from syncsource.engine import backups
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError, PermanentError, RetryableError
from syncsource.resource.spec import SyncSourceSpec
from tests.database.backup_files.filed import Filed, names, servers
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.restoring import record, restore, rows, run

PROGRAMS = {"postgresql": ("pg_dump",), "mariadb": ("mariadb-dump", "mysqldump")}


@servers
def test_a_program_that_is_not_there_ends_the_run_before_it_writes(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    before = rows(place)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, f"needs the program {' or '.join(PROGRAMS[place.kind])}" in outcome.message) == ("ProgramNotFound", True)
    assert (rows(place), names(folder)) == (before, [])
    with pytest.raises(PermanentError, match="which is not on the PATH"):
        backups.check(engine.plan(), SyncSourceSpec.model_validate(engine.spec), place.database)


@servers
def test_a_program_that_fails_in_the_middle_leaves_no_file(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    before = rows(place)
    _wrapped(PROGRAMS[place.kind][0], '"$REAL" "$@" | head -c 300; echo "no more" >&2; exit 3', tmp_path, monkeypatch)
    outcome = engine.run(Upstream([record(1, "x")]))
    assert (outcome.reason, outcome.message.startswith(f"{PROGRAMS[place.kind][0]} failed: ")) == ("BackupFailed", True)
    assert outcome.message.endswith("no more")
    assert (rows(place), names(folder)) == (before, [])


@servers
def test_a_file_that_a_program_cuts_short_in_silence_is_no_backup(
    place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Filed(place, folder)
    _wrapped(PROGRAMS[place.kind][0], '"$REAL" "$@" | head -c 1500', tmp_path, monkeypatch)
    assert engine.run(Upstream([record(1, "x")])).reason == "BackupFailed"
    assert names(folder) == []


@servers
def test_a_run_that_is_cancelled_ends_the_program(place: Place, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, stop = Filed(place, folder), Stop()
    before, fifo = rows(place), tmp_path / "began"
    os.mkfifo(fifo)
    _wrapped(PROGRAMS[place.kind][0], f"echo begun; echo $$ > {fifo}; exec tail -f /dev/null", tmp_path, monkeypatch)
    pids: list[int] = []

    def cancel() -> None:
        pids.append(int(fifo.read_text()))
        stop()

    watcher = threading.Thread(target=cancel)
    watcher.start()
    outcome = engine.run(Upstream([record(1, "x")]), stop=stop)
    watcher.join()
    assert (outcome.reason, rows(place), names(folder)) == ("Cancelled", before, [])
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
    assert [one for one in names(folder) if not one.endswith(".partial")] == []
    assert backups.listed(engine.plan()) == []
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(":")[2])
    run(engine, record(1, "x"))
    assert len(names(folder)) == 2


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
    run(engine, record(1, "x"))
    lines = seen.read_text()
    assert ("--single-transaction" in lines) is (place.kind == "mariadb")
    assert secret not in lines
    assert "p%22a" not in lines
    if place.kind == "mariadb":
        [left] = [line.split() for line in lines.splitlines() if line.startswith("600 ")]
        assert not Path(left[1]).exists()
    assert restore(engine) == (1, 0, 0)


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
