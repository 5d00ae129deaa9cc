"""The pool with its real worker processes: runs, a worker that dies, rate limits that all runs share, cancelling, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from syncsource.engine.plan import Accuracy, Counts, Next, Outcome, Progress, RunPlan
from syncsource.runner.pool import WorkerPool
from syncsource.sources.files import Files


class Upstream(ThreadingHTTPServer):
    """Answers with one record; with ``hold`` set, only when it is released."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hold = False
        self.asked = threading.Event()
        self.released = threading.Event()
        self.times: list[float] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        self.server.times.append(time.monotonic())
        self.server.asked.set()
        if self.server.hold:
            self.server.released.wait(30)
        body = b'[{"id": 1}]'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(workers=1)
    await pool.start()
    yield pool
    await pool.stop(5)


def plan(upstream: Upstream, database: Path, **http: Any) -> RunPlan:
    """Reads the upstream into a table of the file."""
    spec = {
        "source": {"http": {"baseURL": upstream.url, **http}},
        "fields": [{"name": "id", "type": "integer"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t", "createTable": True}},
    }
    run = uuid4().hex
    return RunPlan(
        run=run, identity=f"test/ns/{database.stem}", trigger="Request", spec=spec, secrets={"db": {"url": f"sqlite:///{database}"}}
    )


def rows(database: Path) -> list[tuple[int]]:
    """The table's rows."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT id FROM t").fetchall()


def alive(pid: int) -> bool:
    """Whether the process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ignored(_: Progress) -> None:
    """Progress that nobody looks at."""


async def asked(upstream: Upstream) -> None:
    """Until a request has come."""
    assert await asyncio.to_thread(upstream.asked.wait, 20)


async def test_a_run_in_a_worker(pool: WorkerPool, upstream: Upstream, tmp_path: Path) -> None:
    outcome = await pool.run(plan(upstream, tmp_path / "a.db"), ignored)
    assert (outcome.result, outcome.counts.inserted) == ("Succeeded", 1)
    assert rows(tmp_path / "a.db") == [(1,)]


async def test_a_worker_that_dies_fails_its_run_and_nothing_else(pool: WorkerPool, upstream: Upstream, tmp_path: Path) -> None:
    upstream.hold = True
    running = asyncio.create_task(pool.run(plan(upstream, tmp_path / "a.db"), ignored))
    await asked(upstream)
    os.kill(pool.pids[0], signal.SIGKILL)
    outcome = await running
    assert (outcome.result, outcome.next, outcome.reason) == ("Interrupted", Next.RETRY, "Interrupted")
    assert "what it had not committed is gone" in outcome.message
    upstream.hold = False
    again = await pool.run(plan(upstream, tmp_path / "a.db"), ignored)
    assert (again.result, again.counts.inserted) == ("Succeeded", 1)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert connection.execute("SELECT result FROM syncsource_runs ORDER BY fence").fetchall() == [("Interrupted",), ("Succeeded",)]


@pytest.mark.parametrize("line", [b'{"type":"Tell","note":{"type":"Paused","host":"h","port":1,"seconds":null}}\n', b"x" * (65 * 2**20)])
async def test_a_worker_that_can_not_be_understood_is_ended(pool: WorkerPool, upstream: Upstream, tmp_path: Path, line: bytes) -> None:
    upstream.hold = True
    running = asyncio.create_task(pool.run(plan(upstream, tmp_path / "a.db"), ignored))
    await asked(upstream)
    (before,) = pool.pids
    pool._members[0].process.stdout.feed_data(line)  # as if it had come from the worker
    outcome = await asyncio.wait_for(running, 20)
    assert (outcome.result, outcome.next) == ("Interrupted", Next.RETRY)
    assert before not in pool.pids


async def test_as_many_workers_as_before_take_the_place_of_those_that_died_at_once(upstream: Upstream, tmp_path: Path) -> None:
    pool = WorkerPool(workers=2)
    await pool.start()
    upstream.hold = True
    running = [asyncio.create_task(pool.run(plan(upstream, tmp_path / f"{number}.db"), ignored)) for number in range(6)]
    while len(upstream.times) < 6:
        await asked(upstream)
        upstream.asked.clear()
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    assert {outcome.reason for outcome in await asyncio.gather(*running)} == {"Interrupted"}
    assert len(pool.pids) == 2
    await pool.stop(5)


async def test_a_run_that_had_committed_is_settled_as_succeeded(pool: WorkerPool, upstream: Upstream, tmp_path: Path) -> None:
    done = plan(upstream, tmp_path / "a.db")
    await pool.run(done, ignored)
    outcome = await pool.settle(done)
    assert (outcome.result, outcome.counts.inserted, outcome.counts.read) == ("Succeeded", 1, 1)


async def test_a_run_that_never_reached_its_database_is_settled_as_interrupted(
    pool: WorkerPool, upstream: Upstream, tmp_path: Path
) -> None:
    outcome = await pool.settle(plan(upstream, tmp_path / "a.db"))
    assert (outcome.result, outcome.next) == ("Interrupted", Next.RETRY)


async def test_cancelling_ends_a_run_that_waits_for_its_upstream(pool: WorkerPool, upstream: Upstream, tmp_path: Path) -> None:
    upstream.hold = True
    held = plan(upstream, tmp_path / "a.db")
    running = asyncio.create_task(pool.run(held, ignored))
    await asked(upstream)
    pool.cancel(held.run)
    outcome = await asyncio.wait_for(running, 5)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Cancelled")


async def test_a_cancel_that_comes_before_a_worker_is_there_is_not_lost(upstream: Upstream, tmp_path: Path) -> None:
    pool = WorkerPool(workers=1)  # not started: the run itself starts the worker
    held = plan(upstream, tmp_path / "a.db")
    running = asyncio.create_task(pool.run(held, ignored))
    await asyncio.sleep(0)
    pool.cancel(held.run)
    outcome = await asyncio.wait_for(running, 20)
    await pool.stop(5)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Cancelled")
    assert upstream.times == []


async def test_stopping_interrupts_and_leaves_no_process(upstream: Upstream, tmp_path: Path) -> None:
    pool = WorkerPool(workers=2)
    await pool.start()
    pids = pool.pids
    upstream.hold = True
    running = asyncio.create_task(pool.run(plan(upstream, tmp_path / "a.db"), ignored))
    await asked(upstream)
    await pool.stop(5)
    assert (await running).result == "Interrupted"
    assert not list(filter(alive, pids))


async def test_runs_of_one_host_share_its_rate_limit(upstream: Upstream, tmp_path: Path) -> None:
    pool = WorkerPool(workers=2)
    await pool.start()
    limit = {"rateLimit": {"requests": 2, "per": "1s"}}
    plans = [plan(upstream, tmp_path / f"{number}.db", **(limit if number == 0 else {})) for number in range(5)]
    first = await pool.run(plans[0], ignored)
    outcomes: list[Outcome] = await asyncio.gather(*(pool.run(one, ignored) for one in plans[1:]))
    await pool.stop(5)
    assert {outcome.result for outcome in [first, *outcomes]} == {"Succeeded"}
    times = sorted(upstream.times)
    assert len(times) == 5
    gaps = [later - earlier for earlier, later in zip(times, times[2:], strict=False)]
    assert min(gaps) > 0.5, "more than two in a second, even if a busy machine was half a second late with one"


async def test_workers_read_files_of_the_folder_that_the_pool_allows_and_of_no_other(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id\n7\n")
    wanted, refused = plan(upstream, tmp_path / "rows.db"), plan(upstream, tmp_path / "rows.db")
    wanted.spec["source"] = {"csv": {"path": "*.csv"}}
    refused.spec["source"] = {"csv": {"path": "../in/a.csv"}}
    pool = WorkerPool(workers=1, files=Files(folder=str(tmp_path / "in")))
    outcome = await pool.run(wanted, ignored)
    assert (outcome.result, rows(tmp_path / "rows.db")) == ("Succeeded", [(7,)])
    outcome = await pool.run(refused, ignored)
    assert (outcome.reason, outcome.next) == ("FileRefused", Next.STALL)
    await pool.stop(5)


async def test_a_verification_in_a_worker_tells_counts_and_writes_nothing(upstream: Upstream, tmp_path: Path) -> None:
    pool = WorkerPool(workers=1)
    one = plan(upstream, tmp_path / "a.db")
    missing = await pool.verify(one)
    assert (missing.result, missing.next, missing.reason) == ("Failed", Next.SCHEDULE, "NotFound")
    await pool.run(one, ignored)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("INSERT INTO t VALUES (2)")
        connection.commit()
        before = list(connection.iterdump())
        done = await pool.verify(one)
        assert list(connection.iterdump()) == before
    assert done.verified == Accuracy(
        accuracy="100.0000",
        sample=None,
        complete=True,
        cells=1,
        rows=1,
        missing=0,
        different=0,
        ambiguous=0,
        extra=1,
        quarantined=0,
        skipped=0,
        columns={},
    )
    assert (done.result, done.counts) == ("Succeeded", Counts())
    await pool.stop(5)


async def test_a_worker_that_dies_fails_its_verification_and_leaves_the_ledger_alone(
    pool: WorkerPool, upstream: Upstream, tmp_path: Path
) -> None:
    one = plan(upstream, tmp_path / "a.db")
    await pool.run(one, ignored)
    upstream.asked.clear()
    upstream.hold = True
    running = asyncio.create_task(pool.verify(one))
    await asked(upstream)
    os.kill(pool.pids[0], signal.SIGKILL)
    outcome = await running
    assert (outcome.result, outcome.next, outcome.reason) == ("Interrupted", Next.RETRY, "WorkerDied")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert connection.execute("SELECT result FROM syncsource_runs").fetchall() == [("Succeeded",)]
    upstream.asked.clear()
    running = asyncio.create_task(pool.verify(one))
    await asked(upstream)
    pool.cancel(one.run)
    assert (await asyncio.wait_for(running, 5)).reason == "Cancelled"
