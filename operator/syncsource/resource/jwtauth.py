"""Signed tokens: ``spec.source.http.auth.jwt``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.connection import Prefix
from syncsource.resource.parts import Param, PositiveDuration, SecretRef
from syncsource.resource.tokenauth import TokenEndpoint
from syncsource.resource.types import Part, Text, ruled

Claim = Annotated[str, Field(min_length=1, max_length=1024)]


class JwtExchange(TokenEndpoint):
    """The signed token is exchanged for an access token (RFC 7523, section 2.1)."""


class JwtAuth(Part):
    """A JSON Web Token (RFC 7519) with the claims iat, exp, jti and those declared."""

    model_config = ruled(
        (
            "!has(self.encrypted) || !self.encrypted || !self.algorithm.startsWith('HS')",
            "encrypted is for private keys, not for algorithm HS…",
        ),
        (
            "!has(self.secretEncoding) || self.secretEncoding == 'Text' || self.algorithm.startsWith('HS')",
            "secretEncoding is for algorithm HS…",
        ),
    )
    secret_ref: SecretRef = Field(
        description="Secret with the key `privateKey` in PEM, or `secret` where the algorithm begins with HS; `passphrase` where encrypted is true."
    )
    algorithm: Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"] = Field(
        description="How the token is signed (RFC 7518)."
    )
    encrypted: bool = Field(False, description="The private key is encrypted with `passphrase`.")
    secret_encoding: Literal["Text", "Base64"] = Field("Text", description="How `secret` is written.")
    key_id: Claim | None = Field(None, alias="keyID", description="Header kid: which key signs.")
    issuer: Claim | None = Field(None, description="Claim iss.")
    subject: Claim | None = Field(None, description="Claim sub.")
    audience: Claim | None = Field(None, description="Claim aud.")
    claims: Annotated[dict[str, Text], Field(max_length=32)] = Field(default_factory=dict, description="More claims: texts and integers.")
    headers: Annotated[dict[str, Claim], Field(max_length=16)] = Field(default_factory=dict, description="More headers of the token.")
    lifetime: PositiveDuration = Field(
        timedelta(minutes=5), description="How long a token is good for; a new one is signed shortly before."
    )
    header: Param = Field("Authorization", description="Header of the request that carries the token.")
    prefix: Prefix = Field("Bearer ", description="Written before the token in the header.")
    exchange: JwtExchange | None = Field(None, description="Exchange it for an access token. Absent: it is sent as it is.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        if self.algorithm.startswith("HS"):
            return ["secret"]
        return ["privateKey", "passphrase"] if self.encrypted else ["privateKey"]
