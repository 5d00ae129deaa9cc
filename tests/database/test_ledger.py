"""What is remembered: fences, cursors, runs, quarantine."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from syncsource import ledger
from syncsource.destinations import Writer
from syncsource.errors import AbortedError, RetryableError, StalledError
from syncsource.ledger import preparing
from syncsource.records.batch import Rejected

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Counts:
    read: int = 6
    inserted: int = 1
    updated: int = 2
    unchanged: int = 1
    skipped: int = 1
    quarantined: int = 1
    deleted: int = 0
    conflicts: int = 0


@pytest.fixture
def engine(place: Any) -> Any:
    ledger.prepare(place.database.engine)
    return place.database.engine


def _acquire(engine: Any, run: str, identity: str = "c/ns/me", at: datetime = NOW) -> ledger.Fence:
    return ledger.acquire(engine, identity, run=run, trigger="Schedule", generation=3, started_at=at)


def test_prepare_again_and_by_many_at_once(place: Any) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ledger.prepare(place.database.engine), range(6)))
    ledger.prepare(place.database.engine)
    assert place.sql("SELECT version FROM syncsource_ledger") == [(4,)]


FIRST_VERSION = (
    "CREATE TABLE syncsource_ledger (version INTEGER NOT NULL PRIMARY KEY)",
    "CREATE TABLE syncsource_sources (identity VARCHAR(400) NOT NULL PRIMARY KEY, fence BIGINT NOT NULL, acquired_at {instant} NOT NULL)",
    "INSERT INTO syncsource_sources VALUES ('me', 7, '2026-01-31T12:00:00.000000Z')",
    "INSERT INTO syncsource_ledger VALUES (1)",
    "CREATE TABLE syncsource_cursors (identity VARCHAR(400) NOT NULL, partition VARCHAR(200) NOT NULL, cursor TEXT NOT NULL, "
    "config_hash VARCHAR(64) NOT NULL, updated_at {instant} NOT NULL, PRIMARY KEY (identity, partition))",
    "INSERT INTO syncsource_cursors VALUES ('me', '', '0', 'h1', '2026-01-31T12:00:00.123456Z')",
    "CREATE TABLE syncsource_runs (run VARCHAR(64) NOT NULL PRIMARY KEY, identity VARCHAR(400) NOT NULL, fence BIGINT NOT NULL, "
    "trigger VARCHAR(64) NOT NULL, generation BIGINT NOT NULL, started_at {instant} NOT NULL, finished_at {instant}, "
    "result VARCHAR(64) NOT NULL, reason VARCHAR(64) NOT NULL, message TEXT NOT NULL, read BIGINT NOT NULL, inserted BIGINT NOT NULL, "
    "updated BIGINT NOT NULL, unchanged BIGINT NOT NULL, skipped BIGINT NOT NULL, quarantined BIGINT NOT NULL, cursor_before TEXT, "
    "cursor_after TEXT)",
    "INSERT INTO syncsource_runs VALUES ('a', 'me', 1, 'Schedule', 1, '2026-01-31T12:00:00.123456Z', NULL, 'Succeeded', '', '', "
    "1, 1, 0, 0, 0, 0, NULL, '0')",
    "CREATE TABLE syncsource_quarantine (identity VARCHAR(400) NOT NULL, partition VARCHAR(200) NOT NULL, digest VARCHAR(64) NOT NULL, "
    "record TEXT NOT NULL, reason VARCHAR(64) NOT NULL, message TEXT NOT NULL, field TEXT, first_seen {instant} NOT NULL, "
    "last_seen {instant} NOT NULL, last_run VARCHAR(64) NOT NULL, PRIMARY KEY (identity, partition, digest))",
    "INSERT INTO syncsource_quarantine VALUES ('me', '', 'd', '{{}}', 'InvalidValue', '', NULL, "
    "'2026-01-31T12:00:00.123456Z', '2026-01-31T12:00:00.123456Z', 'a')",
)


def test_the_first_version_s_ledger_is_brought_up_to_date_with_what_it_holds(place: Any) -> None:
    if place.kind == "mariadb":
        pytest.skip("version 1 knew no MySQL")
    for statement in FIRST_VERSION:
        place.sql(statement.format(instant="VARCHAR(27)" if place.kind == "sqlite" else "TIMESTAMP WITH TIME ZONE"))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ledger.prepare(place.database.engine), range(6)))
    assert place.sql("SELECT max(version) FROM syncsource_ledger") == [(4,)]
    [run] = ledger.history(place.database.engine, "me")
    assert (run.run, run.inserted, run.document_reads, run.partitions_total, run.started_at) == ("a", 1, 0, 0, NOW)
    assert place.sql("SELECT digest, place, position, excerpt, form FROM syncsource_quarantine") == [("d", None, None, None, None)]
    assert place.sql("SELECT fence, fields FROM syncsource_sources") == [(7, None)]
    with place.database.engine.begin() as connection:
        assert ledger.cursor(connection, "me") == ledger.Cursor("0", "h1")
        ledger.save_cursor(connection, "me", None, "h2", state="etag")
        assert ledger.cursor(connection, "me") == ledger.Cursor(None, "h2", "etag")


def test_an_older_ledger_gets_a_place_for_positions(engine: Any, place: Any) -> None:
    with engine.begin() as connection:
        ledger.save_cursor(connection, "me", "7", "h", state="etag")
    place.sql("ALTER TABLE syncsource_cursors DROP COLUMN position")
    place.sql("UPDATE syncsource_ledger SET version = 3")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: ledger.prepare(engine), range(6)))
    assert place.sql("SELECT max(version) FROM syncsource_ledger") == [(4,)]
    long = "p" * 100_000
    with engine.begin() as connection:
        assert ledger.cursor(connection, "me") == ledger.Cursor("7", "h", "etag")
        ledger.save_cursor(connection, "me", "7", "h", position=long)
        assert ledger.cursor(connection, "me") == ledger.Cursor("7", "h", None, long)


def test_nobody_prepares_it_before_who_was_first_has_committed(mariadb: Any) -> None:
    engine = mariadb.database.engine
    with ThreadPoolExecutor(1) as pool:
        others: list[Future[None]] = []

        def committing(connection: Connection) -> None:
            if others:
                return
            others.append(pool.submit(ledger.prepare, engine))
            while not others[0].done() and mariadb.sql(_WAITING) == [(0,)]:
                time.sleep(0.01)

        event.listen(engine, "commit", committing)
        ledger.prepare(engine)
        others[0].result(timeout=30)
    assert mariadb.sql("SELECT version FROM syncsource_ledger") == [(4,)]


def test_who_waits_for_another_s_upgrade_in_vain_tries_again_later(mariadb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_PATIENCE", 0)
    assert mariadb.sql("SELECT GET_LOCK('syncsource ledger', 0)") == [(1,)]
    with pytest.raises(RetryableError, match="somebody else has been bringing the ledger up to date") as caught:
        ledger.prepare(mariadb.database.engine)
    assert (caught.value.reason, ledger.version(mariadb.database.engine)) == ("DatabaseBusy", None)
    mariadb.sql("DO RELEASE_LOCK('syncsource ledger')")
    ledger.prepare(mariadb.database.engine)


_WAITING = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User lock'"


def test_who_was_killed_on_the_way_to_this_version_is_gone_on_from(engine: Any, place: Any) -> None:
    place.sql("ALTER TABLE syncsource_runs DROP COLUMN conflicts")
    place.sql("UPDATE syncsource_ledger SET version = 2")
    ledger.prepare(engine)
    assert place.sql("SELECT max(version) FROM syncsource_ledger") == [(4,)]
    assert place.sql("SELECT conflicts, deleted FROM syncsource_runs") == []


def test_a_position_is_kept_without_a_cursor_and_goes_with_all_of_it(engine: Any) -> None:
    with engine.begin() as connection:
        ledger.save_cursor(connection, "me", None, "h", position="p")
        assert ledger.cursor(connection, "me") == ledger.Cursor(None, "h", None, "p")
        ledger.save_cursor(connection, "me", None, "h")
        assert ledger.cursor(connection, "me") is None
        ledger.save_cursor(connection, "me", "1", "h", state="s", position="p")
    ledger.forget_states(engine, "me")
    with engine.connect() as connection:
        assert ledger.cursor(connection, "me") == ledger.Cursor("1", "h")


def test_a_newer_ledger_is_left_alone(engine: Any, place: Any) -> None:
    place.sql("INSERT INTO syncsource_ledger VALUES (99)")
    with pytest.raises(StalledError, match="has version 99") as caught:
        ledger.prepare(engine)
    assert caught.value.reason == "LedgerTooNew"


def test_each_run_takes_the_next_token(engine: Any) -> None:
    assert _acquire(engine, "a") == ledger.Fence("c/ns/me", "a", 1, [])
    assert _acquire(engine, "other", "c/ns/other") == ledger.Fence("c/ns/other", "other", 1, [])
    assert _acquire(engine, "b") == ledger.Fence("c/ns/me", "b", 2, ["a"])
    assert [(run.run, run.result) for run in ledger.history(engine, "c/ns/me")] == [("b", "Running"), ("a", "Interrupted")]


def test_tokens_of_many_at_once_are_all_different(engine: Any) -> None:
    with ThreadPoolExecutor(6) as pool:
        fences = list(pool.map(lambda number: _acquire(engine, f"run {number}"), range(12)))
    assert sorted(fence.token for fence in fences) == list(range(1, 13))
    newest = max(fences, key=lambda fence: fence.token)
    holding = []
    for fence in fences:
        with engine.begin() as connection:
            try:
                ledger.check_fence(connection, fence)
                holding.append(fence)
            except AbortedError:
                pass
    assert holding == [newest]


def test_cursors_keep_the_source_s_text(engine: Any) -> None:
    text = "2026-01-31T12:00:00.123456789+07:00"
    with engine.begin() as connection:
        assert ledger.cursor(connection, "me") is None
        ledger.save_cursor(connection, "me", "0", "h1")
        ledger.save_cursor(connection, "me", "", "h2", "store 2")
        ledger.save_cursor(connection, "me", text, "h3", state='{"etag":"1"}')
    with engine.connect() as connection:
        assert ledger.cursor(connection, "me") == ledger.Cursor(text, "h3", '{"etag":"1"}')
        assert ledger.cursor(connection, "me", "store 2") == ledger.Cursor("", "h2")


def test_a_run_s_end(engine: Any) -> None:
    _acquire(engine, "a")
    end = NOW + timedelta(seconds=5)
    with engine.begin() as connection:
        ledger.finish_run(connection, "a", result="Succeeded", counts=Counts(), cursor_before="1", cursor_after="2", finished_at=end)
        ledger.finish_run(connection, "a", result="Failed", reason="Late")
    expected = ledger.RunRecord(
        run="a",
        identity="c/ns/me",
        fence=1,
        trigger="Schedule",
        generation=3,
        started_at=NOW,
        finished_at=end,
        result="Succeeded",
        reason="",
        message="",
        read=6,
        inserted=1,
        updated=2,
        unchanged=1,
        skipped=1,
        quarantined=1,
        deleted=0,
        conflicts=0,
        cursor_before="1",
        cursor_after="2",
    )
    assert ledger.history(engine, "c/ns/me") == [expected]
    assert ledger.succeeded(engine, "a") == expected
    assert ledger.succeeded(engine, "b") is None


def test_a_failed_run_is_entered_while_the_fence_is_its_own(engine: Any) -> None:
    fence = _acquire(engine, "a")
    assert ledger.end_run(engine, fence, reason="HTTP503", message="the upstream answered 503", finished_at=NOW)
    run = ledger.history(engine, "c/ns/me")[0]
    assert (run.result, run.reason, run.message, run.finished_at) == ("Failed", "HTTP503", "the upstream answered 503", NOW)
    fence = _acquire(engine, "b")
    _acquire(engine, "c")
    assert not ledger.end_run(engine, fence, reason="Late", message="late")
    assert [(run.run, run.result) for run in ledger.history(engine, "c/ns/me", 2)] == [("c", "Running"), ("b", "Interrupted")]


def test_a_run_whose_process_is_gone_can_t_commit_after_all(engine: Any) -> None:
    fence = _acquire(engine, "a")
    run = _interrupt(engine, "a")
    assert (run.result, run.message) == ("Interrupted", "its worker died")
    with engine.begin() as connection, pytest.raises(AbortedError):
        ledger.check_fence(connection, fence)


def test_a_run_that_had_not_begun_can_t_begin_after_all(engine: Any) -> None:
    mine = _acquire(engine, "a")
    run = _interrupt(engine, "b")
    assert (run.result, run.message, run.fence) == ("Interrupted", "its worker died", mine.token)
    with pytest.raises(AbortedError) as caught:
        _acquire(engine, "b")
    assert caught.value.reason == "Fenced"
    with engine.begin() as connection:
        ledger.check_fence(connection, mine)
    assert [(run.run, run.result) for run in ledger.history(engine, "c/ns/me")] == [("b", "Interrupted"), ("a", "Running")]


def test_a_first_run_that_had_not_begun_can_t_begin_after_all(engine: Any) -> None:
    assert _interrupt(engine, "a").result == "Interrupted"
    with pytest.raises(AbortedError):
        _acquire(engine, "a")
    assert _acquire(engine, "b").interrupted == []


def test_interrupting_a_run_that_committed_changes_nothing(engine: Any) -> None:
    fence = _acquire(engine, "a")
    with engine.begin() as connection:
        ledger.finish_run(connection, "a", result="Succeeded")
    assert _interrupt(engine, "a").result == "Succeeded"
    assert ledger.succeeded(engine, "a") is not None
    with engine.begin() as connection:
        ledger.check_fence(connection, fence)


def _interrupt(engine: Any, run: str) -> ledger.RunRecord:
    return ledger.interrupt(engine, "c/ns/me", run, "its worker died", trigger="Request", generation=1)


def _run(place: Any, run: str, records: list[Rejected], at: datetime = NOW, *, full: bool) -> int:
    table = place.table("t", id="integer")
    with Writer(place.database, table) as writer:
        for record in records:
            ledger.stage_rejected(writer.connection, [record])
        with writer.transaction() as connection:
            return ledger.commit_rejected(connection, "me", run, full=full, at=at)


BAD = Rejected('{"id":1}', "InvalidValue", "id: …", "id")


def test_one_bad_record_seen_again_is_one_entry(engine: Any, place: Any) -> None:
    later = NOW + timedelta(hours=1)
    assert _run(place, "a", [BAD, BAD], full=False) == 1
    assert _run(place, "b", [replace(BAD, reason="MissingValue", field=None), replace(BAD, record="{}")], later, full=False) == 2
    found = place.sql("SELECT reason, field, last_run, first_seen, last_seen FROM syncsource_quarantine WHERE record = '{\"id\":1}'")
    assert [(str(row[0]), row[1], row[2]) for row in found] == [("MissingValue", None, "b")]
    instants = [datetime.fromisoformat(moment) if isinstance(moment, str) else moment for moment in found[0][3:]]
    assert [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in instants] == [NOW, later]
    assert ledger.quarantine_counts(engine, "me") == {"InvalidValue": 1, "MissingValue": 1}
    assert ledger.quarantine_counts(engine, "you") == {}


def test_a_full_read_forgets_what_is_mended(engine: Any, place: Any) -> None:
    two = replace(BAD, record='{"id":2}')
    assert _run(place, "a", [BAD, two], full=True) == 2
    assert _run(place, "b", [], full=False) == 2
    assert _run(place, "c", [two], full=True) == 1
    assert place.sql("SELECT record FROM syncsource_quarantine") == [('{"id":2}',)]
    assert _run(place, "d", [], full=True) == 0


def test_quarantine_of_a_run_that_fails_is_not_kept(engine: Any, place: Any) -> None:
    table = place.table("t", id="integer")
    with Writer(place.database, table) as writer:
        ledger.stage_rejected(writer.connection, [BAD])
        with pytest.raises(ZeroDivisionError):
            _commit_and_fail(writer)
    assert ledger.quarantine_counts(engine, "me") == {}


def _commit_and_fail(writer: Writer) -> None:
    with writer.transaction() as connection:
        ledger.commit_rejected(connection, "me", "a", full=False)
        raise ZeroDivisionError


def test_many_rejected_rows_go_through_without_being_held(engine: Any, place: Any) -> None:
    place.sql("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n > 0))")
    table = place.table("t", create=False, id="integer", n="integer")
    with Writer(place.database, table) as writer:
        ledger.stage_rejected(
            writer.connection, writer.stage([(number, 2**40) for number in range(5000)] if place.kind == "postgresql" else [])
        )
        writer.stage([(number, -1) for number in range(5000, 5200)])
        with writer.transaction() as connection:
            ledger.stage_rejected(connection, writer.apply().rejected)
            total = ledger.commit_rejected(connection, "me", "a", full=True)
    assert total == (5200 if place.kind == "postgresql" else 200)
    (record,) = place.sql("SELECT record FROM syncsource_quarantine WHERE reason = 'ConstraintViolation' ORDER BY record LIMIT 1")[0]
    assert json.loads(record) == {"id": 5000, "n": -1}
