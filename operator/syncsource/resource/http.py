"""A REST API as a source: ``spec.source.http``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, WithJsonSchema

from syncsource.resource.auth import Auth
from syncsource.resource.connection import HeaderFrom, ProxyServer, Tls
from syncsource.resource.pagination import NoPagination, Pagination
from syncsource.resource.parts import PositiveDuration, RateLimit, SourcePart
from syncsource.resource.templates import TemplateBody, TemplateText, TemplateValue
from syncsource.resource.types import Duration, Part, Path, cel, ruled


class Request(Part):
    """The request that every page repeats."""

    model_config = ruled(
        ("!has(self.body) || self.method == 'POST'", "body needs method POST"),
        ("!has(self.form) || self.method == 'POST'", "form needs method POST"),
        ("!has(self.body) || !has(self.form)", "at most one of body and form may be set"),
    )
    method: Literal["GET", "POST"] = Field("GET", description="HTTP method.")
    path: Annotated[TemplateText, Field(max_length=2048)] = Field(
        "", description="Path below baseURL, for example /bookings or /stores/{{ partition }}/bookings."
    )
    query: dict[str, TemplateValue] = Field(
        default_factory=dict,
        max_length=64,
        description="Query parameters of every request, besides those of paging and increments. Templates: {{ partition }}, {{ cursor }}, "
        "{{ windowStart }}, {{ windowEnd }}, {{ now }}; a parameter whose value is absent, as the cursor in a first read, is left out.",
    )
    headers: dict[str, Annotated[TemplateText, Field(max_length=4096)]] = Field(
        default_factory=dict, max_length=64, description="Headers of every request, with templates. Secrets belong in auth, not here."
    )
    body: Annotated[TemplateBody, WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})] | None = Field(
        None, description="JSON body of every request, with templates in its texts. Needs method POST."
    )
    form: Annotated[dict[str, TemplateValue], Field(max_length=64)] | None = Field(
        None, description="Form body (application/x-www-form-urlencoded) of every request, with templates. Needs method POST."
    )
    headers_from: Annotated[list[HeaderFrom], Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        default_factory=list, description="Headers of every request whose values Secrets have."
    )


class RequestRetry(Part):
    """Retries of one request: after a timeout, a broken connection, 408, 429 and 5xx. Retry-After is honoured."""

    attempts: int = Field(5, ge=1, le=20, description="Tries of one request in all.")
    backoff: Duration = Field(timedelta(seconds=1), description="Wait before the second try; doubles each time.")
    max_backoff: Duration = Field(
        timedelta(seconds=60), description="Longest wait between two tries. A Retry-After beyond it ends the run."
    )


class FailRule(Part):
    """A failure that an upstream tells with a status of success."""

    when: Path = Field(
        description="JMESPath in the body; what is neither false, null nor empty is a failure, for example status == 'error'."
    )
    message: Path | None = Field(None, description="JMESPath in the body to what the upstream says of it.")
    retry: bool = Field(False, description="Whether another try may help.")


_IN_BODY = " || ".join(
    f"(has(self.pagination.{kind}) && self.pagination.{kind}.sendIn == 'Body')" for kind in ("page", "offset", "cursor", "keyset")
)


class HttpSource(SourcePart):
    """A REST API that answers with JSON or NDJSON."""

    model_config = ruled(
        (
            f"!has(self.pagination) || (has(self.request) && self.request.method == 'POST') || !({_IN_BODY})",
            "pagination with sendIn Body needs request.method POST",
        ),
        ("!has(self.records) || !has(self.format) || self.format != 'NDJSON'", "records is not for format NDJSON: each line is a record"),
    )
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
    tls: Tls | None = Field(None, description="Certificates, where they are not the usual ones.")
    proxy: ProxyServer | None = Field(None, description="An HTTP proxy between this operator and the API.")
    request: Request = Field(default_factory=Request, description="The request that every page repeats.")
    records: Path | None = Field(
        None,
        description="JMESPath in the body to the list of records, for example data.items; without pagination it may lead "
        "to an object, which is the only record. "
        "Absent: the body is the list.",
    )
    format: Literal["JSON", "NDJSON"] | None = Field(
        None, description="NDJSON: a record per line, read as it comes. Absent: as the answer's content type says, else JSON."
    )
    fail_if: Annotated[list[FailRule], Field(max_length=20, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        default_factory=list, description="Failures that the upstream tells with a status of success."
    )
    max_page_bytes: int = Field(
        64 * 1024 * 1024, ge=1024, le=2 * 1024**3, description="Longest body of an answer, decompressed; a longer one ends the run."
    )
    max_record_bytes: int = Field(
        4 * 1024 * 1024, ge=256, le=2 * 1024**3, description="Longest record, as JSON; a longer one goes to quarantine, with its beginning."
    )
    pagination: Pagination = Field(
        default_factory=lambda: Pagination(none=NoPagination()),
        description="How the pages follow one another. Absent: one request has all.",
    )
    rate_limit: RateLimit | None = Field(None, description="Shared by all SyncSources of one operator that hit the same host.")
    retry: RequestRetry = Field(default_factory=RequestRetry, description="Retries of one request.")
    timeout: PositiveDuration = Field(
        timedelta(seconds=30), description="Longest wait for one answer, its body included; of NDJSON, for each part of it."
    )
    connect_timeout: PositiveDuration | None = Field(
        None, description="Longest wait for a connection, TLS included. Absent: timeout alone counts."
    )
    read_timeout: PositiveDuration | None = Field(
        None, description="Longest silence in the middle of an answer. Absent: timeout alone counts."
    )

    @property
    def secret_uses(self) -> Mapping[str, list[tuple[str, str]]]:
        """By the field that asks for them: the (Secret, key) pairs."""
        headers = [(header.secret_key_ref.name, header.secret_key_ref.key) for header in self.request.headers_from]
        return {
            "auth": self.auth.secret_keys if self.auth else [],
            "request.headersFrom": headers,
            "tls": self.tls.secret_keys if self.tls else [],
            "proxy": self.proxy.secret_keys if self.proxy else [],
        }

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        return [pair for pairs in self.secret_uses.values() for pair in pairs]

    def asking(self, name: str, key: str) -> str:
        return next((field for field, pairs in self.secret_uses.items() if (name, key) in pairs), "auth")

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
