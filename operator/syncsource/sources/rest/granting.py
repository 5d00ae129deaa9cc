"""Requests for tokens: OAuth 2.0 (RFC 6749), exchanges of signed tokens (RFC 7523), logins."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec

from syncsource.resource.auth import Auth
from syncsource.resource.jwtauth import JwtAuth
from syncsource.resource.tokenauth import OAuth2Auth, SessionAuth, TokenEndpoint
from syncsource.sources.rest.asking import FORM, JSON, Ask
from syncsource.sources.rest.auth import basic
from syncsource.sources.rest.tokenanswers import Form
from syncsource.sources.rest.tokens import Request

_GRANTS = {"ClientCredentials": "client_credentials", "RefreshToken": "refresh_token", "Password": "password"}
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Values = Mapping[str, str]

if TYPE_CHECKING:
    from syncsource.sources.rest.jwtsigning import Assertion


def shared_as(auth: Auth, values: Values) -> str:
    """What a token is shared under: a hash of all that it is fetched with."""
    return blake2b(msgspec.json.encode([auth.model_dump(mode="json"), dict(values)]), digest_size=16).hexdigest()


def endpoint_form(endpoint: TokenEndpoint, field: str) -> Form:
    """How the answer of an endpoint is read."""
    return Form(field, endpoint.token_path, endpoint.expires_path, endpoint.lifetime)


def session_form(auth: SessionAuth) -> Form:
    """How the answer of a login is read."""
    return Form("spec.source.http.auth.session", auth.token_path, None, auth.lifetime)


def oauth2_request(auth: OAuth2Auth, url: httpx.URL, values: Values) -> Request:
    """RFC 6749, sections 4.3, 4.4 and 6."""
    declared = {**_common(auth), "grant_type": _GRANTS[auth.grant], **({"audience": auth.audience} if auth.audience else {})}
    declared |= {name: values[name] for name in ("username", "password") if name in values}
    headers: dict[str, str] = {}
    if auth.client_auth == "Header":
        pair = f"{quote_plus(values['clientID'])}:{quote_plus(values['clientSecret'])}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        declared["client_id"] = values["clientID"]
    if auth.client_auth == "Body":
        declared["client_secret"] = values["clientSecret"]

    def request(refresh: str | None) -> Ask:
        given = {"refresh_token": refresh or values["refreshToken"]} if auth.grant == "RefreshToken" else {}
        return _post(url, {**declared, **given}, headers)

    return request


def exchange_request(auth: JwtAuth, url: httpx.URL, assertion: Assertion) -> Request:
    """RFC 7523, section 2.1: each request has an assertion of its own."""
    assert auth.exchange is not None
    declared = {**_common(auth.exchange), "grant_type": _JWT_GRANT}
    return lambda _: _post(url, {**declared, "assertion": assertion.signed(time.time())}, {})


def login_request(auth: SessionAuth, url: httpx.URL, values: Values) -> Request:
    """A user name and a password, in the body or as HTTP basic. Raises StalledError (SecretInvalid)."""
    if auth.send_as == "Basic":
        headers = dict(basic(auth.secret_ref.name, values["username"], values["password"]).headers)
        return lambda _: _post(url, auth.parameters, {name.lower(): value for name, value in headers.items()})
    given = {**auth.parameters, auth.username_field: values["username"], auth.password_field: values["password"]}
    if auth.send_as == "Form":
        return lambda _: _post(url, given, {})
    return lambda _: Ask(url, "POST", (("content-type", JSON),), msgspec.json.encode(given))


def _common(endpoint: TokenEndpoint) -> dict[str, str]:
    return {**endpoint.parameters, **({"scope": " ".join(endpoint.scopes)} if endpoint.scopes else {})}


def _post(url: httpx.URL, form: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
    return Ask(url, "POST", (("content-type", FORM), *headers.items()), urlencode(form).encode("ascii"))
