"""A cancellation ends every wait, soon."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from syncsource.errors import AbortedError
from syncsource.resource.parts import RateLimit
from syncsource.sources import Hosts, HostTable, Slice, Source
from syncsource.sources.hosts.messages import Answer, Question
from tests.upstream import Reply, hanging, in_turn, listening

SOON = 0.25
"""Seconds. A wait is cut into slices of 50 ms; the rest is for a busy machine."""


@pytest.fixture
def aborted(cancelled: threading.Event) -> Callable[[Source, Callable[[], Any]], tuple[AbortedError, float]]:
    """Reads in a thread, cancels when ``reached`` returns, and tells how it ended and how long after."""

    def aborted_(source: Source, reached: Callable[[], Any]) -> tuple[AbortedError, float]:
        ends: list[tuple[BaseException, float]] = []

        def run() -> None:
            try:
                list(source.pages(Slice()))
            except BaseException as error:
                ends.append((error, time.monotonic()))

        thread = threading.Thread(target=run)
        thread.start()
        reached()
        at = time.monotonic()
        cancelled.set()
        thread.join(10)
        error, ended = ends[0]
        assert isinstance(error, AbortedError)
        assert error.reason == "Cancelled"
        return error, ended - at

    return aborted_


def test_during_a_backoff(serve: Any, opened: Any, aborted: Any, cancelled: threading.Event) -> None:
    upstream = serve(in_turn(Reply(status=503, headers={"Retry-After": "60"})))
    error, seconds = aborted(opened(upstream.url, retry={"attempts": 5}), lambda: upstream.arrived.wait() and cancelled.wait(0.2))
    assert error.message == "cancelled while waiting to try again"
    assert seconds < SOON


@pytest.mark.parametrize("scheme", ["http:", "https:"], ids=["answer", "handshake"])
def test_while_the_upstream_is_silent(opened: Any, aborted: Any, scheme: str) -> None:
    with contextlib.ExitStack() as stack, listening() as (sock, url):
        source = opened(url.replace("http:", scheme))
        error, seconds = aborted(source, lambda: stack.enter_context(sock.accept()[0]))
    assert error.message == "cancelled while reading from the upstream"
    assert seconds < SOON


def test_in_the_middle_of_a_body(serve: Any, opened: Any, aborted: Any) -> None:
    upstream = serve(lambda _: Reply(hanging(upstream, b"[1,", b"2,"), length=1000))
    error, seconds = aborted(opened(upstream.url), upstream.sent.wait)
    assert error.message == "cancelled while reading from the upstream"
    assert seconds < SOON


def test_while_waiting_for_the_rate_limit(opened: Any, aborted: Any, serve: Any, cancelled: threading.Event) -> None:
    table, second = HostTable(), threading.Event()
    table.declare("a", {"127.0.0.1": RateLimit.model_validate({"requests": 1, "per": "1h"})})
    upstream = serve(lambda asked: Reply([asked.target]))

    def ask(question: Question) -> Answer:
        if upstream.asked:
            second.set()
        return table.ask(question)

    hosts = Hosts(ask, table.tell, cancelled)
    error, seconds = aborted(opened(upstream.url, pagination={"page": {}}, hosts=hosts), second.wait)
    assert error.message == "cancelled while waiting for the rate limit of 127.0.0.1"
    assert seconds < SOON


def test_before_the_first_page(serve: Any, opened: Any, aborted: Any, cancelled: threading.Event) -> None:
    upstream = serve(in_turn(Reply([1])))
    cancelled.set()
    with pytest.raises(AbortedError, match="cancelled"):
        list(opened(upstream.url).pages(Slice()))
    assert upstream.asked == []
