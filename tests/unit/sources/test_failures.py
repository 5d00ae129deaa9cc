"""What goes wrong with one request: class, reason and the whole message."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
import zlib
from typing import Any

import pytest

from syncsource.errors import PermanentError, StalledError
from syncsource.sources import local_hosts
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import Credentials
from syncsource.sources.rest.client import Client
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.terms import Terms
from syncsource.sources.rest.urls import base_url
from tests.upstream import Asked, Reply, in_turn, listening

NASTY = b"\x1b[31mred\x1b[0m \x9b2J\x00\r\nSecond\xe2\x80\xae line \xff"
SHOWN = "[31mred [0m \ufffd2J Second line \ufffd"
TRIED = "; gave up after try 1 (spec.source.http.retry.attempts)"


@pytest.mark.parametrize(
    ("status", "kind", "reason", "end"),
    [
        (400, "PermanentError", "UpstreamRefused", ""),
        (304, "PermanentError", "UpstreamRefused", None),
        (404, "PermanentError", "NotFound", "; check spec.source.http.baseURL and spec.source.http.request.path"),
        (408, "RetryableError", "Timeout", TRIED),
        (410, "PermanentError", "UpstreamRefused", ""),
        (429, "RetryableError", "RateLimited", TRIED),
        (500, "RetryableError", "UpstreamUnavailable", TRIED),
        (503, "RetryableError", "UpstreamUnavailable", TRIED),
        (599, "RetryableError", "UpstreamUnavailable", TRIED),
    ],
)
def test_statuses(failing: Any, status: int, kind: str, reason: str, end: str | None) -> None:
    body = b"" if status == 304 else NASTY
    said = f"GET URL/x answered {status}" + (f": {SHOWN}{end}" if end is not None else "")
    assert failing(in_turn(Reply(body, status=status))) == (kind, reason, said)


def test_a_long_refusal_is_cut(failing: Any) -> None:
    body = itertools.chain([b"Sorry. " * 5000], itertools.repeat(b"Sorry. " * 5000, 100))
    assert failing(in_turn(Reply(body, status=400, framed=False)))[2] == "GET URL/x answered 400: " + ("Sorry. " * 50)[:199] + "…"


def test_compressed_refusals_are_read(failing: Any) -> None:
    reply = Reply(gzip.compress(b"no such store"), status=422, headers={"Content-Encoding": "gzip"})
    assert failing(in_turn(reply))[2] == "GET URL/x answered 422: no such store"


ADVICE = "; check spec.source.http.baseURL and spec.source.http.request"
HTML = {"Content-Type": "text/html; charset=UTF-8"}


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            Reply(b"<!DOCTYPE html>\n<title>Log\x1b in</title>", headers=HTML),
            f"200 with text/html; charset=UTF-8, which is not JSON (JSON is malformed: invalid character (byte 0)): <!DOCTYPE html> <title>Log in</title>{ADVICE}",
        ),
        (Reply(b""), "200 with application/json, which is not JSON (the body is empty)"),
        (Reply(b" \n", headers=HTML), f"200 with text/html; charset=UTF-8, which is not JSON (the body is empty){ADVICE}"),
        (Reply(b"", status=204), "204 with application/json, which is not JSON (the body is empty)"),
        (Reply(b'[{"id": 1}, {"i'), '200 with application/json, which is not JSON (the JSON ends too early): [{"id": 1}, {"i'),
        (
            Reply(b"[1] <!-- 0.1 s -->"),
            "200 with application/json, which is not JSON (JSON is malformed: trailing characters (byte 5)): [1] <!-- 0.1 s -->",
        ),
        (Reply(b"[NaN]"), "200 with application/json, which is not JSON (JSON is malformed: invalid character (byte 1)): [NaN]"),
    ],
)
def test_what_is_not_json(failing: Any, reply: Reply, message: str) -> None:
    assert failing(in_turn(reply)) == ("PermanentError", "NotJSON", f"GET URL/x answered {message}")


@pytest.mark.parametrize("body", [b'["\xff"]', b"[" * 100_000])
def test_other_bodies_that_are_not_json(failing: Any, body: bytes) -> None:
    kind, reason, message = failing(in_turn(Reply(body)))
    assert (kind, reason) == ("PermanentError", "NotJSON")
    assert message.startswith("GET URL/x answered 200 with application/json, which is not JSON (")


@pytest.mark.parametrize("number", [b"9" * 5000, b"1e99999999999999999999"])
def test_numbers_that_cannot_be_kept(failing: Any, number: bytes) -> None:
    assert failing(in_turn(Reply(b"[" + number + b"]"))) == (
        "PermanentError",
        "NumberOutOfRange",
        "GET URL/x: a number in the body has more digits than can be kept exactly",
    )


@pytest.mark.parametrize(
    ("body", "records", "message"),
    [
        (
            {"data": {"rows": [], "a\x1bb": 1}, "next": 1},
            "data.items",
            "'data.items' finds nothing, not a list; {}, the body has the fields data, next",
        ),
        ({"data": "none"}, "data", "'data' finds a text, not a list; {}, the body has the fields data"),
        ({"a\x1b[1m\n": 0}, "data", "'data' finds nothing, not a list; {}, the body has the fields a [1m"),
        ({}, "data", "'data' finds nothing, not a list; {}, the body is an empty object"),
        ([1], "data", "'data' finds nothing, not a list; {}, the body is a list"),
        (
            {f"f{n}": n for n in range(22)},
            "x",
            "'x' finds nothing, not a list; {}, the body has the fields " + ", ".join(f"f{n}" for n in range(20)) + " and 2 more",
        ),
        (
            {"code": "no_access"},
            None,
            "the body is an object, not a list: set it to the path of the list of records, or to @ where the body is the only record; "
            "{}, the body has the fields code",
        ),
        (12, None, "the body is a number, not a list: set it to the path of the list of records; {}, the body is a number"),
    ],
)
def test_records_that_are_not_there(failing: Any, body: Any, records: str | None, message: str) -> None:
    options = {"records": records} if records else {}
    assert failing(in_turn(Reply(body)), **options) == (
        "SchemaMismatch",
        "RecordsNotFound",
        f"spec.source.http.records: {message.format('in the answer of GET URL/x')}",
    )


def test_a_path_that_does_not_fit(failing: Any) -> None:
    kind, reason, message = failing(in_turn(Reply({"data": 1})), records="sort(data)")
    assert (kind, reason) == ("SchemaMismatch", "SchemaMismatch")
    assert message.startswith("spec.source.http.records: the path can't be applied to the answer of GET URL/x: In function sort()")


def test_no_connection(failure: Any) -> None:
    with listening() as (_, url):
        pass
    error, _ = failure(url)
    assert (type(error).__name__, error.reason, error.message) == (
        "RetryableError",
        "ConnectionFailed",
        f"GET {url}: no connection: [Errno 111] Connection refused{TRIED}",
    )


def test_no_such_host(failure: Any) -> None:
    error, _ = failure("http://no-such-host.invalid")
    assert (type(error).__name__, error.reason) == ("RetryableError", "ConnectionFailed")


LOST = "GET URL/x: the connection was lost before the answer was complete"


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(b"[1, 2", length=50), ": peer closed connection without sending complete message body (received 5 bytes, expected 50)"),
        (
            Reply(b"5\r\n[1, 2\r\n", headers={"Transfer-Encoding": "chunked"}, framed=False),
            ": peer closed connection without sending complete message body (incomplete chunked read)",
        ),
        (Reply(b"[1, 2", framed=False), ""),
    ],
    ids=["length", "chunks", "unframed"],
)
def test_a_body_that_is_cut(failing: Any, reply: Reply, detail: str) -> None:
    assert failing(in_turn(reply)) == ("RetryableError", "ConnectionLost", LOST + detail + TRIED)


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"", "Server disconnected without sending a response."),
        (b"220 mail.example ESMTP\r\n\r\n", "illegal status line: bytearray(b'220 mail.example ESMTP')"),
    ],
)
def test_what_is_not_http(failure: Any, said: bytes, detail: str) -> None:
    with listening() as (sock, url):

        def answer() -> None:
            peer, _ = sock.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        error, _ = failure(url + "/x")
        thread.join()
    assert (type(error).__name__, error.reason) == ("RetryableError", "ConnectionLost")
    assert error.message == LOST.replace("URL", url) + f": {detail}{TRIED}"


TIMED_OUT = "GET {}/x: no complete answer within 200ms (spec.source.http.timeout)" + TRIED


def test_a_server_that_says_nothing(failure: Any) -> None:
    with listening() as (_, url):
        error, _ = failure(url, request={"path": "/x"}, timeout="200ms")
    assert (type(error).__name__, error.reason, error.message) == ("RetryableError", "Timeout", TIMED_OUT.format(url))


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_that_drips(serve: Any, failure: Any, status: int) -> None:
    def drip(asked: Asked) -> Reply:
        return Reply(iter(lambda: b"" if upstream.over.wait(0.02) else b" ", None), length=10_000_000, status=status)

    upstream = serve(drip)
    _times_out(failure, upstream.url)


def test_a_header_that_drips(failure: Any) -> None:
    with listening() as (sock, url):
        thread = threading.Thread(target=_drip_headers, args=(sock,))
        thread.start()
        _times_out(failure, url)
        thread.join()


def _times_out(failure: Any, url: str) -> None:
    started = time.monotonic()
    error, _ = failure(url, request={"path": "/x"}, timeout="200ms")
    assert time.monotonic() - started < 1.5
    assert (type(error).__name__, error.reason, error.message) == ("RetryableError", "Timeout", TIMED_OUT.format(url))


def _drip_headers(sock: socket.socket) -> None:
    """A byte of a header every 20 ms, until the other side hangs up."""
    peer, _ = sock.accept()
    with peer:
        peer.settimeout(0.02)
        peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while True:
                try:
                    if peer.recv(65536) == b"":
                        return
                except TimeoutError:
                    peer.sendall(b"x")
        except OSError:
            return


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies(serve: Any, read: Any, encoding: str) -> None:
    body = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding](b'[{"id": 1}]')
    assert read(serve(in_turn(Reply(body, headers={"Content-Encoding": encoding}))).url) == [{"id": 1}]


def test_a_body_that_is_not_compressed_as_it_says(failing: Any) -> None:
    kind, reason, message = failing(in_turn(Reply(b"[1, 2, 3]", headers={"Content-Encoding": "gzip"})))
    assert (kind, reason) == ("PermanentError", "NotJSON")
    assert message == "GET URL/x: the body can't be decompressed: Error -3 while decompressing data: incorrect header check"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_body_too_large_for_memory(serve: Any, cancelled: Any, encoding: str) -> None:
    plain = b" " * 3_000_000
    upstream = serve(in_turn(Reply(gzip.compress(plain) if encoding == "gzip" else plain, headers={"Content-Encoding": encoding})))
    terms = Terms(base=base_url(upstream.url), largest_body=1_000_000, too_large="; ask for less")
    client = Client(terms, Credentials(), Redaction([]), hosts=local_hosts(cancelled), cancelled=cancelled)
    with pytest.raises(PermanentError) as caught:
        client.fetch(Ask(base_url(upstream.url)))
    client.close()
    assert (caught.value.reason, caught.value.message) == (
        "AnswerTooLarge",
        f"GET {upstream.url}: the body is larger than 1,000,000 bytes; ask for less",
    )


@pytest.mark.parametrize("url", ["http://u:p@h/", "http://u@h/", "http://"])
def test_a_base_url_with_credentials_or_without_host(url: str) -> None:
    with pytest.raises(StalledError) as caught:
        base_url(url)
    assert caught.value.reason == "InvalidSpec"
    assert "u:p" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [(503, "RetryableError", "UpstreamUnavailable"), (429, "RetryableError", "RateLimited"), (401, "PermanentError", "AuthFailed")],
)
@pytest.mark.parametrize("reply", [{"headers": {"Content-Encoding": "gzip"}}, {"length": 1000}])
def test_a_refusal_is_what_its_status_says_whatever_its_body_is(failing: Any, status: int, kind: str, reason: str, reply: Any) -> None:
    """Proxies answer for a server with its headers and a body of their own."""
    assert failing(in_turn(Reply(b"Busy", status=status, **reply)))[:2] == (kind, reason)
