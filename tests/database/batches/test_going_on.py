"""Where a read that ended early goes on, and when it begins anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncsource.errors import PermanentError
from tests.database.batches.paged import NOW, Paged, batched, breaks_at, cursor, history, ids, position, rows
from tests.database.conftest import Place
from tests.database.engine import Engine


def at(hours: float) -> str:
    """So long after now."""
    return (NOW + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


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


# Anew


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
