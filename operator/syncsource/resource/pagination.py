"""How pages follow one another: ``spec.source.http.pagination``."""

from __future__ import annotations

from pydantic import Field

from syncsource.resource.parts import Param
from syncsource.resource.types import Part, Path, ruled


class PagePagination(Part):
    """Numbered pages: read until the announced total, or until a page is empty."""

    param: Param = Field("page", description="Query parameter with the page's number.")
    start: int = Field(1, ge=0, le=1, description="Number of the first page.")
    size_param: Param | None = Field(None, description="Query parameter with the page's size, for example per_page.")
    size: int | None = Field(None, ge=1, le=100_000, description="Records asked for per page; needs sizeParam.")
    total_pages_header: Param = Field(
        "X-WP-TotalPages", description="Response header with the number of pages, where the upstream sends one."
    )
    model_config = ruled(("has(self.size) == has(self.sizeParam)", "size and sizeParam must be set together"))


class OffsetPagination(Part):
    """Offset and limit: read until a page is empty."""

    param: Param = Field("offset", description="Query parameter with the number of records to skip.")
    limit_param: Param = Field("limit", description="Query parameter with the page's size.")
    limit: int = Field(100, ge=1, le=100_000, description="Records asked for per page.")


class CursorPagination(Part):
    """A token in the body names the next page; the last page has none."""

    param: Param = Field("cursor", description="Query parameter that carries the token.")
    path: Path = Field("next", description="JMESPath in the body to the next page's token. Absent, null or empty: last page.")


class LinkPagination(Part):
    """The Link header (RFC 8288) with rel=next names the next page."""


class NextUrlPagination(Part):
    """A URL in the body names the next page; it must stay on the host of baseURL."""

    path: Path = Field("next", description="JMESPath in the body to the next page's URL. Absent, null or empty: last page.")


class NoPagination(Part):
    """One request has all records."""


class Pagination(Part):
    """How the pages follow one another; exactly one kind."""

    model_config = ruled(
        (
            "[has(self.page), has(self.offset), has(self.cursor), has(self.link), has(self.nextURL), has(self.none)].exists_one(x, x)",
            "exactly one of page, offset, cursor, link, nextURL, none must be set",
        )
    )
    page: PagePagination | None = Field(None, description="Numbered pages.")
    offset: OffsetPagination | None = Field(None, description="Offset and limit.")
    cursor: CursorPagination | None = Field(None, description="A token in the body.")
    link: LinkPagination | None = Field(None, description="The Link header with rel=next: `link: {}`.")
    next_url: NextUrlPagination | None = Field(None, alias="nextURL", description="A URL in the body.")
    none: NoPagination | None = Field(None, description="One request has all: `none: {}`. The default.")
