"""Tokens that an endpoint gives: ``spec.source.http.auth.oauth2`` and ``.session``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.connection import HttpUrl, Prefix
from syncsource.resource.parts import Param, PositiveDuration, SecretRef
from syncsource.resource.types import Part, Path, ruled

Scope = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]
Parameters = Annotated[dict[str, Annotated[str, Field(max_length=2048)]], Field(max_length=32)]


class TokenEndpoint(Part):
    """Where a token is asked for, and how its answer is read."""

    token_url: HttpUrl = Field(alias="tokenURL", description="The token endpoint, for example https://login.example/oauth/token.")
    scopes: Annotated[list[Scope], Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = Field(
        default_factory=list, description="Scopes to ask for."
    )
    parameters: Parameters = Field(default_factory=dict, description="More form fields of the token request. Secrets don't belong here.")
    token_path: Path = Field("access_token", description="JMESPath in the answer to the token.")
    expires_path: Path = Field("expires_in", description="JMESPath in the answer to the seconds that the token is good for.")
    lifetime: PositiveDuration = Field(
        timedelta(minutes=10), description="How long a token is used whose answer does not say how long it is good for."
    )


class OAuth2Auth(TokenEndpoint):
    """An access token of an OAuth 2.0 token endpoint, shared by all runs of an operator, fetched anew shortly before its end and after a 401."""

    model_config = ruled(
        (
            "!has(self.clientAuth) || self.clientAuth != 'None' || self.grant != 'ClientCredentials'",
            "grant ClientCredentials needs clientAuth Header or Body",
        ),
    )
    secret_ref: SecretRef = Field(
        description="Secret with the keys `clientID` and, unless clientAuth is None, `clientSecret`; also `refreshToken` for grant RefreshToken, "
        "`username` and `password` for grant Password."
    )
    grant: Literal["ClientCredentials", "RefreshToken", "Password"] = Field(
        "ClientCredentials",
        description="What is given for the token. A refresh token that the endpoint replaces is kept in the operator's memory only: "
        "after a restart the one of the Secret is used again.",
    )
    audience: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="The API that the token is for, where the endpoint asks."
    )
    client_auth: Literal["Header", "Body", "None"] = Field(
        "Header", description="How the client identifies itself: HTTP basic, form fields, or the clientID alone."
    )
    header: Param = Field("Authorization", description="Header of the request that carries the token.")
    prefix: Prefix = Field("Bearer ", description="Written before the token in the header.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        secret = [] if self.client_auth == "None" else ["clientSecret"]
        more = {"RefreshToken": ["refreshToken"], "Password": ["username", "password"]}
        return ["clientID", *secret, *more.get(self.grant, [])]


class SessionAuth(Part):
    """A token that a login endpoint gives, kept and renewed as an access token is."""

    secret_ref: SecretRef = Field(description="Secret with the keys `username` and `password`.")
    login_url: HttpUrl = Field(alias="loginURL", description="The login endpoint, which is asked with POST.")
    send_as: Literal["JSON", "Form", "Basic"] = Field(
        "JSON", description="How user name and password are sent: in a JSON or form body, or as HTTP basic."
    )
    username_field: Param = Field("username", description="Field of the body with the user name.")
    password_field: Param = Field("password", description="Field of the body with the password.")
    parameters: Parameters = Field(default_factory=dict, description="More fields of the body. Secrets don't belong here.")
    token_path: Path = Field("token", description="JMESPath in the answer to the token.")
    lifetime: PositiveDuration = Field(timedelta(hours=1), description="How long a token is used before the next login.")
    header: Param = Field("Authorization", description="Header that carries the token.")
    prefix: Prefix = Field("Bearer ", description="Written before the token in the header.")

    @property
    def keys(self) -> list[str]:
        """The keys of the Secret that are needed."""
        return ["username", "password"]
