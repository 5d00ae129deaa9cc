"""A read that is committed batch by batch, and ends early: what is told of it is what was committed, and the rest is read by the next."""

from __future__ import annotations

from datetime import datetime

from syncsource import ledger
from syncsource.engine.executing import settle
from syncsource.engine.plan import Next
from syncsource.engine.stopping import Stop
from tests.database.batches.paged import NOW, Paged, batched, breaks_at, cursor, history, ids, position, resume, rows
from tests.database.conftest import Place


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


def test_records_that_are_left_out_count_for_batches(place: Place) -> None:
    engine, upstream = batched(place, filter="amount > `6`"), Paged(rows(9))
    upstream.meanwhile = breaks_at(4)
    outcome = engine.run(upstream)
    assert (outcome.counts.skipped, outcome.counts.inserted, resume(engine)) == (4, 0, "4")
    place.sql("INSERT INTO t (id, note) VALUES (100, 'typed in')")
    upstream.meanwhile = lambda number: None
    outcome = engine.run(upstream)
    assert (upstream.asked[-1].resume, outcome.counts.skipped, outcome.counts.inserted) == ("4", 2, 3)


def test_progress_is_told_while_batches_are_written(place: Place) -> None:
    engine = batched(place)
    engine.run(Paged(rows(9)))
    assert isinstance(history(engine)[0].started_at, datetime)
    assert engine.progress[-1].read == 9


# Partitions


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
