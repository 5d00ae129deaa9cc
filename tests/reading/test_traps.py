"""What users of other engines lost rows or days to while reading; docs/traps.md tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reading.stage import Play, Theatre, record
from tests.upstream import KINDS, Kind, Reply

SOME = [kind for kind in KINDS if kind.name in ("page-announced", "offset", "cursor", "link", "keyset")]
CURSOR = next(kind for kind in KINDS if kind.name == "cursor")


def _since(play: Play) -> str | None:
    """What the last run asked for."""
    return play.collection.asked[-1].query.get("since")


def _done(play: Play, **options: Any) -> Any:
    outcome = play.run(**options)
    assert outcome.result == "Succeeded", outcome.message
    return outcome.counts


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_a_late_row_with_a_cursor_equal_to_the_last_one(kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    play.collection.records = [record(2, 2), record(3, 3), record(9, 3)]
    counts = _done(play)
    assert (counts.read, counts.inserted) == (2, 1)
    assert (9, "n9", "9.50", "2024-03-01T00:00:03Z") in play.table.rows()


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_more_ties_than_a_page_holds(kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    play.collection.records = [record(number, 3) for number in range(1, 10)]
    _done(play)
    assert play.table.rows() == play.wanted()
    play.collection.records.append(record(10, 3))
    assert _done(play).inserted == 1
    assert play.table.rows() == play.wanted()


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_the_cursor_is_not_moved_before_the_window_was_complete(kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    before = play.table.state()
    play.collection.spoil = lambda number, honest, asked: honest if number < 4 else Reply(b"", 500)
    assert play.run().result == "Failed"
    assert play.table.state() == before
    assert len(play.collection.asked) == 4


def test_a_cursor_later_than_the_run_s_start(stage: Theatre) -> None:
    """By the upstream's clock, which the Date header tells: what changed while it was read is read again."""
    play = stage.play(CURSOR, [record(1, 1), record(2, 30)])
    dated = {"Date": "Fri, 01 Mar 2024 00:00:10 GMT"}
    play.collection.spoil = lambda number, honest, asked: Reply(honest.content, headers={**honest.headers, **dated})
    _done(play)
    assert play.table.cursor() == "2024-03-01T00:00:10Z"
    play.collection.records.append(record(3, 20))
    _done(play)
    assert play.table.rows() == play.wanted()


@pytest.mark.parametrize(
    "text", ["2024-03-01T00:00:00.123456789Z", "2024-03-01 07:00:00+07:00", "2024-03-01T00:00:00", "9007199254740993", "v1.10"]
)
def test_no_precision_or_zone_is_lost_in_the_cursor(text: str, stage: Theatre) -> None:
    play = stage.play(CURSOR, [record(1, 0, changed=text)])
    _done(play)
    _done(play)
    assert (play.table.cursor(), _since(play)) == (text, text)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), ("", ""), (False, "false")])
def test_0_and_empty_and_false_as_cursors(value: Any, text: str, stage: Theatre) -> None:
    play = stage.play(CURSOR, fields=[{"name": "id", "type": "integer"}])
    play.collection.spoil = lambda number, honest, asked: Reply({"data": [{"id": 1, "changed": value}], "next": None})
    _done(play)
    _done(play)
    assert (play.table.cursor(), _since(play)) == (text, text)


def test_the_cursor_is_not_taken_from_the_destination_s_max(stage: Theatre) -> None:
    play = stage.begun(CURSOR)
    play.table.sql("UPDATE t SET changed = '2099-01-01T00:00:00Z'")
    _done(play)
    assert _since(play) == "2024-03-01T00:00:03Z"


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_the_same_key_twice_in_one_batch(kind: Kind, stage: Theatre) -> None:
    """On one page and on two: the newest wins, and each is counted."""
    play = stage.begun(kind)
    play.collection.records = [record(1, 4), record(1, 6, name="newest"), record(1, 5), record(2, 7), record(2, 8)]
    counts = _done(play)
    assert (counts.read, counts.updated) == (5, 2)
    assert [row[:2] for row in play.table.rows()] == [(1, "newest"), (2, "n2"), (3, "n3")]


def test_null_in_a_key(stage: Theatre) -> None:
    play = stage.begun(CURSOR)
    play.collection.spoil = lambda number, honest, asked: Reply({"data": [record(7, 4), {**record(8, 4), "id": None}], "next": None})
    for _ in range(2):
        assert _done(play).quarantined == 1
        assert play.table.quarantined() == [("MissingKey", "id")]
        assert len(play.table.rows()) == 4


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_a_failed_full_refresh_does_not_empty_a_table(kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    before = play.table.state()
    play.collection.spoil = lambda number, honest, asked: honest if number == 1 else Reply(b"", 503)
    assert play.run(full=True).result == "Failed"
    assert play.table.state() == before


def test_a_retyped_field_at_the_source(stage: Theatre) -> None:
    """The record goes to quarantine with the reason, and the others are written."""
    play = stage.begun(CURSOR)
    play.collection.records = [record(4, 4, amount={"value": "4.50", "currency": "IDR"}), record(5, 4)]
    assert _done(play).inserted == 1
    assert play.table.quarantined() == [("InvalidValue", "amount")]


def test_big_integers_and_decimals_do_not_go_through_floats(stage: Theatre) -> None:
    play = stage.begun(CURSOR)
    page = b'{"data": [{"id": 9007199254740993, "amount": 1234567890123456.78, "name": 12345678901234567890.10, "changed": "2024-03-01T00:00:04Z"}]}'
    play.collection.spoil = lambda number, honest, asked: Reply(page)
    _done(play)
    assert play.table.rows()[-1][:3] == (9007199254740993, "12345678901234567890.10", "1234567890123456.78")
