"""A client from ``spec.source.http``: terms, credentials, and what keeps them out of messages."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from syncsource.resource.auth import Auth
from syncsource.resource.connection import HeaderFrom
from syncsource.resource.hmacauth import HmacAuth
from syncsource.resource.http import HttpSource
from syncsource.resource.jwtauth import JwtAuth
from syncsource.resource.tokenauth import OAuth2Auth, SessionAuth
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest import granting
from syncsource.sources.rest.auth import Credentials, Secrets, Signer, auth_values, credentials, with_headers_from
from syncsource.sources.rest.client import Client
from syncsource.sources.rest.hmacsigning import HmacSigner
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.terms import Terms, http_terms
from syncsource.sources.rest.tokenanswers import Form, token_refused
from syncsource.sources.rest.tokens import Request, TokenSigner
from syncsource.sources.rest.urls import base_url


def connect(http: HttpSource, secrets: Secrets, *, hosts: Hosts, cancelled: threading.Event) -> Client:
    """A client whose requests carry what the spec declares. Nothing is sent yet.

    Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec.
    """
    return connected(
        http_terms(http, secrets), http.auth, secrets, hosts=hosts, cancelled=cancelled, headers_from=http.request.headers_from
    )


def connected(
    terms: Terms,
    auth: Auth | None,
    secrets: Secrets,
    *,
    hosts: Hosts,
    cancelled: threading.Event,
    headers_from: Sequence[HeaderFrom] = (),
) -> Client:
    """The same for any kind of source, by its terms."""
    granted = with_headers_from(credentials(auth, secrets), list(headers_from), secrets)
    redaction = _redaction(secrets, granted)
    if auth is not None:
        granted = replace(granted, signer=_Signers(auth, terms, secrets, redaction, hosts, cancelled).signer())
    return Client(terms, granted, redaction, hosts=hosts, cancelled=cancelled)


class _Signers:
    """What makes credentials anew, where the declared kind needs it."""

    def __init__(self, auth: Auth, terms: Terms, secrets: Secrets, redaction: Redaction, hosts: Hosts, cancelled: threading.Event) -> None:
        self._auth, self._terms, self._redaction = auth, terms, redaction
        self._hosts, self._cancelled = hosts, cancelled
        self._values, self._field = auth_values(auth, secrets), f"{terms.field}.auth"

    def signer(self) -> Signer | None:
        chosen = self._auth.chosen
        if isinstance(chosen, HmacAuth):
            return HmacSigner(chosen, self._values["secret"])
        if isinstance(chosen, JwtAuth):
            return self._jwt(chosen)
        if isinstance(chosen, OAuth2Auth):
            url = base_url(chosen.token_url, f"{self._field}.oauth2.tokenURL")
            request, form = granting.oauth2_request(chosen, url, self._values), granting.endpoint_form(chosen, f"{self._field}.oauth2")
            return self._token(request, form, "tokenURL", chosen.token_url, chosen.header, chosen.prefix)
        if isinstance(chosen, SessionAuth):
            url = base_url(chosen.login_url, f"{self._field}.session.loginURL")
            request, form = granting.login_request(chosen, url, self._values), granting.session_form(chosen)
            return self._token(request, form, "loginURL", chosen.login_url, chosen.header, chosen.prefix)
        return None

    def _jwt(self, auth: JwtAuth) -> Signer:
        from syncsource.sources.rest.jwtsigning import Assertion, JwtSigner  # where it is wanted: it brings cryptography along

        assertion = Assertion(auth, self._values)
        if auth.exchange is None:
            return JwtSigner(auth, assertion, self._redaction)
        field = f"{self._field}.jwt.exchange"
        request = granting.exchange_request(auth, base_url(auth.exchange.token_url, f"{field}.tokenURL"), assertion)
        form = granting.endpoint_form(auth.exchange, field)
        return self._token(request, form, "tokenURL", auth.exchange.token_url, auth.header, auth.prefix)

    def _token(self, request: Request, form: Form, name: str, url: str, header: str, prefix: str) -> TokenSigner:
        """The endpoint is spoken to as the API is, with the same timeouts, certificates and proxy."""
        address = f"{form.field}.{name}"
        refusal = token_refused(form.field)
        terms = replace(
            self._terms, base=base_url(url, address), address=address, largest_body=LARGEST_ANSWER, too_large="", refusal=refusal
        )
        credentials_ = Credentials(self._auth.chosen.secret_ref.name)
        client = Client(terms, credentials_, self._redaction, hosts=self._hosts, cancelled=self._cancelled)
        shared = granting.shared_as(self._auth, self._values)
        return TokenSigner(shared, request, form, client, self._redaction, self._hosts, header, prefix)


LARGEST_ANSWER = 1024 * 1024
"""Bytes of a token endpoint's answer."""


def _redaction(secrets: Secrets, granted: Credentials) -> Redaction:
    values = [value for secret in secrets.values() for value in secret.values()]
    return Redaction(values, granted.hidden, granted.query[0] if granted.query else None)
