"""The end of a run when the connection, the process or the database is gone at that very moment: the ledger knows what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import event

from syncsource import ledger
from syncsource.destinations import Writer, open_database
from syncsource.engine.executing import settle
from syncsource.engine.plan import Next, Outcome
from syncsource.errors import RetryableError
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.model import Record
from tests.database.proxy import cutting

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed integer, note text)"
UNKNOWN = "the run's process ended, or another operator took over; whether it had committed is not known, since the ledger can't be read"


@pytest.fixture
def engine(place: Place) -> Engine:
    place.sql(CREATE)
    return Engine(place, "t")


def upstream(count: int = 5) -> Upstream:
    return Upstream([record(number) for number in range(1, count + 1)])


def record(number: int) -> Record:
    return {"id": number, "name": "a", "amount": 1, "changed": number}


def test_the_answer_to_commit_is_lost(postgresql: Place) -> None:
    postgresql.sql(CREATE)
    engine = Engine(postgresql, "t")
    with cutting(postgresql.url, "after") as engine.url:
        outcome = engine.run(upstream())
    assert (outcome.result, outcome.reason, outcome.cursor, outcome.full) == ("Succeeded", "", "5", True)
    assert (outcome.counts.read, outcome.counts.inserted) == (5, 5)
    assert (len(engine.rows()), engine.cursor()) == (5, 5)


def test_the_answer_to_commit_is_lost_and_nobody_can_be_asked(postgresql: Place) -> None:
    """What is told of the run is no less than is known."""
    postgresql.sql(CREATE)
    engine = Engine(postgresql, "t")
    with cutting(postgresql.url, "after", for_good=True) as engine.url:
        outcome = engine.run(upstream())
    assert (outcome.result, outcome.next, outcome.reason) == ("Failed", Next.RETRY, "DatabaseUnavailable")
    assert outcome.message.endswith("; this was during COMMIT: whether the run had committed is not known")
    engine.url = postgresql.url
    again = engine.run(upstream())
    assert (again.result, again.counts.inserted, again.counts.updated, engine.cursor()) == ("Succeeded", 0, 0, 5)


def test_commit_is_lost(postgresql: Place) -> None:
    postgresql.sql(CREATE)
    engine = Engine(postgresql, "t")
    with cutting(postgresql.url, "before") as engine.url:
        outcome = engine.run(upstream())
        assert (outcome.result, outcome.next, outcome.reason) == ("Failed", Next.RETRY, "DatabaseUnavailable")
        assert (len(engine.rows()), engine.cursor()) == (0, None)
        assert engine.run(upstream()).counts.inserted == 5


def test_what_had_committed_is_settled_as_it_was(engine: Engine) -> None:
    for full, count in ((True, 5), (False, 7)):
        plan = engine.plan()
        done = engine.execute(plan, upstream(count))
        settled = settle(plan)
        assert settled == msgspec.structs.replace(done, seconds=settled.seconds)
        assert (settled.full, settled.cursor) == (full, str(count))


def test_what_had_failed_is_settled_as_it_was(engine: Engine) -> None:
    plan = engine.plan()
    done = engine.execute(plan, Upstream([record(1)], breaks_after=1))
    settled = settle(plan)
    assert (settled.result, settled.next, settled.reason, settled.message) == ("Failed", Next.RETRY, "ConnectionLost", done.message)


def test_what_had_not_begun_is_settled_as_interrupted(engine: Engine) -> None:
    settled = settle(engine.plan())
    assert (settled.result, settled.next, settled.reason) == ("Interrupted", Next.RETRY, "Interrupted")
    assert "what it had not committed is gone" in settled.message
    assert not settled.full


def test_what_is_not_known_is_not_made_up(engine: Engine) -> None:
    plan = engine.plan()
    engine.execute(plan, upstream())
    gone = "postgresql://u:s3cr3t@127.0.0.1:1/name"
    settled = settle(msgspec.structs.replace(plan, secrets={"db": {"url": gone}}))
    assert (settled.result, settled.next, settled.reason) == ("Interrupted", Next.RETRY, "Interrupted")
    assert settled.message == f"{UNKNOWN} (DatabaseUnavailable); the next run goes on from the cursor"


def test_a_writer_that_stands_still_is_ended_by_the_server(postgresql: Place) -> None:
    """Its locks would keep out the run that takes its place."""
    postgresql.sql(CREATE)
    table = postgresql.table("t", create=False, id="integer", name="text")
    with open_database(f"{postgresql.url}%20-cidle_in_transaction_session_timeout=300") as database:
        ledger.prepare(database.engine)
        with Writer(database, table) as writer:
            writer.stage([(1, "stopped")])
            with pytest.raises(RetryableError) as caught:
                _stand_still(writer, lambda: postgresql.write(table, [(1, "other")]).counts)
    assert caught.value.reason == "TransactionTimeout"
    assert "idle" in caught.value.message
    assert postgresql.sql("SELECT id, name FROM t") == [(1, "other")]


def _stand_still(writer: Writer, meanwhile: Callable[[], tuple[int, ...]]) -> None:
    with writer.transaction():
        writer.apply()
        assert meanwhile() == (1, 0, 0, 0, 0)


def test_the_server_ends_one_after_a_while_by_default(postgresql: Place) -> None:
    with postgresql.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "20s"


def test_a_run_that_another_took_the_place_of_says_so_whatever_ended_it(postgresql: Place) -> None:
    postgresql.sql(CREATE)
    engine = Engine(postgresql, "t")
    engine.run(upstream(1))
    held = _Held(upstream(2))
    running, outcome = _begun(engine, held)
    assert engine.run(upstream(5)).result == "Succeeded"
    _end_sessions_that_stage(postgresql)
    held.go_on.set()
    running.join(20)
    assert [(one.result, one.reason) for one in outcome] == [("Interrupted", "Fenced")]
    assert engine.cursor() == 5


@pytest.mark.parametrize("restored", [False, True])
def test_a_file_that_is_removed_or_replaced_in_mid_run(sqlite: Place, restored: bool) -> None:
    """SQLite itself would commit to the file that nobody finds any more."""
    sqlite.sql(CREATE)
    engine = Engine(sqlite, "t")
    engine.run(upstream(2))
    sqlite.plain.dispose()
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    backup = path.read_bytes()
    held = _Held(upstream(5))
    running, outcome = _begun(engine, held)
    for file in path.parent.iterdir():
        file.unlink()
    if restored:
        path.write_bytes(backup)
    else:
        sqlite.sql(CREATE)
    held.go_on.set()
    running.join(20)
    assert [(one.result, one.next, one.reason) for one in outcome] == [("Failed", Next.RETRY, "DatabaseUnavailable")]
    assert "rows.db was removed or replaced while it was written to: nothing was committed" in outcome[0].message
    assert len(engine.rows()) == (2 if restored else 0)
    after = engine.run(upstream(5))
    assert (after.counts.inserted, after.full) == ((3, False) if restored else (5, True))
    assert (len(engine.rows()), engine.cursor()) == (5, 5)


def test_a_file_that_can_t_grow(sqlite: Place) -> None:
    """As on a full disk."""
    sqlite.sql(CREATE)
    engine = Engine(sqlite, "t")
    engine.run(upstream(2))

    def limit(driver: Any, _record: Any) -> None:
        driver.execute("PRAGMA max_page_count = 1")  # which means: no more than there are

    event.listen(SqlEngine, "connect", limit)
    many = Upstream([record(number) for number in range(1, 30_001)], size=5000)
    try:
        outcome = engine.run(many)
    finally:
        event.remove(SqlEngine, "connect", limit)
    assert (outcome.result, outcome.next, outcome.reason) == ("Failed", Next.RETRY, "DiskFull")
    assert (len(engine.rows()), engine.cursor()) == (2, 2)
    again = engine.run(many)
    assert (again.counts.inserted, engine.cursor()) == (29_998, 30_000)


class _Held:
    """An upstream that waits before its last page."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True
        self.asked, self.go_on = threading.Event(), threading.Event()

    def pages(self, part: Slice) -> Iterator[Page]:
        """The pages, when they may go on."""
        self.asked.set()
        self.go_on.wait(30)
        yield from self._upstream.pages(part)

    def close(self) -> None:
        """Nothing to give back."""


def _begun(engine: Engine, held: _Held) -> tuple[threading.Thread, list[Outcome]]:
    """A full run that has asked its upstream; its outcome is in the list once the thread has ended."""
    outcome: list[Outcome] = []
    running = threading.Thread(target=lambda: outcome.append(engine.run(held, full=True)))
    running.start()
    assert held.asked.wait(20)
    return running, outcome


def _end_sessions_that_stage(place: Place) -> None:
    query = "FROM pg_stat_activity WHERE application_name = 'syncsource' AND state = 'idle'"
    ends = time.monotonic() + 20
    while place.sql(f"SELECT pg_terminate_backend(pid) {query}"):
        assert time.monotonic() < ends
