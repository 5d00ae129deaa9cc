"""Every kind of pagination, and pages that go in circles."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.sources import Page, Slice
from tests.upstream import Asked, Reply, in_turn, serving

ROWS = [{"id": number} for number in range(1, 8)]


def numbered(cap: int, *, totals: bool, start: int = 1, header: str = "X-WP-TotalPages") -> Any:
    """Pages of at most ``cap`` rows, whatever size is asked for."""

    def script(asked: Asked) -> Reply:
        page = int(asked.query["page"]) - start
        size = min(cap, int(asked.query.get("per_page", cap)))
        pages = -(-len(ROWS) // size)
        return Reply(ROWS[page * size : (page + 1) * size], headers={header: str(pages)} if totals else {})

    return script


def by_offset(cap: int) -> Any:
    def script(asked: Asked) -> Reply:
        offset, limit = int(asked.query["offset"]), min(cap, int(asked.query["limit"]))
        return Reply(ROWS[offset : offset + limit])

    return script


def test_page_reads_until_an_empty_page(serve: Any, read: Any) -> None:
    upstream = serve(numbered(3, totals=False))
    assert read(upstream.url, pagination={"page": {}}) == ROWS
    assert upstream.targets == ["/?page=1", "/?page=2", "/?page=3", "/?page=4"]


def test_page_stops_at_the_announced_number(serve: Any, read: Any) -> None:
    upstream = serve(numbered(3, totals=True))
    assert read(upstream.url, pagination={"page": {}}) == ROWS
    assert upstream.targets == ["/?page=1", "/?page=2", "/?page=3"]


def test_page_of_a_capped_size_loses_no_rows(serve: Any, read: Any) -> None:
    upstream = serve(numbered(2, totals=False))
    assert read(upstream.url, pagination={"page": {"sizeParam": "per_page", "size": 100}}) == ROWS
    assert upstream.targets[-1] == "/?page=5&per_page=100"


def test_page_may_start_at_zero_and_have_its_own_names(serve: Any, read: Any) -> None:
    upstream = serve(numbered(4, totals=True, start=0, header="X-Pages"))
    assert read(upstream.url, pagination={"page": {"start": 0, "totalPagesHeader": "x-pages"}}) == ROWS
    assert upstream.targets == ["/?page=0", "/?page=1"]


def test_an_empty_page_is_not_the_last_where_more_are_announced(serve: Any, read: Any) -> None:
    pages: dict[str, list[Any]] = {"1": [1], "2": [], "3": [3]}
    upstream = serve(lambda asked: Reply(pages[asked.query["page"]], headers={"X-WP-TotalPages": "3"}))
    assert read(upstream.url, pagination={"page": {}}) == [1, 3]


@pytest.mark.parametrize("total", ["0", "many", "", "-1", "٣"])
def test_a_total_that_makes_no_sense_is_none(serve: Any, read: Any, total: str) -> None:
    pages: dict[str, list[Any]] = {"1": [1], "2": [2], "3": []}
    upstream = serve(lambda asked: Reply(pages[asked.query["page"]], headers={"X-WP-TotalPages": total.encode().decode("latin-1")}))
    assert read(upstream.url, pagination={"page": {}}) == [1, 2]


@pytest.mark.parametrize(
    "pagination", [{"page": {}}, {"offset": {}}, {"cursor": {}}, {"nextURL": {}}, {"link": {}}, {"none": {}}, None], ids=str
)
def test_nothing_there(serve: Any, opened: Any, pagination: Any) -> None:
    upstream = serve(in_turn(Reply({"data": []})))
    options = {"pagination": pagination} if pagination else {}
    pages: list[Page] = list(opened(upstream.url, records="data", **options).pages(Slice()))
    assert [page.records for page in pages] == [[]]
    assert len(upstream.asked) == 1


def test_offset_grows_by_what_came(serve: Any, read: Any) -> None:
    upstream = serve(by_offset(3))
    assert read(upstream.url, pagination={"offset": {"param": "offset", "limitParam": "limit", "limit": 5}}) == ROWS
    assert upstream.targets == [f"/?offset={offset}&limit=5" for offset in (0, 3, 6, 7)]


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}], ids=["absent", "null", "empty"])
def test_cursor_ends_without_a_token(serve: Any, read: Any, end: dict[str, Any]) -> None:
    upstream = serve(in_turn(Reply({"data": [1], "next": "a b&c"}), Reply({"data": [], "next": "x"}), Reply({"data": [2], **end})))
    assert read(upstream.url, records="data", pagination={"cursor": {}}) == [1, 2]
    assert [asked.query for asked in upstream.asked] == [{}, {"cursor": "a b&c"}, {"cursor": "x"}]


def test_zero_is_a_token_and_numbers_keep_their_digits(serve: Any, read: Any) -> None:
    bodies = [b'{"r":[1],"p":{"n":0}}', b'{"r":[2],"p":{"n":12345678901234567890123}}', b'{"r":[3],"p":{"n":1.10}}', b'{"r":[4]}']
    upstream = serve(in_turn(*map(Reply, bodies)))
    assert read(upstream.url, records="r", pagination={"cursor": {"param": "after", "path": "p.n"}}) == [1, 2, 3, 4]
    assert [asked.query.get("after") for asked in upstream.asked] == [None, "0", "12345678901234567890123", "1.10"]


@pytest.mark.parametrize(
    ("pagination", "token", "message"),
    [
        ("cursor", "false", "holds false there, not a text or a number; where it means the last page, write the path as `next || null`"),
        ("cursor", '{"a": 1}', "holds an object there, not a text or a number"),
        ("nextURL", "7", "holds a number there, not a text"),
    ],
)
def test_what_is_no_token(failing: Any, pagination: str, token: str, message: str) -> None:
    script = in_turn(Reply(b'{"r":[1],"next":' + token.encode() + b"}"))
    assert failing(script, records="r", pagination={pagination: {}}) == (
        "SchemaMismatch",
        "PaginationUnreadable",
        f"spec.source.http.pagination.{pagination}.path: page 1 (GET URL/x) {message}",
    )


def test_false_as_the_last_page_with_the_path_that_the_message_advises(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply({"r": [1], "next": "b"}), Reply({"r": [2], "next": False})))
    assert read(upstream.url, records="r", pagination={"cursor": {"path": "next || null"}}) == [1, 2]


def test_next_url_may_be_absolute_or_relative(serve: Any, read: Any) -> None:
    def script(asked: Asked) -> Reply:
        step = {
            "/v1/a": f"{upstream.url}/v1/b?t=%2Bx+y",
            "/v1/b": "c?flag",
            "/v1/c": "?page=2",
            "/v1/c?page=2": "/other#here",
        }
        return Reply({"r": [asked.target], "next": step.get(asked.target.partition("?t")[0].removesuffix("?flag="))})

    upstream = serve(script)
    assert read(upstream.url + "/v1", request={"path": "a", "query": {}}, records="r", pagination={"nextURL": {}}) == [
        "/v1/a",
        "/v1/b?t=+x y",
        "/v1/c?flag=",
        "/v1/c?page=2",
        "/other",
    ]


@pytest.mark.parametrize(
    "link",
    [
        '<{url}/x?page=2>; rel="next"',
        "<?page=2>; rel=next",
        '</x?page=1,5>; rel="prev", </x?page=2>; title="a, b; rel=last"; rel="Last NEXT"',
        "</x?page=9>;rel=last,</x?page=2> ; rel = next ;hreflang",
        '</x?page=9>; rel="last"; rel="next", </x?page=2>; REL="next"',
    ],
)
def test_link_header(serve: Any, read: Any, link: str) -> None:
    def script(asked: Asked) -> Reply:
        return Reply([asked.target], headers={} if asked.query else {"Link": link.format(url=upstream.url)})

    upstream = serve(script)
    assert read(upstream.url, request={"path": "/x"}, pagination={"link": {}}) == ["/x", "/x?page=2"]


def test_next_page_on_another_host_is_refused(serve: Any, failing: Any) -> None:
    with serving(in_turn(Reply([]))) as foreign:
        for target in (f"{foreign.url}/x", f"//127.0.0.1:{foreign.port}/x", "https://127.0.0.1/x", "ftp://h/x", "http://[bad"):
            shown = target.replace(foreign.url, "FOREIGN")
            kind, reason, message = failing(
                in_turn(Reply({"r": [1], "next": target})),
                records="r",
                pagination={"nextURL": {}},
                auth={"bearer": {"secretRef": {"name": "api"}}},
                secrets={"api": {"token": "t0ps3cret"}},
            )
            assert (kind, reason) == ("PermanentError", "ForeignHost")
            assert message.replace(foreign.url, "FOREIGN") == (
                f"spec.source.http.pagination: page 1 (GET URL/x) names '{shown}' as the next page, "
                "which is not on the origin of spec.source.http.baseURL; nothing was sent there"
            )
        assert foreign.asked == []


def test_userinfo_in_the_next_url_is_not_sent(serve: Any, read: Any) -> None:
    def script(asked: Asked) -> Reply:
        return Reply(
            [asked.target, asked.headers.get("authorization")],
            headers={} if asked.query else {"Link": f"<http://u:p@{upstream.url[7:]}/?2>; rel=next"},
        )

    upstream = serve(script)
    assert read(upstream.url, pagination={"link": {}}) == ["/", None, "/?2=", None]


STUCK = "; does the upstream know the parameters of paging that the spec names?"


@pytest.mark.parametrize("pagination", ["page", "offset"])
def test_an_upstream_that_ignores_paging(failing: Any, pagination: str) -> None:
    first, second = {"page": ("page=1", "page=2"), "offset": ("offset=0&limit=100", "offset=1&limit=100")}[pagination]
    kind, reason, message = failing(in_turn(Reply([1])), pagination={pagination: {}})
    assert (kind, reason) == ("PermanentError", "PaginationStuck")
    assert message == f"spec.source.http.pagination: page 2 (GET URL/x?{second}) has the same body as page 1{STUCK}"
    assert first != second


def test_a_body_that_comes_again_later(failing: Any) -> None:
    replies = [Reply([1]), Reply([2]), Reply([1])]
    assert failing(in_turn(*replies), pagination={"page": {}})[2] == (
        f"spec.source.http.pagination: page 3 (GET URL/x?page=3) has the same body as page 1{STUCK}"
    )


def test_a_token_that_comes_again(serve: Any, failure: Any) -> None:
    tokens = iter(["a", "b", "a"])
    count = iter(range(9))
    upstream = serve(lambda _: Reply({"r": [next(count)], "next": next(tokens)}))
    error, pages = failure(upstream.url, records="r", pagination={"cursor": {}})
    assert (error.reason, error.message) == (
        "PaginationStuck",
        f"spec.source.http.pagination: page 3 (GET {upstream.url}?cursor=b) names page 2 as the next one{STUCK}",
    )
    assert [page.records for page in pages] == [[0], [1]]


@pytest.mark.parametrize("records", ["[]", "[1]"])
def test_a_page_that_names_itself(failing: Any, records: str) -> None:
    reply = Reply(records.encode(), headers={"Link": "</x>; rel=next"})
    assert failing(in_turn(reply), pagination={"link": {}})[2] == (
        f"spec.source.http.pagination: page 1 (GET URL/x) names page 1 as the next one{STUCK}"
    )


@pytest.mark.parametrize(
    ("token", "place"),
    [("a\r\nX-Evil: 1", {"sendIn": "Header"}), ("\u00e9", {"sendIn": "Header"}), ("a\0b", {"sendIn": "Header"}), ("x" * 70_000, {})],
)
def test_a_token_that_can_not_be_sent_is_no_lost_connection(failing: Any, token: str, place: dict[str, str]) -> None:
    script = in_turn(Reply({"r": [1], "next": token}))
    kind, reason, message = failing(script, records="r", pagination={"cursor": {"param": "X-Token", "path": "next", **place}})
    assert (kind, reason) == ("PermanentError", "Unsendable")
    assert "X-Token" in message
    assert token not in message
