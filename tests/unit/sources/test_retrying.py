"""Tries of one request."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from syncsource.errors import RetryableError
from syncsource.resource.http import RequestRetry
from syncsource.sources.rest.dates import retry_after
from syncsource.sources.rest.retrying import Retrying, backoff
from tests.upstream import Reply, in_turn

QUICK = {"attempts": 3, "backoff": "1ms", "maxBackoff": "2s"}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_transient_statuses_are_tried_again(serve: Any, read: Any, status: int) -> None:
    upstream = serve(in_turn(Reply(status=status), Reply(status=status), Reply([1])))
    assert read(upstream.url, retry=QUICK) == [1]
    assert len(upstream.asked) == 3


@pytest.mark.parametrize("reply", [Reply(b"[1, ", length=9), Reply(b"[1, ", framed=False)], ids=["framed", "unframed"])
def test_cut_bodies_are_tried_again(serve: Any, read: Any, reply: Reply) -> None:
    assert read(serve(in_turn(reply, Reply([1]))).url, retry=QUICK) == [1]


@pytest.mark.parametrize("reply", [Reply(status=400), Reply(status=401), Reply(status=404), Reply(b"<html>"), Reply({"no": "list"})])
def test_permanent_failures_are_not(serve: Any, failure: Any, reply: Reply) -> None:
    upstream = serve(in_turn(reply))
    failure(upstream.url, retry=QUICK)
    assert len(upstream.asked) == 1


def test_no_try_is_left(failing: Any) -> None:
    assert failing(in_turn(Reply(b"down", status=502)), retry=QUICK) == (
        "RetryableError",
        "UpstreamUnavailable",
        "GET URL/x answered 502: down; gave up after try 3 (spec.source.http.retry.attempts)",
    )


def test_the_count_begins_anew_with_each_page(serve: Any, read: Any) -> None:
    down = Reply(status=503)
    upstream = serve(in_turn(down, down, Reply([1]), down, down, Reply([2]), down, down, Reply([])))
    assert read(upstream.url, pagination={"page": {}}, retry=QUICK) == [1, 2]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(serve: Any, read: Any, form: str) -> None:
    served = datetime(2020, 1, 1, 0, 0, 0, tzinfo=UTC)
    value = "1" if form == "seconds" else format_datetime(served + timedelta(seconds=1), usegmt=True)
    refusal = Reply(status=429, headers={"Retry-After": value, "Date": format_datetime(served, usegmt=True)})
    started = time.monotonic()
    assert read(serve(in_turn(refusal, Reply([1]))).url, retry=QUICK) == [1]
    assert 1.0 <= time.monotonic() - started < 1.9


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_max_backoff_ends_the_read(serve: Any, failure: Any, status: int) -> None:
    upstream = serve(in_turn(Reply(status=status, headers={"Retry-After": "3600"})))
    error, _ = failure(upstream.url, retry=QUICK)
    assert isinstance(error, RetryableError)
    assert error.after == 3600.0
    assert error.message == (
        f"GET {upstream.url} answered {status}; it asks to wait 3600s, longer than 2s (spec.source.http.retry.maxBackoff)"
    )
    assert len(upstream.asked) == 1


def test_the_last_refusal_keeps_its_wait(serve: Any, failure: Any) -> None:
    upstream = serve(in_turn(Reply(status=429, headers={"Retry-After": "1"})))
    error, _ = failure(upstream.url, retry={"attempts": 1})
    assert (error.reason, error.after) == ("RateLimited", 1.0)


def test_backoff_doubles_up_to_its_cap() -> None:
    policy = RequestRetry(backoff=timedelta(seconds=1), max_backoff=timedelta(seconds=10))
    assert [backoff(policy, tries, 1.0) for tries in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert [backoff(policy, tries, 0.25) for tries in (1, 2)] == [0.25, 0.5]
    assert backoff(policy, 20, 0.0) == 0


def test_no_wait_after_the_last_try() -> None:
    policy = RequestRetry(attempts=1, backoff=timedelta(hours=1), max_backoff=timedelta(hours=1))

    def attempt() -> None:
        raise RetryableError("down")

    with pytest.raises(RetryableError):
        Retrying(policy, threading.Event(), lambda: 1.0).run(attempt)


NOW = datetime(2026, 1, 3, 0, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": " 120 "}, 120.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Sat, 03 Jan 2026 00:01:00 GMT"}, 60.0),
        ({"retry-after": "Fri, 02 Jan 2026 00:01:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 03 Jan 2026 00:01:00 GMT", "date": "Sat, 03 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 03 Jan 2026 00:01:00 GMT", "date": "never"}, 60.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds
