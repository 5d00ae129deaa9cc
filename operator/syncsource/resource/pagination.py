"""How pages follow one another: ``spec.source.http.pagination``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.parts import Param
from syncsource.resource.types import Part, Path, ruled

SendIn = Annotated[
    Literal["Query", "Header", "Body"],
    Field(
        description="Where the parameters go. Body: a member of request.body, dots lead into objects (variables.after), or of request.form."
    ),
]
Size = Annotated[int, Field(ge=1, le=100_000)]
_SIZED = ("has(self.size) == has(self.sizeParam)", "size and sizeParam must be set together")
_TOLD = "at most one of path and header may be set"


class Told(Part):
    """Where an answer tells something; exactly one of path and header."""

    model_config = ruled(("has(self.path) != has(self.header)", "exactly one of path and header must be set"))
    path: Path | None = Field(None, description="JMESPath in the body, for example meta.total.")
    header: Param | None = Field(None, description="Response header, for example X-Total-Count.")


class PagePagination(Part):
    """Numbered pages: read until the announced total, or until a page is empty."""

    param: Param = Field("page", description="Parameter with the page's number.")
    send_in: SendIn = "Query"
    start: int = Field(1, ge=0, le=1_000_000, description="Number of the first page.")
    omit_first: bool = Field(False, description="Ask for the first page without its number.")
    size_param: Param | None = Field(None, description="Parameter with the page's size, for example per_page.")
    size: Size | None = Field(None, description="Records asked for per page; needs sizeParam.")
    total_pages_header: Param = Field(
        "X-WP-TotalPages", description="Response header with the number of pages, where the upstream sends one and stop names no total."
    )
    model_config = ruled(_SIZED)


class OffsetPagination(Part):
    """Offset and limit: read until a page is empty."""

    param: Param = Field("offset", description="Parameter with the number of records to skip.")
    send_in: SendIn = "Query"
    start: int = Field(0, ge=0, le=1_000_000, description="Offset of the first record.")
    omit_first: bool = Field(False, description="Ask for the first page without an offset.")
    limit_param: Param = Field("limit", description="Parameter with the page's size.")
    limit: Size = Field(100, description="Records asked for per page.")
    overlap: int = Field(
        0,
        ge=0,
        le=1,
        description="1: each page begins with the last record of the one before, so that rows that move while they are read are noticed.",
    )
    model_config = ruled(("self.overlap < self.limit", "overlap must be less than limit"))


class CursorPagination(Part):
    """A token names the next page; the last page has none."""

    model_config = ruled(_SIZED, ("!(has(self.path) && has(self.header))", _TOLD))
    param: Param = Field("cursor", description="Parameter that carries the token.")
    send_in: SendIn = "Query"
    path: Path | None = Field(
        None,
        description="JMESPath in the body to the next page's token. Absent, null or empty: last page. Default: next, unless header is set.",
    )
    header: Param | None = Field(None, description="Response header with the next page's token. Absent or empty: last page.")
    first: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="Token of the first page, for example *. Absent: the first page is asked for without one."
    )
    size_param: Param | None = Field(None, description="Parameter with the page's size, for example limit.")
    size: Size | None = Field(None, description="Records asked for per page; needs sizeParam.")


class LinkPagination(Part):
    """The Link header (RFC 8288) names the next page."""

    rel: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\"]+$")] = Field(
        "next", description="Relation type of the link to the next page."
    )


class NextUrlPagination(Part):
    """A URL names the next page; it must stay on the host of baseURL."""

    model_config = ruled(("!(has(self.path) && has(self.header))", _TOLD))
    path: Path | None = Field(
        None,
        description="JMESPath in the body to the next page's URL. Absent, null or empty: last page. Default: next, unless header is set.",
    )
    header: Param | None = Field(None, description="Response header with the next page's URL. Absent or empty: last page.")


class KeysetField(Part):
    """A field of the records that they are ordered by."""

    path: Path = Field(description="Path in a record, for example updatedAt.")
    param: Param | None = Field(
        None, description="Parameter that carries the last record's value. Absent: a template does, for example {{ last.updatedAt }}."
    )


class KeysetPagination(Part):
    """The last record's values name the next page; read until a page is empty, or nothing but the ties of the last."""

    model_config = ruled(
        ("!has(self.sizeParam) || has(self.size)", "sizeParam needs size"),
        (
            "size(self.fields) > 1 || has(self.size) || has(self.offsetParam)",
            "a single field needs size or offsetParam, so that more ties than a page holds are not taken for the end",
        ),
    )
    fields: Annotated[list[KeysetField], Field(min_length=1, max_length=4, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        description="What the upstream orders by, in that order: usually the cursor and the id."
    )
    send_in: SendIn = "Query"
    offset_param: Param | None = Field(
        None, description="Parameter that skips records, for ties that fill more than a page where fields holds no id."
    )
    size_param: Param | None = Field(None, description="Parameter with the page's size, for example limit.")
    size: Size | None = Field(None, description="Records per page: what sizeParam asks for, or what the upstream gives.")


class NoPagination(Part):
    """One request has all records."""


class Stop(Part):
    """What ends the reading besides the kind's own end. Several may be set: the first that holds ends it."""

    short_page: bool = Field(
        False, description="A page with fewer records than were asked for is the last. Only where the size is kept to."
    )
    empty_page: bool = Field(
        False, description="A page without records is the last, whatever it names as the next: for cursor, link, nextURL."
    )
    total_pages: Told | None = Field(None, description="Where the number of pages is told.")
    total_records: Told | None = Field(None, description="Where the number of records is told.")
    more: Told | None = Field(None, description="Where it is told that more pages follow. false, 0, no, empty or absent: last page.")
    last: Told | None = Field(None, description="Where it is told that this is the last page. false, 0, no, empty or absent: it is not.")
    after_pages: int | None = Field(None, ge=1, le=10_000_000, description="Read so many pages and take them for everything.")


_KINDS = ("page", "offset", "cursor", "link", "nextURL", "keyset", "none")
_SIZES = ["has(self.offset)", *(f"(has(self.{kind}) && has(self.{kind}.size))" for kind in ("page", "cursor", "keyset"))]


class Pagination(Part):
    """How the pages follow one another; exactly one kind."""

    model_config = ruled(
        (
            f"[{', '.join(f'has(self.{kind})' for kind in _KINDS)}].exists_one(x, x)",
            f"exactly one of {', '.join(_KINDS)} must be set",
        ),
        (f"!has(self.stop) || !self.stop.shortPage || {' || '.join(_SIZES)}", "stop.shortPage needs a size"),
    )
    page: PagePagination | None = Field(None, description="Numbered pages.")
    offset: OffsetPagination | None = Field(None, description="Offset and limit.")
    cursor: CursorPagination | None = Field(None, description="A token in the body or in a header.")
    link: LinkPagination | None = Field(None, description="The Link header with rel=next: `link: {}`.")
    next_url: NextUrlPagination | None = Field(None, alias="nextURL", description="A URL in the body or in a header.")
    keyset: KeysetPagination | None = Field(None, description="The last record's values, such as cursor and id.")
    none: NoPagination | None = Field(None, description="One request has all: `none: {}`. The default.")
    stop: Stop | None = Field(None, description="What ends the reading besides the kind's own end.")
    max_pages: int = Field(
        100_000, ge=1, le=10_000_000, description="More pages than this fail the run: an upstream whose pages never end is stopped here."
    )

    @property
    def size(self) -> int | None:
        """Records asked for per page; None where the upstream decides."""
        if self.offset:
            return self.offset.limit
        sized = self.page or self.cursor or self.keyset
        return sized.size if sized else None

    @property
    def heeds_headers(self) -> bool:
        """Whether it may be a header of the answer that tells of a next page."""
        stop = self.stop or Stop()
        told = (stop.total_pages, stop.total_records, stop.more, stop.last)
        named = (self.cursor and self.cursor.header) or (self.next_url and self.next_url.header)
        return bool(self.link or named or (self.page and stop.total_pages is None) or any(one and one.header for one in told))
