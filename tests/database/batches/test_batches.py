"""A read that is committed batch by batch, and ends early, goes on where it was; what is told of it is what was committed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from syncsource import ledger
from syncsource.engine import backups, undoing
from syncsource.engine.executing import settle
from syncsource.engine.plan import Next
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from tests.database.batches.paged import NOW, Paged, batched, breaks_at, history, ids, position, rows
from tests.database.conftest import Place
from tests.database.engine import Engine


def at(hours: float) -> str:
    """So long after now."""
    return (NOW + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def cursor(engine: Engine) -> str | None:
    kept = engine.kept()
    return kept.text if kept else None


def resume(engine: Engine) -> str | None:
    left = position(engine)
    return left.resume if left else None


def test_what_ended_early_goes_on_where_it_was(place: Place) -> None:
    engine, upstream, plan = batched(place), Paged(rows(11)), None
    upstream.meanwhile = breaks_at(6)
    plan = engine.plan()
    outcome = engine.execute(plan, upstream)
    assert (outcome.result, outcome.next, outcome.message) == (
        "Failed",
        Next.RETRY,
        "the upstream broke off; 2 batches before it committed",
    )
    assert (outcome.counts.read, outcome.counts.inserted, ids(engine)) == (8, 8, list(range(1, 9)))
    assert (cursor(engine), outcome.cursor) == (None, None)
    [run] = history(engine)
    assert (run.result, run.inserted, settle(plan).counts) == ("Failed", 8, outcome.counts)

    upstream.meanwhile, upstream.served = lambda number: None, []
    outcome = engine.run(upstream)
    assert (outcome.result, outcome.full, outcome.counts.read, outcome.counts.inserted) == ("Succeeded", True, 3, 3)
    assert (upstream.served, ids(engine), cursor(engine)) == ([9, 10, 11], list(range(1, 12)), "11")
    assert position(engine) is None

    upstream.served = []
    assert (engine.run(upstream).counts.unchanged, upstream.served) == (1, [11])


def test_it_goes_on_as_often_as_it_ends_early(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(13))
    upstream.meanwhile = breaks_at(3)
    results = [engine.run(upstream).result for _ in range(4)]
    assert results == ["Failed", "Failed", "Failed", "Succeeded"]
    assert (upstream.served, ids(engine)) == (list(range(1, 14)), list(range(1, 14)))
    assert [run.inserted for run in history(engine)] == [1, 4, 4, 4]


def test_others_read_again_and_what_was_committed_is_unchanged(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(7), resumes=False)
    upstream.meanwhile = breaks_at(4)
    assert (engine.run(upstream).counts.inserted, resume(engine)) == (4, None)
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream)
    assert (outcome.counts.unchanged, outcome.counts.inserted, ids(engine)) == (4, 3, list(range(1, 8)))


def test_a_run_out_of_time_keeps_its_batches(place: Place) -> None:
    engine, upstream, stop = batched(place), Paged(rows(9)), Stop()
    upstream.meanwhile = lambda number: stop() if number == 3 else None
    outcome = engine.run(upstream, stop=stop)
    assert (outcome.result, outcome.reason, outcome.counts.inserted in (0, 4)) == ("Interrupted", "Cancelled", True)
    assert ids(engine) == list(range(1, outcome.counts.inserted + 1))
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).result == "Succeeded"
    assert ids(engine) == list(range(1, 10))


def test_an_older_run_commits_no_further_batch(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(9))

    def taken_over(number: int) -> None:
        if number == 3:
            assert upstream.served == [1, 2, 3, 4]
            ledger.acquire(place.database.engine, engine.plan().identity, run="other", trigger="Request", generation=1, started_at=NOW)

    upstream.meanwhile = taken_over
    outcome = engine.run(upstream)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Fenced")
    there = ids(engine)
    told = "; 1 batch before it committed" if there else ": nothing of this one was committed"
    assert outcome.message == f"another run of this SyncSource took over{told}"
    assert there in ([], [1, 2, 3, 4])  # the first batch was committed before that, or not
    assert next(run for run in history(engine) if run.run == outcome.run).inserted == len(there)


# Where it goes on


def test_the_upper_bound_stays_however_late_the_rest_is_read(place: Place) -> None:
    """What changed since the read began may be on a page that was read before: the cursor is not later than that beginning."""
    engine, upstream = batched(place, kind="text"), Paged([{**one, "changed": at(-1)} for one in rows(5)])
    upstream.meanwhile = breaks_at(3)
    engine.run(upstream)
    began = history(engine)[0].started_at
    upstream.records[4]["changed"] = at(5)
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).counts.inserted == 1
    assert cursor(engine) == began.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_upstream_s_clock_at_the_beginning_counts_too(place: Place) -> None:
    behind = NOW - timedelta(days=3)
    engine, upstream = batched(place, kind="text"), Paged([{**one, "changed": at(-1)} for one in rows(5)], served_at=behind)
    upstream.meanwhile = breaks_at(3)
    engine.run(upstream)
    later = Paged(upstream.records)
    engine.run(later)
    assert cursor(engine) == behind.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_window_keeps_its_end(place: Place) -> None:
    days = [{**one, "changed": at(24 * (one["id"] - 30) - 1)} for one in rows(30)]
    incremental = {"cursor": "changed", "param": "since", "window": {"size": "10d", "start": days[0]["changed"]}}
    engine, upstream = batched(place, kind="text", incremental=incremental), Paged(days)
    upstream.meanwhile = lambda number: breaks_at(3)(number) if len(upstream.asked) == 3 else None
    outcome = engine.run(upstream)
    assert (outcome.counts.inserted, cursor(engine)) == (24, days[19]["changed"])
    broken = upstream.asked[2]
    assert (broken.since, position(engine).span.until) == (days[20]["changed"], broken.until)  # type: ignore[union-attr]
    upstream.asked, upstream.meanwhile, upstream.served = [], lambda number: None, []
    outcome = engine.run(upstream)
    assert [(part.since, part.until, part.resume) for part in upstream.asked] == [(broken.since, broken.until, "4")]
    assert (upstream.served, ids(engine)) == ([25, 26, 27, 28, 29, 30], list(range(1, 31)))
    assert (cursor(engine), engine.run(upstream).counts.unchanged) == (days[29]["changed"], 1)


def test_windows_that_follow_are_read_after_the_one_that_ended_early(place: Place) -> None:
    days = [{**one, "changed": at(24 * (one["id"] - 30) - 1)} for one in rows(30)]
    incremental = {"cursor": "changed", "param": "since", "window": {"size": "10d", "start": days[0]["changed"]}}
    engine, upstream = batched(place, kind="text", incremental=incremental), Paged(days)
    upstream.meanwhile = breaks_at(4)
    assert engine.run(upstream).counts.inserted == 4
    upstream.meanwhile, first = lambda number: None, upstream.asked.pop()
    outcome = engine.run(upstream)
    assert (upstream.asked[0].until, upstream.asked[0].resume, upstream.asked[1].since) == (first.until, "4", first.until)
    assert (outcome.full, outcome.counts.read, len(ids(engine))) == (True, 26, 30)


def test_lookback_is_taken_once(place: Place) -> None:
    """Who changes it meanwhile still has the read go on as it began."""
    records = [{**one, "changed": at(one["id"] - 30)} for one in rows(9)]
    engine, upstream = batched(place, kind="text", incremental={"cursor": "changed", "param": "since", "lookback": "5h"}), Paged(records)
    engine.run(upstream)
    upstream.records = [{**one, "name": "b"} for one in records]
    upstream.meanwhile = breaks_at(3)
    engine.run(upstream)
    other = Engine(place, "t", **{**engine.spec, "incremental": {"cursor": "changed", "param": "since", "lookback": "1h"}})
    upstream.meanwhile, upstream.asked = lambda number: None, []
    outcome = other.run(upstream)
    assert [(part.since, part.resume) for part in upstream.asked] == [(at(-26), "4")]
    assert (outcome.full, outcome.counts.updated) == (False, 2)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"filter": "amount > `0`"}, (7, 4)),
        ({"write": {"protect": ["name"]}}, (7, 4)),
        ({"safety": {"transaction": "Run"}}, (7, 4)),
        ({"safety": {"transaction": "Batch", "batchRows": 1}}, (3, 0)),
        ({"validation": {"rules": [{"field": "amount", "min": 0}]}}, (3, 0)),
    ],
)
def test_another_configuration_begins_anew(place: Place, change: dict[str, Any], counts: tuple[int, int]) -> None:
    engine, upstream = batched(place), Paged(rows(7))
    upstream.meanwhile = breaks_at(4)
    engine.run(upstream)
    upstream.meanwhile = lambda number: None
    outcome = Engine(place, "t", **{**engine.spec, **change}).run(upstream)
    assert (outcome.result, outcome.counts.read, outcome.counts.unchanged) == ("Succeeded", *counts)
    assert (position(engine), cursor(engine), ids(engine)) == (None, "7", list(range(1, 8)))


def test_a_full_refresh_ignores_and_forgets_it(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(7))
    upstream.meanwhile = breaks_at(4)
    engine.run(upstream)
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream, full=True)
    assert (outcome.counts.read, outcome.counts.unchanged, upstream.asked[-1].resume) == (7, 4, None)
    assert (position(engine), cursor(engine)) == (None, "7")


def test_a_full_refresh_that_ends_early_is_gone_on_with_and_the_cursor_stays_until_then(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(7))
    engine.run(upstream)
    upstream.records = rows(7, name="b")
    upstream.meanwhile = breaks_at(4)
    outcome = engine.run(upstream, full=True)
    assert (outcome.counts.updated, cursor(engine), outcome.cursor) == (4, "7", "7")
    upstream.meanwhile = lambda number: None
    upstream.records[6]["changed"] = 6  # the cursor went astray: a full read mends it
    outcome = engine.run(upstream)
    assert (outcome.full, outcome.counts.updated, cursor(engine)) == (True, 3, "6")


def test_an_empty_table_is_filled_from_the_beginning(place: Place) -> None:
    """As somebody emptied it meanwhile, rows that were committed would be missing."""
    engine, upstream = batched(place), Paged(rows(7))
    upstream.meanwhile = breaks_at(4)
    engine.run(upstream)
    place.sql("DELETE FROM t")
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).counts.inserted == 7


def test_a_place_that_the_source_does_not_know_any_more_begins_again(place: Place) -> None:
    engine, upstream = batched(place), Paged(rows(7))
    upstream.meanwhile = breaks_at(4)
    engine.run(upstream)

    def expired(number: int) -> None:
        if upstream.asked[-1].resume:
            raise PermanentError("the token has expired", reason="HTTP410")

    upstream.meanwhile = expired
    outcome = engine.run(upstream)
    assert (outcome.result, outcome.counts.read, outcome.counts.unchanged) == ("Succeeded", 7, 4)
    assert ([part.resume for part in upstream.asked], ids(engine)) == ([None, "4", None], list(range(1, 8)))


def test_partitions_go_on_each_for_itself(place: Place) -> None:
    engine = batched(place, partitions={"values": ["a", "b"], "parallelism": 1})
    upstream = Paged(rows(7))
    upstream.meanwhile = lambda number: breaks_at(4)(number) if len(upstream.asked) == 2 else None
    outcome = engine.run(lambda: upstream)
    assert (outcome.message, outcome.counts.unchanged) == (
        "1/2 partitions, 7 new, 4 unchanged, 1 error: b: ConnectionLost: the upstream broke off",
        4,
    )
    assert (position(engine, "a"), position(engine, "b") is not None) == (None, True)
    upstream.meanwhile, upstream.asked = lambda number: None, []
    assert engine.run(lambda: upstream).result == "Succeeded"
    assert [(part.partition, part.since, part.resume) for part in upstream.asked] == [("a", "7", None), ("b", None, "4")]


def test_partitions_side_by_side_commit_their_batches(place: Place) -> None:
    values = [str(number) for number in range(6)]
    engine = batched(place, partitions={"values": values, "parallelism": 3})
    outcome = engine.run(lambda: Paged(rows(40)))
    assert (outcome.result, outcome.counts.read, outcome.counts.inserted, len(ids(engine))) == ("Succeeded", 240, 40, 40)


def test_records_that_are_left_out_count_for_batches(place: Place) -> None:
    engine, upstream = batched(place, filter="amount > `6`"), Paged(rows(9))
    upstream.meanwhile = breaks_at(4)
    outcome = engine.run(upstream)
    assert (outcome.counts.skipped, outcome.counts.inserted, resume(engine)) == (4, 0, "4")
    place.sql("INSERT INTO t (id, note) VALUES (100, 'typed in')")
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream)
    assert (upstream.asked[-1].resume, outcome.counts.skipped, outcome.counts.inserted) == ("4", 2, 3)


# Quarantine


def test_quarantine_is_right_over_an_interruption(place: Place) -> None:
    """What the earlier part set aside stays, though the run that reads the rest does not see it; what the source has mended goes."""
    engine, upstream = batched(place), Paged(rows(9))
    for number in (0, 5, 8):
        upstream.records[number]["amount"] = "lots"
    engine.run(upstream)
    assert engine.quarantined() == 3
    upstream.records[8]["amount"] = upstream.records[1]["amount"] = 5
    upstream.records[1]["amount"] = "many"
    upstream.meanwhile = breaks_at(4)
    outcome = engine.run(upstream, full=True)
    assert (outcome.counts.quarantined, outcome.quarantined_total, engine.quarantined()) == (2, 4, 4)
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream)
    assert (outcome.full, outcome.counts.quarantined, outcome.quarantined_total, engine.quarantined()) == (True, 1, 3, 3)


# Rows of one key


@pytest.mark.parametrize("transaction", ["Run", "Batch"])
def test_the_newest_of_a_key_wins_across_the_batches_of_a_first_load(place: Place, transaction: str) -> None:
    """The source sends the newest first."""
    safety = {"transaction": transaction} if transaction == "Run" else {}
    engine = batched(place)
    engine.spec["safety"] = safety or engine.spec["safety"]
    old = [{"id": one["id"], "name": "old", "amount": 0, "changed": one["changed"] - 5} for one in rows(9)]
    upstream = Paged([*rows(9, name="new"), *old])
    assert engine.run(upstream).result == "Succeeded"
    assert {row["name"] for row in engine.rows().values()} == {"new"}


def test_the_newest_wins_in_a_first_load_that_was_interrupted(place: Place) -> None:
    engine, upstream = batched(place), Paged([*rows(4, name="new"), *[{**one, "changed": 0} for one in rows(4, name="old")]])
    upstream.meanwhile = breaks_at(3)
    assert engine.run(upstream).counts.inserted == 4
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).counts.unchanged == 4
    assert {row["name"] for row in engine.rows().values()} == {"new"}


def test_in_a_table_that_has_rows_the_order_of_reading_counts_across_batches(place: Place) -> None:
    """Whether a row was read before in the same read, or stood there with a cursor that went astray, is not known."""
    engine, upstream = batched(place), Paged([{**one, "changed": 100} for one in rows(6)])
    engine.run(upstream)
    upstream.records = [*rows(6, name="new"), *[{**one, "changed": 0} for one in rows(6, name="old")]]
    assert engine.run(upstream, full=True).counts.updated == 12
    assert {row["name"] for row in engine.rows().values()} == {"old"}


@pytest.mark.parametrize("breaks", [None, 3, 4])
def test_rows_are_merged_batch_by_batch(place: Place, breaks: int | None) -> None:
    """What people changed stays, what the source changed comes, whichever batch it is in."""
    engine, upstream = batched(place, write={"onExisting": "Merge"}, safety={"undo": {"keep": "1d"}}), Paged(rows(8))
    engine.run(upstream)
    place.sql("UPDATE t SET name = 'mine' WHERE id IN (2, 7)")
    upstream.records = [{**one, "amount": 50, "changed": one["id"] + 10} for one in rows(8)]
    upstream.meanwhile = breaks_at(breaks) if breaks else lambda number: None
    assert engine.run(upstream).result == ("Failed" if breaks else "Succeeded")
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).result == "Succeeded"
    found = engine.rows()
    assert {key: row["name"] for key, row in found.items()} == {key: "mine" if key in (2, 7) else "a" for key in range(1, 9)}
    assert {row["amount"] for row in found.values()} == {50}


# Undo, backup


def test_every_batch_of_a_run_is_undone(place: Place) -> None:
    engine, upstream = batched(place, safety={"undo": {"keep": "14d"}}), Paged(rows(7))
    engine.run(upstream)
    before = engine.rows()
    upstream.records = rows(11, name="b")
    run = engine.run(upstream, full=True)
    assert (run.counts.updated, run.counts.inserted) == (7, 4)
    outcome, done = undoing.undo(engine.plan(), run.run, Stop())
    assert (outcome.result, done and (done.restored, done.removed, done.left)) == ("Succeeded", (7, 4, 0))
    assert (engine.rows(), cursor(engine)) == (before, "11")


def test_a_run_that_ended_early_is_undone_and_its_place_forgotten(place: Place) -> None:
    engine, upstream = batched(place, safety={"undo": {"keep": "14d"}}), Paged(rows(9))
    upstream.meanwhile = breaks_at(5)
    run = engine.run(upstream)
    assert position(engine) is not None
    outcome, done = undoing.undo(engine.plan(), run.run, Stop(), rewind=True)
    assert (outcome.result, done and done.removed, ids(engine), position(engine)) == ("Succeeded", 8, [], None)
    upstream.meanwhile = lambda number: None
    assert engine.run(upstream).counts.inserted == 9


def test_a_rewound_read_that_went_on_is_read_as_a_whole_again(place: Place) -> None:
    engine, upstream = batched(place, safety={"undo": {"keep": "14d"}}), Paged(rows(5))
    engine.run(upstream)
    upstream.records = rows(12)
    upstream.meanwhile = breaks_at(4)
    engine.run(upstream)
    outcome, done = undoing.undo(engine.plan(), history(engine)[0].run, Stop(), rewind=True)
    assert (outcome.result, done and done.removed, cursor(engine), position(engine)) == ("Succeeded", 3, "5", None)
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream)
    assert (outcome.counts.read, outcome.counts.inserted, ids(engine)) == (8, 7, list(range(1, 13)))


def test_one_backup_is_made_of_a_run_before_its_first_batch(place: Place) -> None:
    engine, upstream = batched(place, safety={"backup": {"mode": "Table", "keep": 3}}), Paged(rows(9))
    engine.run(upstream)
    upstream.records = rows(9, name="b")
    engine.run(upstream, full=True)
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 9
    backups.restore(engine.plan(), kept.id, Stop())
    assert {row["name"] for row in engine.rows().values()} == {"a"}


def test_a_run_that_is_taken_over_has_what_it_committed_in_the_history(place: Place) -> None:
    engine = batched(place)
    upstream = Paged(rows(9))
    upstream.meanwhile = breaks_at(4)
    plan = engine.plan()
    engine.execute(plan, upstream)
    place.sql(f"UPDATE syncsource_runs SET result = 'Running', inserted = 0 WHERE run = '{plan.run}'")  # as its process left it
    upstream.meanwhile = lambda number: None
    engine.run(upstream)
    run = next(one for one in history(engine) if one.run == plan.run)
    assert (run.result, run.inserted, "what it had committed stays" in run.message) == ("Interrupted", 4, True)


def test_progress_is_told_while_batches_are_written(place: Place) -> None:
    engine = batched(place)
    engine.run(Paged(rows(9)))
    assert isinstance(history(engine)[0].started_at, datetime)
    assert engine.progress[-1].read == 9
