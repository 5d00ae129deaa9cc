"""Upstreams that are no liars and yet lead astray: rows that move while they are read, empty pages, pages without end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.reading.stage import BEFORE, SINCE, Play, Theatre, record
from tests.upstream import KINDS, Asked, Collection, Kind, Reply
from tests.upstream.faults import body
from tests.upstream.kinds import Cut

SOME = [kind for kind in KINDS if kind.name in ("page", "offset-counted", "page-in-body", "next-url", "cursor-in-header", "keyset")]
BY_NAME = {kind.name: kind for kind in KINDS}
OVERLAPPING = replace(BY_NAME["offset"], name="offset-overlapping", pagination={"offset": {"overlap": 1}})
MOVED = 2
"""The page after which rows move."""


@pytest.mark.parametrize("kind", SOME, ids=str)
def test_pages_without_end(kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    before = play.table.state()
    numbers = count(100)

    def endless(number: int, honest: Reply, asked: Asked) -> Reply:
        return kind.answer(asked, Cut([record(next(numbers), 9)], 0, True, 10**6, 1))

    play.collection.spoil = endless
    outcome = play.run(pagination={**kind.pagination, "maxPages": 12})
    assert (outcome.result, outcome.reason, outcome.next.value) == ("Failed", "TooManyPages", "Schedule")
    assert "more than 12 pages" in outcome.message
    assert "maxPages" in outcome.message
    assert (len(play.collection.asked), play.table.state()) == (12, before)
    play.collection.spoil = None
    assert play.run().result == "Succeeded"
    assert play.table.rows() == play.wanted()


@pytest.mark.parametrize("name", ["page-announced", "page-more", "cursor", "cursor-in-header", "link", "next-url"])
def test_an_empty_page_in_the_middle_is_not_the_last(name: str, stage: Theatre) -> None:
    play = stage.begun(BY_NAME[name])
    play.collection.spoil = lambda number, honest, asked: _emptied(honest) if number == 2 else honest
    assert play.run().result == "Succeeded"
    play.collection.records = [one for one in [*BEFORE[1:], *SINCE] if one not in (SINCE[2], SINCE[0])]
    assert play.table.rows() == sorted([*play.wanted(), *play.table.compared(BEFORE[:1])])


def _emptied(honest: Reply) -> Reply:
    return replace(honest, body={**honest.body, "data": []} if isinstance(honest.body, dict) else [])


@pytest.mark.parametrize("kind", [BY_NAME["offset-counted"], BY_NAME["page-announced"]], ids=str)
def test_offset_paging_while_rows_are_taken_away(kind: Kind, stage: Theatre) -> None:
    """Those that follow move to pages that were read; the total falls, and everything is read again."""
    _moves(stage.begun(kind), lambda collection: collection.records.remove(SINCE[1]), {SINCE[1]["id"]})


def test_offset_paging_while_rows_are_inserted_or_changed(stage: Theatre) -> None:
    """One of the first page goes to the end, and another takes its place: pages that overlap show it, and everything is read again."""

    def edit(collection: Collection) -> None:
        at = collection.records.index(SINCE[1])
        collection.records[at] = {**SINCE[1], "name": "moved", "changed": "2024-03-01T00:00:09Z"}

    _moves(stage.begun(OVERLAPPING), edit, set())


def _moves(play: Play, move: Callable[[Collection], Any], gone: set[int]) -> None:
    """Something moves once, in mid-read."""
    moves = [move]

    def moving(number: int, honest: Reply, asked: Asked) -> Reply:
        if number == MOVED and moves:
            sent = Reply(body(honest), headers=honest.headers)
            moves.pop()(play.collection)
            return sent
        return honest

    play.collection.spoil = moving
    outcome = play.run()
    assert outcome.result == "Succeeded", outcome.message
    assert not moves
    there = [row for row in play.table.rows() if row[0] not in gone]
    assert there == sorted({row[0]: row for row in [*play.table.compared(BEFORE[:1]), *play.wanted()]}.values())
