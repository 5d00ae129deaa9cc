"""Every way to spoil a page, and what the run that meets it is to say."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tests.upstream.server import Asked, Reply

RETRY, SCHEDULE = "Retry", "Schedule"
HTML = b"<!DOCTYPE html><html><title>Log in</title><form action=/login method=post>...</form></html>"


@dataclass
class Around:
    """What faults need of the stage."""

    foreign: str
    """The URL of another host."""
    over: threading.Event
    """Set at the end; what drips waits for it."""
    asked: Callable[[int], Reply]
    """The honest reply of a page that was sent before."""


Strike = Callable[[Reply, Asked, Around], Reply]


@dataclass(frozen=True)
class Fault:
    """A page that can't be read. The run says ``reason`` and ``says``, and ``next`` is what follows it."""

    name: str
    strike: Strike
    reason: str
    next: str
    says: str
    after: float | None = None
    """Seconds that the upstream asks to wait."""
    later: bool = False
    """Whether it needs a page before it."""
    http: dict[str, object] = field(default_factory=dict)
    """What ``spec.source.http`` needs for the fault to be met soon."""


def body(reply: Reply) -> bytes:
    """What an honest reply sends."""
    assert reply.content is not None
    return reply.content


def _half(reply: Reply) -> bytes:
    return body(reply)[: len(body(reply)) // 2]


def _status(status: int, **headers: str) -> Strike:
    return lambda reply, asked, around: Reply({"message": "not now"}, status, headers)


def _instead(content: bytes, **headers: str) -> Strike:
    return lambda reply, asked, around: replace(reply, body=content, headers={**reply.headers, **headers})


def _within(found: bytes, put: bytes) -> Strike:
    """Replaces a part of the body, where it stands first."""

    def strike(reply: Reply, asked: Asked, around: Around) -> Reply:
        return replace(reply, body=body(reply).replace(found, put, 1))

    return strike


def _beside(record: bytes) -> Strike:
    """Another record before those of the page, if it has any."""

    def strike(reply: Reply, asked: Asked, around: Around) -> Reply:
        before, found, others = body(reply).partition(b"[")
        return replace(reply, body=before + found + record + b", " * (not others.startswith(b"]")) + others)

    return strike


def _drip(content: bytes, over: threading.Event) -> Iterator[bytes]:
    for place in range(len(content)):
        yield content[place : place + 1]
        over.wait(0.02)


def _packed(content: bytes) -> Strike:
    return lambda reply, asked, around: Reply(content, headers={"Content-Encoding": "gzip"})


def _huge(over: threading.Event) -> Reply:
    """Said to be 100 MB of spaces; nothing is made of them that nobody reads."""
    pieces = (b" " * 65536 for _ in range(1600) if not over.is_set())
    return Reply(pieces, length=1600 * 65536)


def _elsewhere(reply: Reply, asked: Asked, around: Around) -> Reply:
    return Reply(b"", 307, {"Location": f"{around.foreign}/page"})


_BOMB = gzip.compress(bytes(8 << 20))
BOUNDED: dict[str, object] = {"maxPageBytes": 1 << 20}
FAILING: dict[str, object] = {
    "failIf": [
        {"when": "[].error || data[].error", "message": "[0].error || data[0].error"},
        {"when": "[].busy || data[].busy", "retry": True},
    ]
}
LOST = "the connection was lost before the answer was complete"
NO_JSON = "which is not JSON"

FAULTS = [
    Fault("length-too-long", lambda r, a, _: replace(r, body=body(r), length=len(body(r)) + 9), "ConnectionLost", RETRY, LOST),
    Fault("length-too-short", lambda r, a, _: replace(r, body=body(r), length=len(body(r)) - 1), "NotJSON", SCHEDULE, "ends too early"),
    Fault("cut-with-length", lambda r, a, _: replace(r, body=_half(r), length=len(body(r))), "ConnectionLost", RETRY, LOST),
    Fault("cut-without-length", lambda r, a, _: replace(r, body=_half(r), framed=False), "ConnectionLost", RETRY, LOST),
    Fault(
        "cut-in-a-chunk",
        lambda r, a, _: Reply(b"%x\r\n%s" % (len(body(r)), _half(r)), headers={"Transfer-Encoding": "chunked"}, framed=False),
        "ConnectionLost",
        RETRY,
        LOST,
    ),
    Fault("reset-in-mid-body", lambda r, a, _: replace(r, body=_half(r), length=len(body(r)), reset=True), "ConnectionLost", RETRY, LOST),
    Fault("reset-at-once", lambda r, a, _: Reply(b"", bare=True, reset=True), "ConnectionLost", RETRY, LOST),
    Fault("hang-up", lambda r, a, _: Reply(b"", bare=True), "ConnectionLost", RETRY, LOST),
    Fault("not-http", lambda r, a, _: Reply(b"SSH-2.0-OpenSSH_9.2p1\r\n", bare=True), "ConnectionLost", RETRY, LOST),
    Fault(
        "slow-drip",
        lambda r, a, around: replace(r, body=_drip(body(r) + b" " * 1000, around.over), length=len(body(r)) + 1000),
        "Timeout",
        RETRY,
        "no complete answer within 200ms (spec.source.http.timeout)",
        http={"timeout": "200ms"},
    ),
    Fault("429", _status(429), "RateLimited", RETRY, "answered 429"),
    Fault("429-retry-after", _status(429, **{"Retry-After": "120"}), "RateLimited", RETRY, "it asks to wait 120s", 120.0),
    Fault("500", _status(500), "UpstreamUnavailable", RETRY, "answered 500"),
    Fault("503-retry-after", _status(503, **{"Retry-After": "90"}), "UpstreamUnavailable", RETRY, "it asks to wait 90s", 90.0),
    Fault("408", _status(408), "Timeout", RETRY, "answered 408"),
    Fault("400", _status(400), "UpstreamRefused", SCHEDULE, "answered 400"),
    Fault("401", _status(401), "AuthFailed", SCHEDULE, "it wants credentials; set spec.source.http.auth"),
    Fault("403", _status(403), "AuthFailed", SCHEDULE, "it wants credentials; set spec.source.http.auth"),
    Fault("404", _status(404), "NotFound", SCHEDULE, "check spec.source.http.baseURL"),
    Fault("redirect-to-another-host", _elsewhere, "ForeignHost", SCHEDULE, "nothing was sent there"),
    Fault("redirect-loop", lambda r, a, _: Reply(b"", 308, {"Location": a.raw}), "RedirectRefused", SCHEDULE, "redirects in a row"),
    Fault("html-login-page", _instead(HTML, **{"Content-Type": "text/html"}), "NotJSON", SCHEDULE, "<title>Log in</title>"),
    Fault("html-that-claims-json", _instead(HTML), "NotJSON", SCHEDULE, NO_JSON),
    Fault("empty-body", _instead(b""), "NotJSON", SCHEDULE, "the body is empty"),
    Fault("no-content", lambda r, a, _: Reply(b"", 204), "NotJSON", SCHEDULE, "the body is empty"),
    Fault("truncated-json", lambda r, a, _: replace(r, body=body(r)[:-1]), "NotJSON", SCHEDULE, "ends too early"),
    Fault("two-bodies", lambda r, a, _: replace(r, body=body(r) * 2), "NotJSON", SCHEDULE, "trailing characters"),
    Fault("utf-16", lambda r, a, _: replace(r, body=body(r).decode().encode("utf-16")), "NotJSON", SCHEDULE, NO_JSON),
    Fault("invalid-utf-8", _within(b"[", b'["\xff\xfe", '), "NotJSON", SCHEDULE, NO_JSON),
    Fault("not-a-number", _within(b"[", b"[NaN, "), "NotJSON", SCHEDULE, NO_JSON),
    Fault("infinity", _within(b"[", b"[-Infinity, "), "NotJSON", SCHEDULE, NO_JSON),
    Fault("nested-bomb", _instead(b"[" * 200_000), "NotJSON", SCHEDULE, NO_JSON),
    Fault("error-with-200", _instead(b'{"error": "quota exceeded"}'), "RecordsNotFound", SCHEDULE, "the body has the fields error"),
    Fault("records-are-a-text", _instead(b'{"data": "none"}'), "RecordsNotFound", SCHEDULE, "spec.source.http.records"),
    Fault("null", _instead(b"null"), "RecordsNotFound", SCHEDULE, "spec.source.http.records"),
    Fault(
        "gzip-that-is-none",
        lambda r, a, _: replace(r, body=body(r), headers={"Content-Encoding": "gzip"}),
        "NotJSON",
        SCHEDULE,
        "decompressed",
    ),
    Fault(
        "gzip-cut",
        lambda r, a, _: Reply(gzip.compress(body(r))[:-9], headers={"Content-Encoding": "gzip"}),
        "ConnectionLost",
        RETRY,
        LOST,
    ),
    Fault("repeated-page", lambda r, a, around: around.asked(1), "PaginationStuck", SCHEDULE, "page 1", later=True),
    Fault("compressed-bomb", _packed(_BOMB), "AnswerTooLarge", SCHEDULE, "ask for smaller pages", http=BOUNDED),
    Fault("page-of-100-mb", lambda r, a, around: _huge(around.over), "AnswerTooLarge", SCHEDULE, "ask for smaller pages", http=BOUNDED),
    Fault("error-beside-records", _beside(b'{"error": "quota"}'), "AnswerFailed", SCHEDULE, "failIf", http=FAILING),
    Fault("error-that-passes", _beside(b'{"busy": true}'), "AnswerFailed", RETRY, "failIf", http=FAILING),
]
"""Whole pages that can't be read."""


def _typed(content_type: str) -> Strike:
    return lambda reply, asked, around: replace(reply, headers={**reply.headers, "Content-Type": content_type})


HARMLESS: dict[str, Strike] = {
    "says-html": _typed("text/html"),
    "says-nothing-known": _typed("x"),
    "says-latin-1": _typed("application/json; charset=iso-8859-1"),
    "byte-order-mark": lambda reply, asked, around: replace(reply, body=b"\xef\xbb\xbf" + body(reply)),
    "without-length": lambda reply, asked, around: replace(reply, body=body(reply), framed=False),
    "gzip": lambda r, a, _: replace(r, body=gzip.compress(body(r)), headers={**r.headers, "Content-Encoding": "gzip"}),
    "redirect-within": lambda r, a, _: (
        r if "moved" in a.raw else Reply(b"", 307, {"Location": f"{a.raw}{'&' if '?' in a.raw else '?'}moved=1"})
    ),
}
"""Whole pages that look odd and are read."""
