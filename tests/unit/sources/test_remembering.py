"""An upstream that has nothing new costs one request."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from syncsource.errors import PermanentError
from syncsource.sources import Slice
from syncsource.sources.rest.remembering import Remembered
from tests.upstream import Asked, Reply, Script

LONG = "x" * 2000


class Shop:
    """An API of one page, with validators or without."""

    def __init__(self, **headers: str) -> None:
        self.records, self.headers = [{"id": 1}], headers

    def __call__(self, asked: Asked) -> Reply:
        known = asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")
        if any(known) and known == (self.headers.get("ETag"), self.headers.get("Last-Modified")):
            return Reply(status=304, headers=self.headers)
        return Reply(self.records, headers=self.headers)


@pytest.fixture
def reading(serve: Any, opened: Any) -> Any:
    """Reads twice or more: the records and whether they were unchanged, each time with what the last read left behind."""

    def reading_(script: Script, **options: Any) -> Any:
        upstream, state = serve(script), None

        def once(since: str | None = None, *, forced: bool = False) -> tuple[list[Any], bool]:
            nonlocal state
            source = opened(upstream.url, **options)
            records = [record for page in source.pages(Slice(since=since, state=None if forced else state)) for record in page.records]
            state = source.state
            return records, source.unchanged

        once.upstream = upstream  # type: ignore[attr-defined]
        return once

    return reading_


@pytest.mark.parametrize(
    "headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"', "Last-Modified": "Sat, 31 Jan 2026 12:00:00 GMT"}, {}], ids=["etag", "both", "hash"]
)
def test_what_has_not_changed_is_not_read_again(reading: Any, headers: dict[str, str]) -> None:
    shop = Shop(**headers)
    once = reading(shop)
    assert [once(), once(), once()] == [([{"id": 1}], False), ([], True), ([], True)]
    assert len(once.upstream.asked) == 3
    shop.records = [{"id": 2}]
    shop.headers = {name: value.replace("1", "2") for name, value in headers.items()}
    assert [once(), once()] == [([{"id": 2}], False), ([], True)]


def test_a_forced_read_takes_whatever_is_there(reading: Any) -> None:
    once = reading(Shop(ETag='"1"'))
    assert [once(), once(forced=True)] == [([{"id": 1}], False)] * 2
    assert "if-none-match" not in once.upstream.asked[1].headers


def test_another_question_has_another_answer(reading: Any) -> None:
    once = reading(Shop(ETag='"1"'), incremental={"cursor": "at", "param": "since"})
    assert [once("1"), once("2"), once("2")] == [([{"id": 1}], False), ([{"id": 1}], False), ([], True)]


def test_several_pages_are_always_read(reading: Any) -> None:
    def script(asked: Asked) -> Reply:
        last = asked.query["page"] == "3"
        return Reply([] if last else [{"page": asked.query["page"]}], headers={"ETag": '"1"'})

    once = reading(script, pagination={"page": {}})
    both = [{"page": "1"}, {"page": "2"}]
    assert [once(), once()] == [(both, False)] * 2
    assert not any("if-none-match" in asked.headers for asked in once.upstream.asked)


@pytest.mark.parametrize(
    ("pagination", "header"),
    [
        ({"page": {"size": 1, "sizeParam": "n"}}, {"X-WP-TotalPages": "2"}),
        ({"page": {"size": 1, "sizeParam": "n"}, "stop": {"totalRecords": {"header": "X-Total-Count"}}}, {"X-Total-Count": "2"}),
        ({"link": {}}, {"Link": '</?page=2>; rel="next"'}),
        ({"nextURL": {"header": "Next"}}, {"Next": "/?page=2"}),
        ({"cursor": {"header": "Next", "param": "page"}}, {"Next": "2"}),
    ],
    ids=["pages", "records", "link", "next", "token"],
)
def test_a_second_page_that_only_a_header_tells_of_is_found(reading: Any, pagination: Any, header: dict[str, str]) -> None:
    """The first page stays as it is, and so does its tag, which many servers make of the body."""
    records = [{"id": 1}]
    one_page = {name: "1" for name in header if name.startswith("X-")}

    def script(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"1"':
            return Reply(status=304, headers={"ETag": '"1"'})
        if asked.query.get("page", "1") == "2":
            return Reply(records[1:], headers={name: value for name, value in header.items() if name.startswith("X-")})
        return Reply(records[:1], headers={"ETag": '"1"', **(header if len(records) > 1 else one_page)})

    once = reading(script, pagination=pagination)
    assert [once(), once()] == [([{"id": 1}], False), ([], True)]
    records.append({"id": 2})
    assert once() == ([{"id": 1}, {"id": 2}], False)


@pytest.mark.parametrize(("age", "sent"), [(0, False), (1, True)])
def test_a_change_in_the_second_of_the_answer_is_found(reading: Any, age: int, sent: bool) -> None:
    """Last-Modified is the same before and after it."""
    made = datetime.now(UTC)
    shop = Shop(
        **{"Date": format_datetime(made, usegmt=True), "Last-Modified": format_datetime(made - timedelta(seconds=age), usegmt=True)}
    )
    once = reading(shop)
    once()
    shop.records = [{"id": 1}, {"id": 2}]
    assert once() == (([], True) if sent else (shop.records, False))
    assert ("if-modified-since" in once.upstream.asked[1].headers) is sent


def test_a_post_is_compared_by_its_body(reading: Any) -> None:
    once = reading(Shop(ETag='"1"'), request={"method": "POST", "body": {"all": True}})
    assert [once(), once()] == [([{"id": 1}], False), ([], True)]
    assert "if-none-match" not in once.upstream.asked[1].headers


@pytest.mark.parametrize("etag", ["", LONG, "a\x7f"])
def test_a_validator_that_can_not_be_sent_is_not_kept(reading: Any, etag: str) -> None:
    once = reading(lambda asked: Reply([{"id": 1}], headers={"ETag": etag}))
    assert [once(), once()] == [([{"id": 1}], False), ([], True)]
    assert "if-none-match" not in once.upstream.asked[1].headers


@pytest.mark.parametrize("state", ["", "{", "[]", '{"address": 1}', '{"address": "a", "body": "b", "etag": "\\u0000"}', LONG])
def test_what_is_not_ours_is_not_remembered(serve: Any, opened: Any, state: str) -> None:
    source = opened(serve(Shop(ETag='"1"')).url)
    assert [page.records for page in source.pages(Slice(state=state))] == [[{"id": 1}]]
    assert json.loads(source.state)["etag"] == '"1"'


def test_not_modified_where_nobody_asked_is_refused(serve: Any, opened: Any) -> None:
    with pytest.raises(PermanentError, match="answered 304"):
        list(opened(serve(lambda asked: Reply(status=304)).url).pages(Slice()))


def test_no_address_and_no_content_can_be_read_from_it(reading: Any, serve: Any, opened: Any) -> None:
    source = opened(serve(Shop()).url, request={"query": {"who": "somebody"}})
    list(source.pages(Slice()))
    assert set(json.loads(source.state)) == {"address", "body"} == set(Remembered.__struct_fields__) - {"etag", "modified"}
    assert "somebody" not in source.state
    assert "127.0.0.1" not in source.state
