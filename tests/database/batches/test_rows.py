"""What batches leave, whether they were interrupted or not: rows, quarantine, what undoes them."""

from __future__ import annotations

import pytest

from syncsource.engine import backups, undoing
from syncsource.engine.stopping import Stop
from tests.database.batches.paged import Paged, batched, breaks_at, cursor, history, ids, position, rows
from tests.database.conftest import Place


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
