"""What is sent: URL, query, headers, body, increments."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import syncsource
from syncsource.errors import PermanentError, StalledError
from syncsource.sources import Hosts, HostTable, Slice
from syncsource.sources.hosts.messages import Answer, Enter, Question
from tests.upstream import Asked, Reply, in_turn

INCREMENTAL = {"cursor": "at", "param": "after"}


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "", "/"),
        ("/v1", "", "/v1"),
        ("/v1/", "", "/v1/"),
        ("/v1", "/bookings", "/v1/bookings"),
        ("/v1/", "bookings/", "/v1/bookings/"),
        ("/v1", "//elsewhere/x", "/v1/elsewhere/x"),
        ("/v1", "http://elsewhere/x", "/v1/http://elsewhere/x"),
        ("/v1?tenant=3", "/b?kind=x y", "/v1/b?tenant=3&kind=x y"),
        ("/v1#there", "/b", "/v1/b"),
    ],
)
def test_base_url_and_path(serve: Any, read: Any, base: str, path: str, target: str) -> None:
    upstream = serve(in_turn(Reply([])))
    assert read(upstream.url + base, request={"path": path}) == []
    assert upstream.targets == [target]


def test_query_and_increments_and_paging(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply([])))
    request = {"query": {"store": 7, "q": "a b+c&d=é", "after": "1970-01-01"}}
    read(upstream.url, request=request, incremental=INCREMENTAL, since="2026-01-01T00:00:00+07:00", pagination={"page": {}})
    read(upstream.url, request=request, incremental=INCREMENTAL)
    assert [asked.query for asked in upstream.asked] == [
        {"store": "7", "q": "a b+c&d=é", "after": "2026-01-01T00:00:00+07:00", "page": "1"},
        {"store": "7", "q": "a b+c&d=é", "after": "1970-01-01"},
    ]


@pytest.mark.parametrize("since", ["0", "", "false"])
def test_a_cursor_that_is_false_is_sent(serve: Any, read: Any, since: str) -> None:
    upstream = serve(in_turn(Reply([])))
    read(upstream.url, incremental=INCREMENTAL, since=since)
    assert upstream.asked[0].query == {"after": since}


def test_headers(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply([])))
    read(upstream.url, request={"headers": {"X-Outlet": " 7 ", "ACCEPT": "application/vnd.api+json"}})
    headers = upstream.asked[0].headers
    assert headers.pop("host") == upstream.url.removeprefix("http://")
    assert headers.pop("accept-encoding").startswith("gzip, deflate")
    assert headers == {
        "accept": "application/vnd.api+json",
        "connection": "keep-alive",
        "user-agent": f"syncsource/{syncsource.__version__}",
        "x-outlet": "7",
    }


@pytest.mark.parametrize("headers", [{"X Y": "1"}, {"": "1"}, {"X": "a\r\nY: b"}, {"X": "é"}])
def test_headers_that_cannot_be_sent(opened: Any, headers: dict[str, str]) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", request={"headers": headers})
    assert caught.value.reason == "InvalidSpec"
    assert caught.value.message == (
        f"spec.source.http.request.headers: {next(iter(headers))!r} can't be sent: a name is one word, a value is ASCII without line breaks"
    )


def test_headers_that_are_the_connections_own(opened: Any) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", request={"headers": {"Content-length": "3"}})
    assert caught.value.message == "spec.source.http.request.headers: Content-length is set by the connection itself; remove it"


def test_post_repeats_its_body_and_pages_in_the_query(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply([asked.target] if asked.query["page"] == "1" else []))
    body = {"filter": {"ids": [1, 2.5], "näme": None}}
    assert read(upstream.url, request={"method": "POST", "path": "/search", "body": body}, pagination={"page": {}}) == ["/search?page=1"]
    assert [(asked.method, asked.target, json.loads(asked.body), asked.headers["content-type"]) for asked in upstream.asked] == [
        ("POST", f"/search?page={page}", body, "application/json") for page in (1, 2)
    ]


def test_one_connection_serves_all_pages_and_keeps_cookies(serve: Any, read: Any) -> None:
    def script(asked: Asked) -> Reply:
        page = int(asked.query["page"])
        return Reply([asked.headers.get("cookie")] if page < 3 else [], headers={"Set-Cookie": "replica=b; Path=/"})

    assert read(serve(script).url, pagination={"page": {}}) == [None, "replica=b"]


def test_the_answers_date_is_the_upstreams_clock(serve: Any, opened: Any) -> None:
    dates = ["Sat, 03 Jan 2026 04:05:06 GMT", "Sat, 03 Jan 2026 04:05:06 -0000", "Saturday, 03-Jan-26 04:05:06 GMT", "yesterday", ""]
    upstream = serve(lambda asked: Reply([asked.target], headers={"Date": dates[int(asked.query["page"]) - 1], "X-WP-TotalPages": "5"}))
    moment = datetime(2026, 1, 3, 4, 5, 6, tzinfo=UTC)
    pages = list(opened(upstream.url, pagination={"page": {}}).pages(Slice()))
    assert [page.served_at for page in pages] == [moment, moment, moment, None, None]
    assert all(page.served_at.utcoffset() == timedelta(0) for page in pages[:3])


def test_the_table_of_hosts_is_asked_before_every_request(serve: Any, read: Any, cancelled: threading.Event) -> None:
    upstream = serve(in_turn(Reply([1]), Reply(status=503), Reply([])))
    seen: list[tuple[str, int]] = []
    table = HostTable()

    def ask(question: Question) -> Answer:
        assert isinstance(question, Enter)
        seen.append((question.host, len(upstream.asked)))
        return table.ask(question)

    read(
        upstream.url,
        hosts=Hosts(ask, table.tell, cancelled),
        pagination={"page": {}},
        retry={"attempts": 2, "backoff": "1ms"},
    )
    assert seen == [("127.0.0.1", 0), ("127.0.0.1", 1), ("127.0.0.1", 2)]


def test_the_environment_is_not_asked(serve: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(in_turn(Reply(["from the proxy"])))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert read(serve(in_turn(Reply(["straight"]))).url) == ["straight"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_the_origin_are_followed(serve: Any, read: Any, status: int) -> None:
    def script(asked: Asked) -> Reply:
        if asked.path == "/new":
            return Reply([asked.headers["authorization"]])
        return Reply(b"moved", status=status, headers={"Location": "/new?x=1"})

    upstream = serve(script)
    secrets = {"api": {"token": "t"}}
    assert read(upstream.url, auth={"bearer": {"secretRef": {"name": "api"}}}, secrets=secrets) == ["Bearer t"]
    assert upstream.targets == ["/", "/new?x=1"]


def test_redirects_to_another_origin_are_refused(serve: Any, failing: Any) -> None:
    foreign = serve(in_turn(Reply([])))
    kind, reason, message = failing(in_turn(Reply(status=302, headers={"Location": f"{foreign.url}/x"})))
    assert (kind, reason) == (PermanentError.__name__, "ForeignHost")
    assert message.replace(foreign.url, "FOREIGN") == (
        "GET URL/x answered 302, a redirect away from the origin of spec.source.http.baseURL, to FOREIGN/x; "
        "nothing was sent there; if that is where the API is, put it into baseURL"
    )
    assert foreign.asked == []


def test_redirects_without_end(failing: Any) -> None:
    assert failing(in_turn(Reply(status=302, headers={"Location": "/x"}))) == (
        "PermanentError",
        "RedirectRefused",
        "GET URL/x: more than 5 redirects in a row",
    )


def test_a_redirect_that_makes_a_get_of_a_post(failing: Any) -> None:
    script = in_turn(Reply(status=302, headers={"Location": "/y"}))
    assert failing(script, request={"method": "POST", "path": "/x", "body": {}}) == (
        "PermanentError",
        "RedirectRefused",
        "POST URL/x answered 302, a redirect that turns POST into GET; put the address it leads to into spec.source.http",
    )


def test_a_post_is_redirected_where_it_stays_one(serve: Any, read: Any) -> None:
    upstream = serve(lambda asked: Reply([json.loads(asked.body)]) if asked.path == "/y" else Reply(status=307, headers={"Location": "/y"}))
    assert read(upstream.url, request={"method": "POST", "path": "/x", "body": {"a": 1}}) == [{"a": 1}]
