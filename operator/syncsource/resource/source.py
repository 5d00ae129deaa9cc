"""Where records come from: ``spec.source``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from syncsource.resource.types import Duration, Part, Path, Positive, SecretName, Text, cel, ruled

Param = Annotated[str, Field(min_length=1, max_length=128)]
PositiveDuration = Annotated[Duration, Field(json_schema_extra=cel(Positive))]


class SecretRef(Part):
    """A Secret of the SyncSource's own namespace."""

    name: SecretName = Field(description="Name of a Secret in the SyncSource's namespace.")


class BasicAuth(Part):
    """HTTP basic authentication."""

    secret_ref: SecretRef = Field(description="Secret with the keys `username` and `password`.")


class BearerAuth(Part):
    """A bearer token in the Authorization header."""

    secret_ref: SecretRef = Field(description="Secret with the key `token`.")


class ApiKeyAuth(Part):
    """A key in a header or in the query."""

    model_config = ruled(("has(self.header) != has(self.query)", "exactly one of header and query must be set"))
    secret_ref: SecretRef = Field(description="Secret with the key `apiKey`.")
    header: Param | None = Field(None, description="Header that carries the key, for example X-API-Key.")
    query: Param | None = Field(None, description="Query parameter that carries the key.")


class Auth(Part):
    """How requests are authenticated; exactly one kind."""

    model_config = ruled(
        ("[has(self.basic), has(self.bearer), has(self.apiKey)].exists_one(x, x)", "exactly one of basic, bearer, apiKey must be set")
    )
    basic: BasicAuth | None = Field(None, description="HTTP basic authentication: keys `username` and `password` of a Secret.")
    bearer: BearerAuth | None = Field(None, description="A bearer token: key `token` of a Secret.")
    api_key: ApiKeyAuth | None = Field(None, description="An API key in a header or a query parameter: key `apiKey` of a Secret.")

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """What the chosen kind needs: (Secret, key) pairs."""
        if self.basic:
            return [(self.basic.secret_ref.name, key) for key in ("username", "password")]
        if self.bearer:
            return [(self.bearer.secret_ref.name, "token")]
        assert self.api_key is not None
        return [(self.api_key.secret_ref.name, "apiKey")]


class Request(Part):
    """The request that every page repeats."""

    model_config = ruled(("!has(self.body) || self.method == 'POST'", "body needs method POST"))
    method: Literal["GET", "POST"] = Field("GET", description="HTTP method.")
    path: str = Field("", max_length=2048, description="Path below baseURL, for example /bookings.")
    query: dict[str, Text] = Field(
        default_factory=dict, max_length=64, description="Query parameters of every request, besides those of paging and increments."
    )
    headers: dict[str, Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=dict, max_length=64, description="Headers of every request. Secrets belong in auth, not here."
    )
    body: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})] | None = Field(
        None, description="JSON body of every request, with method POST."
    )


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


class RateLimit(Part):
    """At most so many requests in any such span of time."""

    requests: int = Field(ge=1, le=100_000, description="Number of requests.")
    per: PositiveDuration = Field(description="Span of time, for example 1s.")


class RequestRetry(Part):
    """Retries of one request: after a timeout, a broken connection, 408, 429 and 5xx. Retry-After is honoured."""

    attempts: int = Field(5, ge=1, le=20, description="Tries of one request in all.")
    backoff: Duration = Field(timedelta(seconds=1), description="Wait before the second try; doubles each time.")
    max_backoff: Duration = Field(
        timedelta(seconds=60), description="Longest wait between two tries. A Retry-After beyond it ends the run."
    )


class HttpSource(Part):
    """A REST API that answers with JSON."""

    base_url: Annotated[
        str,
        Field(
            alias="baseURL",
            max_length=2048,
            pattern=r"^https?://[^/?#@\s]+([/?#][^\s]*)?$",
            json_schema_extra=cel(
                ('isURL(self) && url(self).getScheme() in ["http", "https"]', "must be an http or https URL"),
            ),
            description="Where the API begins, for example https://api.example/v1. Credentials belong in auth.",
        ),
    ]
    auth: Auth | None = Field(None, description="How requests are authenticated.")
    request: Request = Field(default_factory=Request, description="The request that every page repeats.")
    records: Path | None = Field(
        None, description="JMESPath in the body to the list of records, for example data.items. Absent: the body is the list."
    )
    pagination: Pagination = Field(
        default_factory=lambda: Pagination(none=NoPagination()),
        description="How the pages follow one another. Absent: one request has all.",
    )
    rate_limit: RateLimit | None = Field(None, description="Shared by all SyncSources of one operator that hit the same host.")
    retry: RequestRetry = Field(default_factory=RequestRetry, description="Retries of one request.")
    timeout: PositiveDuration = Field(timedelta(seconds=30), description="Longest wait for one answer, its body included.")


class Source(Part):
    """Where records come from."""

    http: HttpSource = Field(description="A REST API that answers with JSON.")
