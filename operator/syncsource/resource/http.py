"""A REST API as a source: ``spec.source.http``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, WithJsonSchema

from syncsource.resource.auth import Auth
from syncsource.resource.pagination import NoPagination, Pagination
from syncsource.resource.parts import PositiveDuration, RateLimit, SourcePart
from syncsource.resource.types import Duration, Part, Path, Text, cel, ruled


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


class RequestRetry(Part):
    """Retries of one request: after a timeout, a broken connection, 408, 429 and 5xx. Retry-After is honoured."""

    attempts: int = Field(5, ge=1, le=20, description="Tries of one request in all.")
    backoff: Duration = Field(timedelta(seconds=1), description="Wait before the second try; doubles each time.")
    max_backoff: Duration = Field(
        timedelta(seconds=60), description="Longest wait between two tries. A Retry-After beyond it ends the run."
    )


class HttpSource(SourcePart):
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

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        return self.auth.secret_keys if self.auth else []

    @property
    def host(self) -> str:
        """The host of baseURL, in lower case, without its port: what rate limits are about."""
        return (urlsplit(self.base_url).hostname or "").lower()

    @property
    def limits(self) -> Mapping[str, RateLimit]:
        return {self.host: self.rate_limit} if self.rate_limit else {}

    @property
    def place(self) -> str:
        return self.base_url
