"""Sources that read from real servers on 127.0.0.1."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from syncsource.errors import SyncError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources import Page, Slice, Source, local_hosts, open_source
from tests.upstream import Script, Upstream, serving


def reading(source: Any, incremental: Any = None, **more: Any) -> SyncSourceSpec:
    """A spec of which only the reading matters."""
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}
    spec = {"fields": [{"name": "id", "type": "text"}], "keys": [{"fields": ["id"]}], "destination": {"sql": database}, "source": source}
    return SyncSourceSpec.model_validate({**spec, **({"incremental": incremental} if incremental else {}), **more})


@pytest.fixture
def serve() -> Iterator[Callable[..., Upstream]]:
    """Starts servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda script, context=None: stack.enter_context(serving(script, context))


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def opened(cancelled: threading.Event) -> Iterator[Callable[..., Source]]:
    """Opens sources that close with the test: one try of each request unless ``retry`` says otherwise."""
    with contextlib.ExitStack() as stack:

        def open_(url: str, *, secrets: Any = None, incremental: Any = None, spec: Any = None, hosts: Any = None, **http: Any) -> Source:
            whole = reading({"http": {"baseURL": url, "retry": {"attempts": 1}, **http}}, incremental, **(spec or {}))
            source = open_source(whole, secrets or {}, hosts=hosts or local_hosts(cancelled), cancelled=cancelled)
            stack.callback(source.close)
            return source

        yield open_


@pytest.fixture
def read(opened: Callable[..., Source]) -> Callable[..., list[Any]]:
    """All records of a source, of all its pages."""

    def read_(url: str, *, since: str | None = None, **options: Any) -> list[Any]:
        return [record for page in opened(url, **options).pages(Slice(since=since)) for record in page.records]

    return read_


@pytest.fixture
def failure(opened: Callable[..., Source]) -> Callable[..., tuple[SyncError, list[Page]]]:
    """How a read fails, and the pages that came before."""

    def failure_(url: str, *, since: str | None = None, **options: Any) -> tuple[SyncError, list[Page]]:
        pages: list[Page] = []
        with pytest.raises(SyncError) as caught:
            pages.extend(opened(url, **options).pages(Slice(since=since)))
        return caught.value, pages

    return failure_


@pytest.fixture
def failing(serve: Callable[[Script], Upstream], failure: Callable[..., Any]) -> Callable[..., Any]:
    """How a read of ``/x`` on a scripted server fails: class, reason, and the message with URL in place of the server's."""

    def failing_(script: Script, **options: Any) -> tuple[str, str, str]:
        upstream = serve(script)
        error, _ = failure(upstream.url, **{"request": {"path": "/x"}, **options})
        assert str(error) == error.message
        return type(error).__name__, error.reason, error.message.replace(upstream.url, "URL")

    return failing_
