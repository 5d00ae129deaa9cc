"""How a connection is made, and what Secrets add to it: ``spec.source.http.tls``, ``.proxy`` and ``.request.headersFrom``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from syncsource.resource.parts import Param, SecretKeyRef, SecretRef
from syncsource.resource.types import Part, cel, ruled

HttpUrl = Annotated[
    str,
    Field(
        max_length=2048,
        pattern=r"^https?://[^/?#@\s]+([/?#][^\s]*)?$",
        json_schema_extra=cel(('isURL(self) && url(self).getScheme() in ["http", "https"]', "must be an http or https URL")),
    ),
]
Prefix = Annotated[str, Field(max_length=64, pattern=r"^[\x20-\x7e]*$")]


class HeaderFrom(Part):
    """A header whose value a Secret has."""

    name: Param = Field(description="Name of the header.")
    secret_key_ref: SecretKeyRef = Field(description="The Secret's key that holds its value.")


class Tls(Part):
    """Certificates of both sides."""

    model_config = ruled(
        ("has(self.clientCertificate) || has(self.authority)", "at least one of clientCertificate and authority must be set")
    )
    client_certificate: SecretRef | None = Field(
        None, description="Secret of type kubernetes.io/tls, keys `tls.crt` and `tls.key`: what this side shows where it is asked."
    )
    authority: SecretRef | None = Field(
        None, description="Secret with the key `ca.crt` in PEM: only its authorities are trusted, in place of the usual ones."
    )

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """(Secret, key) pairs that are needed."""
        shown = [(self.client_certificate.name, key) for key in ("tls.crt", "tls.key")] if self.client_certificate else []
        return shown + ([(self.authority.name, "ca.crt")] if self.authority else [])


class ProxyServer(Part):
    """An HTTP proxy. Variables of the environment are not asked."""

    url: HttpUrl = Field(description="The proxy, for example http://proxy.example:3128.")
    secret_ref: SecretRef | None = Field(None, description="Secret with the keys `username` and `password`, where the proxy wants them.")

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """(Secret, key) pairs that are needed."""
        return [(self.secret_ref.name, key) for key in ("username", "password")] if self.secret_ref else []
