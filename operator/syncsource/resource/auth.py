"""How requests are authenticated: ``spec.source.http.auth``."""

from __future__ import annotations

from pydantic import Field

from syncsource.resource.connection import Prefix
from syncsource.resource.hmacauth import HmacAuth
from syncsource.resource.jwtauth import JwtAuth
from syncsource.resource.parts import Param, SecretRef
from syncsource.resource.tokenauth import OAuth2Auth, SessionAuth
from syncsource.resource.types import Part, ruled


class BasicAuth(Part):
    """HTTP basic authentication."""

    secret_ref: SecretRef = Field(description="Secret with the keys `username` and `password`.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        return ["username", "password"]


class BearerAuth(Part):
    """A bearer token in the Authorization header."""

    secret_ref: SecretRef = Field(description="Secret with the key `token`.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        return ["token"]


class ApiKeyAuth(Part):
    """A key in a header, in the query or in a cookie."""

    model_config = ruled(
        ("[has(self.header), has(self.query), has(self.cookie)].exists_one(x, x)", "exactly one of header, query and cookie must be set"),
        ("!has(self.prefix) || has(self.header)", "prefix is only for header"),
    )
    secret_ref: SecretRef = Field(description="Secret with the key `apiKey`.")
    header: Param | None = Field(None, description="Header that carries the key, for example X-API-Key.")
    prefix: Prefix | None = Field(None, description="Written before the key in the header, for example `Token` and a space.")
    query: Param | None = Field(None, description="Query parameter that carries the key.")
    cookie: Param | None = Field(None, description="Cookie that carries the key.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        return ["apiKey"]


class Auth(Part):
    """How requests are authenticated; exactly one kind."""

    model_config = ruled(
        (
            "[has(self.basic), has(self.bearer), has(self.apiKey), has(self.oauth2), has(self.jwt), has(self.session), has(self.hmac)]"
            ".exists_one(x, x)",
            "exactly one of basic, bearer, apiKey, oauth2, jwt, session, hmac must be set",
        )
    )
    basic: BasicAuth | None = Field(None, description="HTTP basic authentication: keys `username` and `password` of a Secret.")
    bearer: BearerAuth | None = Field(None, description="A bearer token: key `token` of a Secret.")
    api_key: ApiKeyAuth | None = Field(None, description="An API key in a header, a query parameter or a cookie: key `apiKey` of a Secret.")
    oauth2: OAuth2Auth | None = Field(None, description="An access token of an OAuth 2.0 token endpoint (RFC 6749).")
    jwt: JwtAuth | None = Field(
        None, description="A JSON Web Token that a key of a Secret signs, sent as it is or exchanged for an access token."
    )
    session: SessionAuth | None = Field(None, description="A token that a login endpoint gives for a user name and a password.")
    hmac: HmacAuth | None = Field(None, description="A signature of each request, by a recipe.")

    @property
    def kind(self) -> str:
        """The chosen kind's name in the spec."""
        return next(field.alias or name for name, field in type(self).model_fields.items() if getattr(self, name) is not None)

    @property
    def chosen(self) -> BasicAuth | BearerAuth | ApiKeyAuth | OAuth2Auth | JwtAuth | SessionAuth | HmacAuth:
        """The kind that is set."""
        chosen = self.basic or self.bearer or self.api_key or self.oauth2 or self.jwt or self.session or self.hmac
        assert chosen is not None
        return chosen

    @property
    def secret_keys(self) -> list[tuple[str, str]]:
        """What the chosen kind needs: (Secret, key) pairs."""
        return [(self.chosen.secret_ref.name, key) for key in self.chosen.keys]
