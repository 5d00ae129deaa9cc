"""Keyset paging: the last record's values lead on; ties."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.upstream import Asked, Reply, Script, in_turn

CURSOR = {"path": "at", "param": "since"}
KEY = {"path": "id", "param": "after"}


def rows(*cursors: int) -> list[dict[str, int]]:
    return [{"id": number, "at": cursor} for number, cursor in enumerate(cursors, 1)]


def from_on(table: list[dict[str, int]], cap: int) -> Script:
    """Records at or after ``since``, ``skip`` of them left out."""

    def script(asked: Asked) -> Reply:
        since, skip = int(asked.query.get("since", 0)), int(asked.query.get("skip", 0))
        return Reply([row for row in table if row["at"] >= since][skip:][:cap])

    return script


def after(table: list[dict[str, int]], cap: int) -> Script:
    """Records after the pair (since, after)."""

    def script(asked: Asked) -> Reply:
        place = int(asked.query.get("since", 0)), int(asked.query.get("after", 0))
        return Reply([row for row in table if (row["at"], row["id"]) > place][:cap])

    return script


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 100])
def test_cursor_and_id_lead_through_any_ties(serve: Any, read: Any, cap: int) -> None:
    """traps: more ties than a page holds."""
    table = rows(1, 1, 1, 1, 2, 2, 3)
    assert read(serve(after(table, cap)).url, pagination={"keyset": {"fields": [CURSOR, KEY]}}) == table


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 100])
def test_an_offset_pages_inside_the_tie(serve: Any, read: Any, cap: int) -> None:
    """traps: more ties than a page holds: page inside the tie."""
    table = rows(1, 1, 1, 1, 2, 2, 3)
    assert read(serve(from_on(table, cap)).url, pagination={"keyset": {"fields": [CURSOR], "offsetParam": "skip"}}) == table


@pytest.mark.parametrize("cap", [3, 4])
def test_ties_that_fit_into_a_page_come_again_and_end_the_read(serve: Any, read: Any, cap: int) -> None:
    table = rows(1, 2, 2, 3, 3, 4, 4)
    found = read(serve(from_on(table, cap)).url, pagination={"keyset": {"fields": [CURSOR], "size": cap}})
    assert {row["id"] for row in found} == set(range(1, 8))


@pytest.mark.parametrize("table", [rows(7), rows(7, 7)], ids=["one", "two"])
def test_an_increment_of_nothing_but_the_last_ties_ends(serve: Any, read: Any, table: Any) -> None:
    upstream = serve(from_on(table, 100))
    pagination = {"keyset": {"fields": [CURSOR], "size": 100}}
    assert read(upstream.url, since="7", incremental={"cursor": "at", "param": "since"}, pagination=pagination) == table
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("size", [3, 100])
def test_more_ties_than_a_page_holds_are_an_error_and_no_loop(serve: Any, failure: Any, size: int) -> None:
    """traps: more ties than a page holds: a page that does not advance is an error, not a loop."""
    table = rows(1, 2, 3, 4, 4, 4, 4, 5)
    error, _ = failure(serve(from_on(table, 3)).url, pagination={"keyset": {"fields": [CURSOR], "size": size}})
    assert error.reason == "PaginationStuck"
    assert "does not advance: more records have 4 than a page holds; add the id to keyset.fields, or set offsetParam" in error.message


def test_values_in_templates(serve: Any, read: Any) -> None:
    table = rows(1, 1, 2)

    def script(asked: Asked) -> Reply:
        at, number = json.loads(asked.body).get("search_after", [0, 0])
        return Reply([row for row in table if (row["at"], row["id"]) > (at, number)][:2])

    upstream = serve(script)
    body = {"sort": ["at", "id"], "search_after": ["{{ last.at | integer }}", "{{ last.id | integer }}"]}
    keyset = {"fields": [{"path": "at"}, {"path": "id"}]}
    assert read(upstream.url, request={"method": "POST", "body": body}, pagination={"keyset": keyset}) == table
    assert [json.loads(asked.body).get("search_after") for asked in upstream.asked] == [None, [1, 2], [2, 3]]


def test_short_pages_end_it_where_the_spec_says_so(serve: Any, read: Any) -> None:
    upstream = serve(after(rows(1, 2, 3), 2))
    keyset = {"fields": [CURSOR, KEY], "sizeParam": "limit", "size": 2}
    assert read(upstream.url, pagination={"keyset": keyset, "stop": {"shortPage": True}}) == rows(1, 2, 3)
    assert upstream.targets == ["/?limit=2", "/?since=2&after=2&limit=2"]


@pytest.mark.parametrize(("value", "kind"), [(None, "nothing"), (True, "true"), ([], "a list")])
def test_a_last_record_without_the_value(failing: Any, value: Any, kind: str) -> None:
    assert failing(in_turn(Reply([{"id": 1, "at": value}])), pagination={"keyset": {"fields": [CURSOR, KEY]}}) == (
        "SchemaMismatch",
        "PaginationUnreadable",
        f"spec.source.http.pagination.keyset: the last record of page 1 (GET URL/x) holds {kind} at 'at', not a text or a number",
    )


def test_zero_and_texts_are_values(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply([{"at": 0, "id": ""}]), Reply([])))
    assert len(read(upstream.url, pagination={"keyset": {"fields": [CURSOR, KEY]}})) == 1
    assert upstream.asked[1].query == {"since": "0", "after": ""}


@pytest.mark.parametrize(("ends", "reason"), [('{"id":%d,"at":1,"at":2}', "DuplicateKeys"), ('{"id":%d,"name":"\\ud800"}', "TornText")])
def test_a_last_record_that_is_broken_does_not_keep_the_next_page_away(serve: Any, read: Any, ends: str, reason: str) -> None:
    """Nor does it end the read where nothing follows it."""
    table = ['{"id":1}', ends % 2, '{"id":3}', ends % 4]

    def script(asked: Asked) -> Reply:
        return Reply(f"[{','.join(table[int(asked.query.get('after', 0)) :][:2])}]".encode())

    found = read(serve(script).url, pagination={"keyset": {"fields": [KEY], "size": 2}})
    assert [record["id"] if isinstance(record, dict) else record.reason for record in found] == [1, reason, 3, reason]


def test_a_last_line_that_is_no_record_does_not_keep_the_next_page_away(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply(b'{"id":1}\n{"id":2,,}\n'), Reply(b'{"id":3}\n'), Reply(b"")))
    found = read(upstream.url, format="NDJSON", pagination={"keyset": {"fields": [KEY], "size": 2}})
    assert [record["id"] if isinstance(record, dict) else record.reason for record in found] == [1, "NotJSON", 3]
    assert upstream.asked[1].query == {"after": "1"}
