"""NDJSON: a record per line, in constant memory, and what is wrong with lines."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from syncsource.records.batch import Broken
from syncsource.sources import Page, Slice
from tests.upstream import Reply, in_turn

TYPE = {"Content-Type": "application/x-ndjson"}


def lines(count: int) -> bytes:
    return b"".join(b'{"id": %d, "name": "number %d"}\n' % (number, number) for number in range(count))


@pytest.fixture
def pages(serve: Any, opened: Any) -> Any:
    """The pages of one answer."""

    def pages_(body: Any, *, headers: Any = TYPE, framed: bool = True, **options: Any) -> list[Page]:
        upstream = serve(in_turn(Reply(body, headers=headers, framed=framed)))
        return list(opened(upstream.url, **options).pages(Slice()))

    return pages_


def records(found: list[Page]) -> list[Any]:
    return [record for page in found for record in page.records]


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/jsonl; charset=utf-8", "Application/NDJSON"])
def test_the_content_type_says_it(pages: Any, content_type: str) -> None:
    found = pages(b'{"id": 1}\n{"id": 12345678901234567890123, "x": 1.10}\n', headers={"Content-Type": content_type})
    assert records(found) == [{"id": 1}, {"id": 12345678901234567890123, "x": Decimal("1.10")}]
    assert [(page.place, list(page.positions or [])) for page in found] == [("page 1", [1, 2])]


def test_the_spec_says_it(pages: Any) -> None:
    assert records(pages(lines(3), headers={"Content-Type": "text/plain"}, format="NDJSON")) == records(pages(lines(3)))


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n"])
def test_nothing_there(pages: Any, body: bytes) -> None:
    assert pages(body) == []


def test_empty_lines_other_line_ends_a_mark_and_a_missing_last_break(pages: Any) -> None:
    (page,) = pages(b'\xef\xbb\xbf{"id": 1}\r\n\n{"id": 2}\n  \n{"id": 3}')
    assert (page.records, page.positions) == ([{"id": 1}, {"id": 2}, {"id": 3}], [1, 3, 5])


def test_a_long_stream_comes_in_pages_of_some_thousand(pages: Any) -> None:
    found = pages(gzip.compress(lines(100_000)), headers={**TYPE, "Content-Encoding": "gzip"})
    assert [record["id"] for record in records(found)] == list(range(100_000))
    assert all(len(page.records) < 40_000 for page in found)
    assert len(found) < 100
    assert [position for page in found for position in page.positions] == list(range(1, 100_001))


def test_memory_is_constant(serve: Any, opened: Any) -> None:
    line = b'{"id": 1, "text": "' + b"x" * 10_000 + b'"}\n'
    upstream = serve(lambda _: Reply(iter([line * 100] * 40), headers=TYPE, framed=False))
    tracemalloc.start()
    count = sum(len(page.records) for page in opened(upstream.url).pages(Slice()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4000
    assert peak < 10_000_000 < 4000 * len(line) / 4


def test_pages_come_before_the_stream_ends(serve: Any, opened: Any) -> None:
    def body() -> Iterator[bytes]:
        yield lines(30_000)
        upstream.over.wait()

    upstream = serve(lambda _: Reply(body(), headers=TYPE, framed=False))
    assert next(iter(opened(upstream.url).pages(Slice()))).records[0] == {"id": 0, "name": "number 0"}


BAD = [
    (b'{"id": 2', "NotJSON", "not JSON (it ends too early)"),
    (b"{'id': 2}", "NotJSON", "not JSON (JSON is malformed: object keys must be strings (byte 1))"),
    (b'{"id": "\xff"}', "NotJSON", "not JSON (invalid UTF-8 (byte 8))"),
    (b'{"id": NaN}', "NotJSON", "not JSON (JSON is malformed: invalid character (byte 7))"),
    (b'{"id": "\\ud800"}', "NotJSON", "not JSON (half of a surrogate pair, which is no character)"),
    (b"[" * 100_000, "NotJSON", "not JSON (it is nested too deeply)"),
    (b'{"id": ' + b"9" * 5000 + b"}", "NumberOutOfRange", "a number has more digits than can be kept exactly"),
    (b'{"id": 2, "id": 3}', "DuplicateKeys", "the record or a part of it names a member twice; of each, the last value is kept here"),
    (b'{"id":"' + b"x" * 2000 + b'"}', "RecordTooLarge", "the record has 2009 bytes, more than spec.source.http.maxRecordBytes, 1000"),
]


@pytest.mark.parametrize(("line", "reason", "message"), BAD, ids=[f"{reason}-{number}" for number, (_, reason, _) in enumerate(BAD)])
def test_a_line_that_is_no_record_is_set_aside_with_its_number(pages: Any, line: bytes, reason: str, message: str) -> None:
    limit = 1000 if reason == "RecordTooLarge" else 1_000_000
    (page,) = pages(b'{"id": 1}\n' + line + b'\n{"id": 3}\n', maxRecordBytes=limit)
    assert (page.records[0], page.records[2], list(page.positions)) == ({"id": 1}, {"id": 3}, [1, 2, 3])
    broken = page.records[1]
    assert isinstance(broken, Broken)
    assert (broken.reason, broken.message) == (reason, message)
    assert broken.record == ({"id": 3} if reason == "DuplicateKeys" else line[:4000].decode("utf-8", "replace")[:1000])


def test_a_line_without_end_is_passed_over_in_constant_memory(serve: Any, opened: Any) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"id": 1}\n{"id": "'
        for _ in range(300):
            yield b"x" * 65536
        yield b'"}\n{"id": 3}\n'

    upstream = serve(lambda _: Reply(body(), headers=TYPE, framed=False))
    tracemalloc.start()
    found = list(opened(upstream.url, maxRecordBytes=100_000).pages(Slice()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    everything = records(found)
    assert [everything[0], everything[-1]] == [{"id": 1}, {"id": 3}]
    assert (everything[1].reason, f"{300 * 65536 + 10} bytes" in everything[1].message) == ("RecordTooLarge", True)
    assert peak < 8_000_000
    assert [position for page in found for position in page.positions] == [1, 2, 3]


@pytest.mark.parametrize("framed", [True, False])
def test_a_cut_last_line_is_an_error_and_no_record(failure: Any, serve: Any, framed: bool) -> None:
    upstream = serve(in_turn(Reply(b'{"id": 1}\n{"id": 2', headers=TYPE, framed=framed)))
    error, _ = failure(upstream.url)
    assert (type(error).__name__, error.reason) == ("RetryableError", "ConnectionLost")
    assert error.message.endswith("the connection was lost before the answer was complete: line 2 is cut")


def test_a_stream_that_breaks_off(serve: Any, failure: Any) -> None:
    upstream = serve(in_turn(Reply(lines(5), headers=TYPE, length=100_000)))
    error, pages = failure(upstream.url)
    assert (type(error).__name__, error.reason, pages) == ("RetryableError", "ConnectionLost", [])


def test_compression_that_breaks_off_at_the_end_of_a_line(serve: Any, failure: Any) -> None:
    packed = gzip.compress(lines(50))
    upstream = serve(in_turn(Reply(packed[:-8], headers={**TYPE, "Content-Encoding": "gzip"})))
    error, _ = failure(upstream.url)
    assert (error.reason, "the compressed data ends too early" in error.message) == ("ConnectionLost", True)


def test_a_first_line_that_is_no_json_is_something_else(failing: Any) -> None:
    reply = Reply(b"<!DOCTYPE html>\n<title>Log in</title>\n", headers={"Content-Type": "text/html"})
    assert failing(in_turn(reply), format="NDJSON") == (
        "PermanentError",
        "NotJSON",
        "GET URL/x answered 200 with text/html, of which line 1 is not JSON (JSON is malformed: invalid character (byte 0)): <!DOCTYPE html>",
    )


def test_streams_may_have_pages(serve: Any, read: Any) -> None:
    def script(asked: Any) -> Reply:
        link = {} if asked.query else {"Link": "</?page=2>; rel=next"}
        return Reply(lines(3), headers={**TYPE, **link}) if not asked.query else Reply(b'{"id": 9}\n', headers=TYPE)

    assert [record["id"] for record in read(serve(script).url, pagination={"link": {}})] == [0, 1, 2, 9]


def test_an_unchanged_stream_costs_one_request(serve: Any, opened: Any) -> None:
    def script(asked: Any) -> Reply:
        return Reply(status=304) if asked.headers.get("if-none-match") else Reply(lines(3), headers=headers)

    headers = {**TYPE, "ETag": '"7"'}
    upstream = serve(script)
    source = opened(upstream.url)
    assert len(records(list(source.pages(Slice())))) == 3
    assert (list(source.pages(Slice(state=source.state))), source.unchanged, len(upstream.asked)) == ([], True, 2)


def test_a_stream_without_validators_remembers_nothing(serve: Any, opened: Any) -> None:
    source = opened(serve(in_turn(Reply(lines(3), headers=TYPE))).url)
    list(source.pages(Slice()))
    assert source.state is None
