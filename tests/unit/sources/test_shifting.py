"""traps: offset paging while rows are inserted; unstable order. What is noticed is read again once, then the run fails and is retried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.upstream import Asked, Reply

TOTAL = {"stop": {"totalRecords": {"path": "total"}}}


class Table:
    """Rows by offset or page, two at once; ``edits`` happen before the answers of these numbers."""

    def __init__(self, edits: dict[int, Callable[[list[int]], Any]], *, told: bool = True) -> None:
        self.rows, self.edits, self.told, self.answers = list(range(10, 80, 10)), edits, told, 0

    def __call__(self, asked: Asked) -> Reply:
        self.answers += 1
        self.edits.get(self.answers, lambda rows: None)(self.rows)
        start, size = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 2))
        start = (int(asked.query["page"]) - 1) * size if "page" in asked.query else start
        return Reply({"data": self.rows[start : start + size], **({"total": len(self.rows)} if self.told else {})})


def offset(**more: Any) -> Any:
    return {"offset": {"limit": 2, **more}}


@pytest.mark.parametrize("kind", [offset(), {"page": {}}], ids=["offset", "page"])
def test_a_row_taken_away_is_noticed_and_all_is_read_again(serve: Any, read: Any, kind: Any) -> None:
    table = Table({3: lambda rows: rows.remove(10)})
    found = read(serve(table).url, records="data", pagination={**kind, **TOTAL})
    assert set(table.rows) <= set(found)
    assert found[-6:] == table.rows


def test_rows_that_go_on_moving_fail_the_run_which_is_retried(serve: Any, failure: Any) -> None:
    table = Table({3: lambda rows: rows.remove(10), 6: lambda rows: rows.remove(20)})
    error, _ = failure(serve(table).url, records="data", pagination={**offset(), **TOTAL})
    assert (type(error).__name__, error.reason) == ("RetryableError", "RowsMoved")
    assert error.message == (
        "spec.source.http.pagination: with page 3 the total fell from 6 to 5 records, as had happened before in this run: rows are taken away "
        "while they are read, so that others may be missed; let the upstream sort by the id, or use keyset or cursor"
    )


def test_pages_that_end_before_the_total_are_noticed(serve: Any, failure: Any) -> None:
    upstream = serve(lambda asked: Reply({"data": [1, 2] if asked.query["offset"] == "0" else [], "total": 3}))
    error, _ = failure(upstream.url, records="data", pagination={**offset(), **TOTAL})
    assert (error.reason, len(upstream.asked)) == ("RowsMoved", 4)
    assert "the pages ended after 2 of 3 records" in error.message


def test_rows_that_come_meanwhile_only_repeat_others(serve: Any, read: Any) -> None:
    table = Table({3: lambda rows: rows.insert(0, 5)})
    found = read(serve(table).url, records="data", pagination={**offset(), **TOTAL})
    assert table.answers == 4
    assert set(table.rows) - set(found) == {5}


def moved(rows: list[int]) -> None:
    """An edited row goes to the end, as where rows are sorted by their last change. The total does not tell."""
    rows.append(rows.pop(0))


def test_an_overlap_notices_what_totals_don_t(serve: Any, read: Any) -> None:
    table = Table({3: moved}, told=False)
    found = read(serve(table).url, records="data", pagination=offset(overlap=1))
    assert set(found) == set(table.rows)
    assert found[-7:] == table.rows


def test_an_overlap_costs_a_record_a_page_and_no_record_twice(serve: Any, read: Any) -> None:
    upstream = serve(Table({}, told=False))
    assert read(upstream.url, records="data", pagination=offset(overlap=1)) == list(range(10, 80, 10))
    assert [asked.query["offset"] for asked in upstream.asked] == ["0", "1", "2", "3", "4", "5", "6"]


def test_an_overlap_that_is_never_met(serve: Any, failure: Any) -> None:
    table = Table(dict.fromkeys(range(1, 99), moved), told=False)
    error, _ = failure(serve(table).url, records="data", pagination=offset(overlap=1))
    assert error.reason == "RowsMoved"
    assert "a page does not begin with the record that the one before it ended with" in error.message


def test_an_empty_table_with_an_overlap(serve: Any, read: Any) -> None:
    table = Table({1: lambda rows: rows.clear()})
    assert read(serve(table).url, records="data", pagination=offset(overlap=1)) == []
