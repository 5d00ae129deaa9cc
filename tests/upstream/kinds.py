"""Each kind of pagination: what a manifest declares, and how an upstream honours it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.upstream.server import Asked, Reply

Record = dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """One page of what was found."""

    rows: list[Record]
    start: int
    """How many records stand before it."""
    following: int | None
    """Where the next page starts; None on the last."""
    total: int
    """Records on all pages."""
    size: int
    """Records on a whole page."""

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
    http: Mapping[str, Any] = field(default_factory=dict)
    """What else ``spec.source.http`` needs."""


def _page(query: dict[str, str], size: int, _: list[Record]) -> int:
    return (int(query["page"]) - 1) * size


def _offset(query: dict[str, str], size: int, _: list[Record]) -> int:
    return int(query["offset"])


def _token(query: dict[str, str], size: int, _: list[Record]) -> int:
    return int(query.get("cursor", "after-0").removeprefix("after-"))


def _at(query: dict[str, str], size: int, _: list[Record]) -> int:
    return int(query.get("at", 0))


def _list(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows)


def _announced(_: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={"X-WP-TotalPages": str(cut.pages)})


def _tokens(_: Asked, cut: Cut) -> Reply:
    return Reply({"data": cut.rows, "next": None if cut.following is None else f"after-{cut.following}"})


def _linked(asked: Asked, cut: Cut) -> Reply:
    return Reply(cut.rows, headers={} if cut.following is None else {"Link": f'<{_url(asked, cut.following)}>; rel="next"'})


def _next(asked: Asked, cut: Cut) -> Reply:
    return Reply({"data": cut.rows, "next": None if cut.following is None else _url(asked, cut.following)})


def _url(asked: Asked, start: int) -> str:
    return f"{asked.path}?{urlencode({**asked.query, 'at': start})}"


KINDS = [
    Kind("page", {"page": {}}, _page, _list, asks_beyond=True),
    Kind("page-announced", {"page": {}}, _page, _announced),
    Kind("offset", {"offset": {}}, _offset, _list, asks_beyond=True),
    Kind("cursor", {"cursor": {}}, _token, _tokens, "data"),
    Kind("link", {"link": {}}, _at, _linked),
    Kind("next-url", {"nextURL": {}}, _at, _next, "data"),
    Kind("none", {"none": {}}, _at, _list, pages=False),
]
"""All of them."""
