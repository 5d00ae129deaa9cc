"""Each kind of pagination: what a manifest declares, and how an upstream honours it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.upstream.server import Asked, Reply

Record = dict[str, Any]


def position(record: Record) -> tuple[str, int]:
    """What records are ordered by: when they were changed, and then the id."""
    return record["changed"], record["id"]


@dataclass(frozen=True)
class Cut:
    """One page of what was found."""

    rows: list[Record]
    start: int
    """How many records stand before it."""
    more: bool
    """Whether records stand after it."""
    total: int
    """Records on all pages."""
    size: int
    """Records on a whole page."""

    @property
    def token(self) -> str:
        """Names the page after it by its last record, so that it means the same when others come and go."""
        return f"{position(self.rows[-1])[0]}~{position(self.rows[-1])[1]}"

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // self.size)


@dataclass(frozen=True)
class Kind:
    """One kind. ``start`` reads a request, ``answer`` writes the body and headers of a page."""

    name: str
    pagination: Mapping[str, Any]
    """``spec.source.http.pagination``."""
    start: Callable[[dict[str, str], int, list[Record]], int]
    answer: Callable[[Asked, Cut], Reply]
    records: str | None = None
    """``spec.source.http.records``."""
    asks_beyond: bool = False
    """Whether a page after the last one is asked for."""
    pages: bool = True
    """Whether there is more than one page."""
    counts: bool = False
    """Whether pages are counted off, so that a record which moves to the end while they are read takes another's place."""
    http: Mapping[str, Any] = field(default_factory=dict)
    """What else ``spec.source.http`` needs."""

    def __str__(self) -> str:
        return self.name


def _page(query: dict[str, str], size: int, _: list[Record]) -> int:
    return (int(query["page"]) - 1) * size


def _offset(query: dict[str, str], size: int, _: list[Record]) -> int:
    return int(query["offset"])


def _token(query: dict[str, str], size: int, found: list[Record]) -> int:
    return _after(query.get("cursor"), found)


def _at(query: dict[str, str], size: int, found: list[Record]) -> int:
    return _after(query.get("at"), found)


def _after(token: str | None, found: list[Record]) -> int:
    """How many records stand before the page that a token names."""
    if token is None:
        return 0
    changed, _, number = token.rpartition("~")
    return sum(position(record) <= (changed, int(number)) for record in found)


def _keyset(query: dict[str, str], size: int, found: list[Record]) -> int:
    return _after(f"{query['after']}~{query['after_id']}" if "after" in query else None, found)


def _list(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows)


def _announced(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={"X-WP-TotalPages": str(cut.pages)})


def _counted(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={"X-Total-Count": str(cut.total)})


def _more(_: Asked, cut: Cut) -> Reply:
    return Reply({"data": cut.rows, "more": cut.more})


def _in_header(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={"X-Next": cut.token} if cut.more else {})


def _lines(_: Asked, cut: Cut) -> Reply:
    return Reply(b"".join(json.dumps(row).encode() + b"\n" for row in cut.rows), headers={"Content-Type": "application/x-ndjson"})


def _tokens(_: Asked, cut: Cut) -> Reply:
    return Reply({"data": cut.rows, "next": cut.token if cut.more else None})


def _linked(asked: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={"Link": f'<{_url(asked, cut)}>; rel="next"'} if cut.more else {})


def _next(asked: Asked, cut: Cut) -> Reply:
    return Reply({"data": cut.rows, "next": _url(asked, cut) if cut.more else None})


def _url(asked: Asked, cut: Cut) -> str:
    return f"{asked.path}?{urlencode({**asked.query, 'at': cut.token})}"


POST = {"request": {"method": "POST", "path": "/orders", "body": {}}}
KEYSET = [{"path": "changed", "param": "after"}, {"path": "id", "param": "after_id"}]
KINDS = [
    Kind("page", {"page": {}}, _page, _list, asks_beyond=True, counts=True),
    Kind("page-announced", {"page": {}}, _page, _announced, counts=True),
    Kind("offset", {"offset": {}}, _offset, _list, asks_beyond=True, counts=True),
    Kind("cursor", {"cursor": {}}, _token, _tokens, "data"),
    Kind("link", {"link": {}}, _at, _linked),
    Kind("next-url", {"nextURL": {}}, _at, _next, "data"),
    Kind("offset-counted", {"offset": {}, "stop": {"totalRecords": {"header": "X-Total-Count"}}}, _offset, _counted, counts=True),
    Kind("page-more", {"page": {}, "stop": {"more": {"path": "more"}}}, _page, _more, "data", counts=True),
    Kind("page-in-body", {"page": {"sendIn": "Body"}}, _page, _list, asks_beyond=True, counts=True, http=POST),
    Kind("cursor-in-header", {"cursor": {"header": "X-Next"}}, _token, _in_header),
    Kind("keyset", {"keyset": {"fields": KEYSET}}, _keyset, _list, asks_beyond=True),
    Kind("none", {"none": {}}, _at, _list, pages=False),
]
"""All of them."""
NDJSON = Kind("ndjson", {"none": {}}, _at, _lines, pages=False)
"""A record per line, all in one answer."""
