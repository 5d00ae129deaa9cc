"""What ends a read, where parameters of paging go, and what all kinds of pagination have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.upstream import Asked, Reply, in_turn

ROWS = [{"id": number} for number in range(1, 8)]
SIZED = {"page": {"sizeParam": "n", "size": 3}}


def numbered(tell: Callable[[int, int], Any] = lambda page, pages: {}, headers: Callable[[int, int], Any] = lambda page, pages: {}) -> Any:
    """Pages of 3 rows as ``data``, with what ``tell`` and ``headers`` say of the page's number and the number of pages."""

    def script(asked: Asked) -> Reply:
        page = int(asked.query["page"])
        return Reply({"data": ROWS[(page - 1) * 3 : page * 3], **tell(page, 3)}, headers=headers(page, 3))

    return script


@pytest.mark.parametrize(
    ("stop", "script"),
    [
        ({"totalPages": {"path": "meta.pages"}}, numbered(lambda page, pages: {"meta": {"pages": pages}})),
        ({"totalPages": {"path": "meta.pages"}}, numbered(lambda page, pages: {"meta": {"pages": str(pages)}})),
        ({"totalPages": {"header": "X-Pages"}}, numbered(headers=lambda page, pages: {"x-pages": str(pages)})),
        ({"totalRecords": {"path": "total"}}, numbered(lambda page, pages: {"total": 7})),
        ({"totalRecords": {"header": "X-Total-Count"}}, numbered(headers=lambda page, pages: {"X-Total-Count": "7"})),
        ({"more": {"path": "has_more"}}, numbered(lambda page, pages: {"has_more": page < pages})),
        ({"more": {"path": "page < pages"}}, numbered(lambda page, pages: {"page": page, "pages": pages})),
        ({"more": {"header": "X-More"}}, numbered(headers=lambda page, pages: {"X-More": "no"} if page == pages else {"X-More": "yes"})),
        ({"last": {"path": "last"}}, numbered(lambda page, pages: {"last": page == pages})),
        ({"last": {"header": "X-Last"}}, numbered(headers=lambda page, pages: {"X-Last": "true"} if page == pages else {})),
        ({"shortPage": True}, numbered()),
        ({"afterPages": 3}, numbered()),
        ({"shortPage": True, "more": {"path": "more"}}, numbered(lambda page, pages: {"more": True})),
    ],
)
def test_stop_rules(serve: Any, read: Any, stop: Any, script: Any) -> None:
    upstream = serve(script)
    assert read(upstream.url, records="data", pagination={**SIZED, "stop": stop}) == ROWS
    assert len(upstream.asked) == 3


def test_after_pages_takes_what_came_for_everything(serve: Any, read: Any) -> None:
    upstream = serve(numbered(lambda page, pages: {"total": 7}))
    stop = {"afterPages": 2, "totalRecords": {"path": "total"}}
    assert read(upstream.url, records="data", pagination={**SIZED, "stop": stop}) == ROWS[:6]


@pytest.mark.parametrize("total", [None, -1, True, "x", [], {}, 1.5, 10**30, 0])
def test_a_total_in_the_body_that_makes_no_sense_is_none(serve: Any, read: Any, total: Any) -> None:
    upstream = serve(numbered(lambda page, pages: {"total": total}))
    assert read(upstream.url, records="data", pagination={**SIZED, "stop": {"totalRecords": {"path": "total"}}}) == ROWS
    assert len(upstream.asked) == 4


@pytest.mark.parametrize("kind", ["cursor", "nextURL", "link"])
def test_an_empty_page_ends_tokens_where_the_spec_says_so(serve: Any, read: Any, kind: str) -> None:
    def script(asked: Asked) -> Reply:
        number = len(upstream.asked)
        rows = ROWS[:1] if number < 3 else []
        return Reply({"data": rows, "next": f"/{number}"}, headers={"Link": f"</{number}>; rel=next"})

    upstream = serve(script)
    assert len(read(upstream.url, records="data", pagination={kind: {}, "stop": {"emptyPage": True}})) == 2
    assert len(upstream.asked) == 3


def test_more_without_a_way_on_is_an_error(failing: Any) -> None:
    reply = Reply({"data": [1], "has_more": True})
    stop = {"more": {"path": "has_more"}}
    assert failing(in_turn(reply), records="data", pagination={"cursor": {}, "stop": stop}) == (
        "SchemaMismatch",
        "PaginationUnreadable",
        "spec.source.http.pagination: page 1 (GET URL/x) says that another page follows, but names no token of it",
    )


