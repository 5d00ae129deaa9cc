"""How requests are authenticated: ``spec.source.http.auth``."""

from __future__ import annotations

from pydantic import Field

from syncsource.resource.parts import Param, SecretRef
from syncsource.resource.types import Part, ruled


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
