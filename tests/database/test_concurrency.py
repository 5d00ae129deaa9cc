"""Other people, other runs and death, at the worst moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine

from syncsource import ledger
from syncsource.destinations import Writer, open_database
from syncsource.errors import AbortedError, RetryableError, SyncError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.01)


def _waits(place: Any) -> bool:
    """Whether a session of ours waits for somebody's lock."""
    return bool(place.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'syncsource' AND wait_event_type = 'Lock'"))


@contextmanager
def _somebody(place: Any, statement: str) -> Iterator[Any]:
    """Another person's open transaction."""
    engine = create_engine(place.url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:"))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
            yield connection
    finally:
        engine.dispose()


def _meanwhile(place: Any, statement: str, write: Callable[[], Any]) -> Any:
    """``write`` finds the table as it is, then waits for somebody whose uncommitted ``statement`` is committed at last."""
    with ThreadPoolExecutor(1) as pool, _somebody(place, statement) as somebody:
        waiting: Future[Any] = pool.submit(write)
        _until(lambda: waiting.done() or _waits(place))
        somebody.commit()
        return waiting.result(timeout=30)


@pytest.mark.parametrize(
    ("edit", "counts", "after"),
    [
        ("UPDATE t SET name = 'new' WHERE id = 1", (0, 0, 1, 0, 0), [(1, "new", None)]),
        ("UPDATE t SET name = 'theirs', notes = 'n' WHERE id = 1", (0, 1, 0, 0, 0), [(1, "new", "n")]),
        ("DELETE FROM t WHERE id = 1", (1, 0, 0, 0, 0), [(1, "new", None)]),
        ("UPDATE t SET id = 5 WHERE id = 1", (1, 0, 0, 0, 0), [(1, "new", None), (5, "old", None)]),
        ("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'theirs', 'n')", (0, 1, 0, 0, 0), [(1, "new", "n")]),
        ("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'new', 'n')", (0, 0, 1, 0, 0), [(1, "new", "n")]),
    ],
)
def test_a_row_is_edited_between_comparison_and_lock(postgresql: Any, edit: str, counts: Any, after: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer PRIMARY KEY, name text, notes text)")
    postgresql.sql("INSERT INTO t VALUES (1, 'old')")
    table = postgresql.table("t", create=False, id="integer", name="text")
    assert _meanwhile(postgresql, edit, lambda: postgresql.write(table, [(1, "new")])).counts == counts
    assert postgresql.sql("SELECT id, name, notes FROM t ORDER BY id") == after


def test_what_is_kept_to_undo_a_run_is_the_row_as_it_was_when_it_was_locked(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer PRIMARY KEY, name text, notes text)")
    postgresql.sql("INSERT INTO t VALUES (1, 'old')")
    table = postgresql.table("t", create=False, undo=True, id="integer", name="text")
    _meanwhile(postgresql, "UPDATE t SET name = 'theirs' WHERE id = 1", lambda: postgresql.write(table, [(1, "new")]))
    kept = f"SELECT syncsource_side, name FROM {table.images.name} ORDER BY syncsource_side"
    assert postgresql.sql(kept) == [("A", "new"), ("B", "theirs")]


@pytest.mark.parametrize(("theirs", "counts"), [("new", (9, 0, 1, 0, 0)), ("theirs", (9, 1, 0, 0, 0))])
@pytest.mark.parametrize("empty", [True, False])
def test_somebody_inserts_the_same_key(postgresql: Any, theirs: str, counts: Any, empty: bool) -> None:
    table = postgresql.table("t", id="integer", name="text")
    if not empty:
        postgresql.sql("INSERT INTO t VALUES (99, 'other')")
    rows = [(number, "new") for number in range(10)]
    assert _meanwhile(postgresql, f"INSERT INTO t VALUES (4, '{theirs}')", lambda: postgresql.write(table, rows)).counts == counts
    assert postgresql.sql("SELECT count(*) FROM t WHERE name = 'new' AND id < 10") == [(10,)]


def test_somebody_inserts_the_same_key_and_gives_up(postgresql: Any) -> None:
    table = postgresql.table("t", id="integer", name="text")
    with ThreadPoolExecutor(1) as pool, _somebody(postgresql, "INSERT INTO t VALUES (1, 'theirs')") as somebody:
        waiting = pool.submit(lambda: postgresql.write(table, [(1, "ours")]))
        _until(lambda: _waits(postgresql))
        somebody.rollback()
        assert waiting.result(timeout=30).counts == (1, 0, 0, 0, 0)


def test_two_writers_without_a_unique_index_do_not_duplicate(postgresql: Any) -> None:
    postgresql.sql("CREATE TABLE t (id integer, name text)")
    table = postgresql.table("t", create=False, id="integer", name="text")
    rows = [(number, "x") for number in range(500)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: postgresql.write(table, rows).counts, range(4)))
    assert sorted(results) == [(0, 0, 500, 0, 0)] * 3 + [(500, 0, 0, 0, 0)]


def test_writers_of_one_table_at_once(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    rows = [(number, "x") for number in range(300)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: place.write(table, rows).counts, range(4)))
    assert sum(result[0] for result in results) == 300
    assert all(sum(result) == 300 for result in results)
    assert place.sql("SELECT count(*) FROM t") == [(300,)]


def test_a_lock_that_somebody_forgot(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    place.write(table, [(1, "old")])
    hold = "BEGIN IMMEDIATE" if place.kind == "sqlite" else "UPDATE t SET name = 'held'"
    with open_database(place.url, patience=0.3) as impatient, Writer(impatient, table) as writer:
        writer.stage([(1, "new")])
        with _somebody(place, hold), pytest.raises(RetryableError) as caught, writer.transaction():
            writer.apply()
    assert caught.value.reason == "DatabaseBusy"


def test_people_write_while_we_stage(place: Any) -> None:
    table = place.table("t", id="integer", name="text")
    with Writer(place.database, table) as writer:
        writer.stage([(1, "a")])
        place.sql("INSERT INTO t VALUES (2, 'people')")
        writer.stage([(3, "c")])
        with writer.transaction():
            assert writer.apply().inserted == 2
    assert place.sql("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]


def test_the_older_of_two_runs_writes_nothing(place: Any) -> None:
    ledger.prepare(place.database.engine)
    table = place.table("t", id="integer", name="text")
    first = _acquire(place, "first")
    with Writer(place.database, table) as writer:
        writer.stage([(1, "first")])
        second = _acquire(place, "second")
        with pytest.raises(AbortedError) as caught:
            _commit(writer, first)
    assert caught.value.reason == "Fenced"
    assert second.interrupted == ["first"]
    assert place.sql("SELECT count(*) FROM t") == [(0,)]
    with place.database.engine.connect() as connection:
        assert ledger.cursor(connection, "me") is None
    assert ledger.succeeded(place.database.engine, "first") is None


def _commit(writer: Writer, fence: ledger.Fence) -> None:
    with writer.transaction() as connection:
        writer.apply()
        ledger.save_cursor(connection, fence.identity, "1", "h")
        ledger.finish_run(connection, fence.run, result="Succeeded")
        ledger.check_fence(connection, fence)


def test_a_run_that_commits_is_waited_for(place: Any) -> None:
    """Between the fence's check and COMMIT nobody can take over, so that what is called Interrupted never committed."""
    ledger.prepare(place.database.engine)
    table = place.table("t", id="integer")
    first = _acquire(place, "first")
    with ThreadPoolExecutor(1) as pool, Writer(place.database, table) as writer:
        writer.stage([(1,)])
        with writer.transaction() as connection:
            writer.apply()
            ledger.finish_run(connection, "first", result="Succeeded")
            ledger.check_fence(connection, first)
            taking_over = pool.submit(_acquire, place, "second")
            if place.kind == "postgresql":
                _until(lambda: _waits(place))
            assert not taking_over.done()
        assert taking_over.result(timeout=30).interrupted == []
    assert ledger.succeeded(place.database.engine, "first") is not None


def _acquire(place: Any, run: str) -> ledger.Fence:
    return ledger.acquire(place.database.engine, "me", run=run, trigger="Schedule", generation=1, started_at=NOW)


def test_cancelling_while_it_waits(postgresql: Any) -> None:
    table = postgresql.table("t", id="integer", name="text")
    postgresql.write(table, [(1, "old")])
    with Writer(postgresql.database, table) as writer, _somebody(postgresql, "UPDATE t SET name = 'held'"):
        writer.stage([(1, "new")])
        threading.Thread(target=_cancel_when_it_waits, args=(postgresql, writer)).start()
        with pytest.raises(AbortedError) as caught, writer.transaction():
            writer.apply()
    assert caught.value.reason == "Cancelled"


def _cancel_when_it_waits(place: Any, writer: Writer) -> None:
    _until(lambda: _waits(place))
    writer.cancel()


def test_cancelling_while_it_works(sqlite: Any) -> None:
    table = sqlite.table("t", ["v"], v="text", w="text")
    with Writer(sqlite.database, table) as writer:
        for start in range(0, 200_000, 20_000):
            writer.stage([(f"{number * 7919 % 1_000_003}", "x") for number in range(start, start + 20_000)])
        threading.Timer(0.05, writer.cancel).start()
        with pytest.raises(AbortedError) as caught, writer.transaction():
            writer.apply()
    assert caught.value.reason == "Cancelled"
    assert sqlite.sql("SELECT count(*) FROM t") == [(0,)]


def test_cancelled_stays_cancelled(place: Any) -> None:
    table = place.table("t", id="integer")
    with Writer(place.database, table) as writer:
        writer.stage([(1,)])
        writer.cancel()
        with pytest.raises(AbortedError):
            writer.stage([(2,)])
        with pytest.raises(AbortedError), writer.transaction():
            pass
    assert place.write(table, [(1,)]).counts == (1, 0, 0, 0, 0)


VICTIM = """
    import sys
    from syncsource import ledger
    from syncsource.destinations import Writer, open_database, open_table
    from syncsource.resource.fields import FieldSpec, Key
    from syncsource.resource.spec import SqlDestination
    from datetime import datetime, UTC

    database = open_database(sys.argv[1])
    ledger.prepare(database.engine)
    fence = ledger.acquire(database.engine, "me", run=sys.argv[2], trigger="Schedule", generation=1, started_at=datetime.now(UTC))
    destination = SqlDestination.model_validate({"urlFrom": {"secretKeyRef": {"name": "a", "key": "b"}}, "table": "t"})
    table = open_table(database, destination, [FieldSpec(name="id", type="integer"), FieldSpec(name="name", type="text")], [Key(fields=["id"])])
    with Writer(database, table) as writer:
        for start in range(0, 20_000, 5000):
            writer.stage([(number, "new") for number in range(start, start + 5000)])
        print("staged", flush=True)
        with writer.transaction() as connection:
            writer.apply()
            ledger.save_cursor(connection, "me", "20000", "h")
            ledger.finish_run(connection, sys.argv[2], result="Succeeded")
            ledger.check_fence(connection, fence)
            print("applied", flush=True)
            if len(sys.argv) > 3:
                sys.stdin.read()
        print("committed", flush=True)
"""


@pytest.mark.parametrize("moment", ["staged", "applied", "soon"])
def test_kill_leaves_all_or_nothing(place: Any, moment: str) -> None:
    table = place.table("t", id="integer", name="text")
    place.write(table, [(number, "old") for number in range(0, 20_000, 2)])
    command = [sys.executable, "-c", textwrap.dedent(VICTIM), place.url, "victim", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            if line.strip() == ("staged" if moment == "soon" else moment):
                break
        if moment == "soon":
            time.sleep(0.1)
        os.kill(victim.pid, signal.SIGKILL)
    _until(lambda: place.sql("SELECT count(*) FROM t WHERE name = 'new'") == [(0,)])
    assert place.sql("SELECT count(*) FROM t") == [(10_000,)]
    with place.database.engine.connect() as connection:
        assert ledger.cursor(connection, "me") is None
    following = subprocess.run([*command[:-2], "next"], capture_output=True, text=True, check=True, timeout=60)
    assert following.stdout.split() == ["staged", "applied", "committed"]
    assert place.sql("SELECT count(*) FROM t WHERE name = 'new'") == [(20_000,)]
    assert [run.result for run in ledger.history(place.database.engine, "me")] == ["Succeeded", "Interrupted"]


def test_a_connection_that_dies_is_retried_later(postgresql: Any) -> None:
    table = postgresql.table("t", id="integer")
    with Writer(postgresql.database, table) as writer:
        writer.stage([(1,)])
        postgresql.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'syncsource' AND query LIKE '%syncsource_stage%'"
        )
        with pytest.raises(SyncError) as caught, writer.transaction():
            writer.apply()
    assert (type(caught.value), caught.value.reason) == (RetryableError, "DatabaseUnavailable")
    assert postgresql.write(table, [(1,)]).counts == (1, 0, 0, 0, 0)