def test_endless_pages_are_stopped(serve: Any, failure: Any) -> None:
    upstream = serve(lambda asked: Reply([{"id": asked.query["page"]}]))
    error, pages = failure(upstream.url, pagination={"page": {}, "maxPages": 4})
    assert (error.reason, len(pages), len(upstream.asked)) == ("TooManyPages", 4, 4)
    assert error.message == (
        "spec.source.http.pagination: there are more than 4 pages; are they endless? If not, raise maxPages or ask for larger pages"
    )


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_an_upstream_that_ignores_paging_but_tells_the_time(failing: Any, kind: str) -> None:
    count = iter(range(99))
    kind_, reason, message = failing(lambda _: Reply({"data": ROWS, "at": next(count)}), records="data", pagination={kind: {}})
    assert (kind_, reason) == ("PermanentError", "PaginationStuck")
    assert "has the same records as page 1" in message


def test_parameters_in_headers(serve: Any, read: Any) -> None:
    pages = {None: Reply([1], headers={"X-Next": "b"}), "b": Reply([2], headers={"X-Next": ""})}
    upstream = serve(lambda asked: pages[asked.headers.get("x-cursor")])
    assert read(upstream.url, pagination={"cursor": {"param": "X-Cursor", "sendIn": "Header", "header": "x-next"}}) == [1, 2]


def test_parameters_in_a_json_body_keep_their_kind(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply(ROWS[:1] if json.loads(asked.body)["page"]["number"] == 1 else []))
    paging = {"param": "page.number", "sizeParam": "page.size", "size": 50, "sendIn": "Body"}
    request = {"method": "POST", "body": {"page": {"sort": "id"}, "x": 1}}
    assert read(upstream.url, request=request, pagination={"page": paging}) == ROWS[:1]
    assert [json.loads(asked.body) for asked in upstream.asked] == [
        {"page": {"sort": "id", "number": number, "size": 50}, "x": 1} for number in (1, 2)
    ]


def test_tokens_in_a_json_body_keep_their_digits(serve: Any, read: Any) -> None:
    bodies = [b'{"r":[1],"n":1.10}', b'{"r":[2],"n":123456789012345678901}', b'{"r":[3],"n":"x"}', b'{"r":[4]}']
    upstream = serve(in_turn(*map(Reply, bodies)))
    request = {"method": "POST"}
    assert read(upstream.url, request=request, records="r", pagination={"cursor": {"path": "n", "sendIn": "Body"}}) == [1, 2, 3, 4]
    assert [asked.body for asked in upstream.asked] == [b"{}", b'{"cursor":1.10}', b'{"cursor":123456789012345678901}', b'{"cursor":"x"}']


def test_parameters_in_a_form(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply(ROWS[:1] if b"offset=0" in asked.body else []))
    request = {"method": "POST", "form": {"kind": "a b"}}
    assert read(upstream.url, request=request, pagination={"offset": {"sendIn": "Body"}}) == ROWS[:1]
    assert [dict(parse_qsl(asked.body.decode())) for asked in upstream.asked] == [
        {"kind": "a b", "offset": offset, "limit": "100"} for offset in "01"
    ]


@pytest.mark.parametrize(
    ("pagination", "targets"),
    [
        ({"page": {"omitFirst": True, "start": 0}}, ["/", "/?page=1"]),
        ({"offset": {"omitFirst": True}}, ["/?limit=100", "/?offset=7&limit=100"]),
        ({"offset": {"start": 1}}, ["/?offset=1&limit=100", "/?offset=8&limit=100"]),
        ({"cursor": {"first": "*", "sizeParam": "rows", "size": 9}}, ["/?cursor=*&rows=9"]),
    ],
)
def test_the_first_page(serve: Any, read: Any, pagination: Any, targets: list[str]) -> None:
    upstream = serve(in_turn(Reply({"data": ROWS}), Reply({"data": []})))
    assert read(upstream.url, records="data", pagination=pagination) == ROWS
    assert upstream.targets == targets


def test_a_link_of_another_relation(serve: Any, read: Any) -> None:
    link = {"Link": "</b>; rel=next, </c>; rel=Older"}
    upstream = serve(lambda asked: Reply([asked.path], headers=link if asked.path == "/" else {}))
    assert read(upstream.url, pagination={"link": {"rel": "older"}}) == ["/", "/c"]


def test_next_url_in_a_header(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply([asked.target], headers={"X-Next": "/b?page=2"} if asked.path == "/" else {}))
    assert read(upstream.url, pagination={"nextURL": {"header": "X-Next"}}) == ["/", "/b?page=2"]
