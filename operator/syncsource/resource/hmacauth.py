"""Signed requests: ``spec.source.http.auth.hmac``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.connection import Prefix
from syncsource.resource.parts import Param, SecretRef
from syncsource.resource.types import Part, ruled

SIGNED = ("method", "host", "path", "query", "body", "bodyHash", "timestamp", "nonce")
"""What a signature may be of."""
_RECIPE = rf"^([^{{]|\{{[^{{]|\{{\{{ *({'|'.join(SIGNED)}) *\}}\}})+$"


class HmacTimestamp(Part):
    """When the request was signed."""

    header: Param = Field(description="Header that carries it, for example X-Timestamp.")
    format: Literal["Seconds", "Milliseconds", "ISO8601", "HTTPDate"] = Field(
        "Seconds", description="Seconds or milliseconds since 1970, 2026-01-31T12:00:00Z, or as in the Date header."
    )


class HmacAuth(Part):
    """Each request carries a signature (RFC 2104) of what the recipe names."""

    model_config = ruled(
        ("!self.sign.matches('[{][{] *timestamp *[}][}]') || has(self.timestamp)", "timestamp must be set where sign names it"),
        ("!self.sign.matches('[{][{] *nonce *[}][}]') || has(self.nonceHeader)", "nonceHeader must be set where sign names nonce"),
    )
    secret_ref: SecretRef = Field(description="Secret with the key `secret`.")
    secret_encoding: Literal["Text", "Base64", "Hex"] = Field("Text", description="How `secret` is written.")
    algorithm: Literal["SHA1", "SHA256", "SHA384", "SHA512"] = Field("SHA256", description="Hash of the signature and of bodyHash.")
    sign: Annotated[str, Field(min_length=1, max_length=2048, pattern=_RECIPE)] = Field(
        description="What is signed, as a template over {{ method }}, {{ host }}, {{ path }}, {{ query }}, {{ body }}, {{ bodyHash }} "
        "(in hexadecimal), {{ timestamp }} and {{ nonce }}, each as it is sent."
    )
    header: Param = Field(description="Header that carries the signature, for example X-Signature.")
    prefix: Prefix = Field("", description="Written before the signature, for example sha256=.")
    encoding: Literal["Hex", "Base64", "Base64URL"] = Field("Hex", description="How the signature is written.")
    timestamp: HmacTimestamp | None = Field(None, description="Send when the request was signed.")
    nonce_header: Param | None = Field(None, description="Header that carries a random text, new for each request.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        return ["secret"]
