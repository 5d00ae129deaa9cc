"""A file that an HTTP server hands out: once, whole, bounded, and with credentials that go to its origin only."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from syncsource.errors import AbortedError, SyncError
from syncsource.sources import Slice, local_hosts, open_source
from syncsource.sources.csvfiles.source import FileSource
from tests.unit.sources.conftest import reading
from tests.upstream import Asked, Reply, Script, Upstream

TEXT = b"id,name\n1,Ann\n"
CSV = {"Content-Type": "text/csv"}
Opened = Callable[..., FileSource]


@pytest.fixture
def fetching(serve: Callable[[Script], Upstream], cancelled: threading.Event) -> Iterator[Opened]:
    """A source of what a scripted server hands out at /export.csv."""
    with ExitStack() as stack:

        def open_(script: Script, *, secrets: Any = None, query: str = "", **download: Any) -> FileSource:
            url = f"{serve(script).url}/export.csv{query}"
            spec = reading({"csv": {"download": {"url": url, "retry": {"attempts": 1}, **download}}})
            source = open_source(spec, secrets or {}, hosts=local_hosts(cancelled), cancelled=cancelled)
            assert isinstance(source, FileSource)
            stack.callback(source.close)
            return source

        yield open_


def read(source: FileSource, state: str | None = None) -> list[Any]:
    """All records."""
    return [record for page in source.pages(Slice(state=state)) for record in page.records]


def failure(source: FileSource) -> SyncError:
    with pytest.raises(SyncError) as caught:
        read(source)
    return caught.value


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT, mtime=0)])
def test_a_file_is_fetched_and_read(fetching: Opened, content: bytes) -> None:
    source = fetching(lambda asked: Reply(content, headers=CSV))
    pages = list(source.pages(Slice()))
    assert [(page.place, list(page.records)) for page in pages] == [("export.csv", [{"id": "1", "name": "Ann"}])]


def test_a_file_that_the_server_packed_on_the_way_is_unpacked(fetching: Opened) -> None:
    assert read(fetching(lambda asked: Reply(gzip.compress(TEXT), headers={**CSV, "Content-Encoding": "gzip"}))) == [
        {"id": "1", "name": "Ann"}
    ]


def test_an_unchanged_file_costs_one_request_and_no_body(fetching: Opened) -> None:
    asked_for: list[str | None] = []

    def script(asked: Asked) -> Reply:
        asked_for.append(asked.headers.get("if-none-match"))
        if asked_for[-1] == '"v1"':
            return Reply(b"", status=304)
        return Reply(TEXT, headers={**CSV, "ETag": '"v1"'})

    source = fetching(script)
    assert len(read(source)) == 1
    state = source.state
    assert (read(source, state), source.unchanged, source.state) == ([], True, state)
    assert asked_for == [None, '"v1"']


def test_without_a_validator_the_content_tells(fetching: Opened) -> None:
    source = fetching(lambda asked: Reply(TEXT, headers=CSV))
    read(source)
    assert (read(source, source.state), source.unchanged) == ([], True)


def test_credentials_go_along_and_stay_out_of_messages(fetching: Opened) -> None:
    seen: list[str] = []

    def script(asked: Asked) -> Reply:
        seen.append(asked.headers["authorization"])
        return Reply(b"no such user: sesame-token", status=403)

    source = fetching(script, secrets={"shop": {"token": "sesame-token"}}, auth={"bearer": {"secretRef": {"name": "shop"}}})
    error = failure(source)
    assert seen == ["Bearer sesame-token"]
    assert error.reason == "AuthFailed"
    assert "Secret shop" in error.message
    assert "sesame" not in error.message


def test_a_redirect_to_another_origin_is_refused(fetching: Opened) -> None:
    error = failure(fetching(lambda asked: Reply(b"", status=302, headers={"Location": "http://127.0.0.2:9/export.csv"})))
    assert error.reason == "ForeignHost"


@pytest.mark.parametrize(
    ("reply", "options", "words"),
    [
        (
            Reply(b"<html>log in</html>", headers={"Content-Type": "text/html; charset=utf-8"}),
            {},
            "which is a page, not a file; check spec.source",
        ),
        (Reply(b"x" * 5000, headers=CSV), {"maxBytes": 1024}, "the file is larger than 1,024 bytes (spec.source.csv.download.maxBytes)"),
        (Reply(TEXT, headers=CSV, length=500), {}, "the connection was lost before the answer was complete"),
        (Reply(b"", status=404), {}, "answered 404"),
        (Reply(b"", status=503), {}, "gave up after try 1 (spec.source.csv.download.retry.attempts)"),
    ],
)
def test_what_is_no_file_or_not_whole_is_told(fetching: Opened, reply: Reply, options: dict[str, Any], words: str) -> None:
    error = failure(fetching(lambda asked: reply, **options))
    assert words in error.message
    assert "spec.source.http" not in error.message


def test_a_download_that_breaks_off_is_tried_again_from_the_beginning(fetching: Opened) -> None:
    replies = iter([Reply(TEXT * 100, headers=CSV, length=5000), Reply(TEXT, headers=CSV)])
    source = fetching(lambda asked: next(replies), retry={"attempts": 2, "backoff": "0s"})
    assert read(source) == [{"id": "1", "name": "Ann"}]


def test_what_was_cancelled_asks_for_nothing(fetching: Opened, cancelled: threading.Event) -> None:
    source = fetching(lambda asked: Reply(TEXT, headers=CSV))
    cancelled.set()
    with pytest.raises(AbortedError):
        read(source)


def test_metadata_addresses_are_refused(cancelled: threading.Event) -> None:
    spec = reading({"csv": {"download": {"url": "http://169.254.169.254/latest/meta-data", "retry": {"attempts": 1}}}})
    source = open_source(spec, {}, hosts=local_hosts(cancelled), cancelled=cancelled)
    assert isinstance(source, FileSource)
    assert failure(source).reason == "AddressRefused"
    source.close()


def test_a_query_is_not_part_of_the_place() -> None:
    spec = reading({"csv": {"download": {"url": "https://shop.example/export.csv?key=sesame"}}})
    assert spec.source.chosen.place == "https://shop.example/export.csv"
