"""Credentials that are the same in every request: HTTP basic (RFC 7617), bearer tokens (RFC 6750), API keys, headers from Secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import unquote_plus, urlencode

import httpx

from syncsource.errors import StalledError, outside_text
from syncsource.resource.auth import ApiKeyAuth, Auth, BasicAuth, BearerAuth
from syncsource.resource.conditions import INVALID_SPEC, SECRET_NOT_FOUND
from syncsource.resource.connection import HeaderFrom
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.reasons import SECRET_INVALID

Secrets = Mapping[str, Mapping[str, str]]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_COOKIE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_FRAMING = frozenset(("connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"))
"""Headers that say how the connection is used: they are the client's, not the spec's."""


class Signer(Protocol):
    """Credentials that are made anew, for each request or from time to time."""

    def sign(self, ask: Ask) -> Ask:
        """The request with them. May ask a token endpoint: raises what :meth:`Client.fetch` raises."""

    def renew(self) -> bool:
        """The upstream answered 401. Returns whether another try has other credentials."""

    def close(self) -> None:
        """Gives connections back. May be called twice."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries to be let in."""

    secret: str | None = None
    """The Secret's name; None: no authentication."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: tuple[str, str] | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """What of it no message may show: the password, token or key, as kept and as sent."""
    signer: Signer | None = field(default=None, repr=False)

    def sign(self, ask: Ask) -> Ask:
        """The request with what lets it in. Its own headers of the same names give way."""
        headers = {**dict(ask.headers), **{name.lower(): value for name, value in self.headers.items()}}
        if self.cookie is not None:
            headers["cookie"] = "; ".join(filter(None, (headers.get("cookie"), self.cookie)))
        signed = replace(ask, url=self._with_key(ask.url), headers=tuple(headers.items()))
        return self.signer.sign(signed) if self.signer else signed

    def renew(self) -> bool:
        """See :class:`Signer`."""
        return self.signer is not None and self.signer.renew()

    def close(self) -> None:
        """See :class:`Signer`."""
        if self.signer is not None:
            self.signer.close()

    def _with_key(self, url: httpx.URL) -> httpx.URL:
        """With the API key, if that goes into the query. The rest of the query stays as the upstream wrote it."""
        if self.query is None:
            return url
        others = [part for part in url.query.decode("ascii").split("&") if part and unquote_plus(part.partition("=")[0]) != self.query[0]]
        return url.copy_with(query="&".join([*others, urlencode([self.query])]).encode("ascii"))


def with_header(ask: Ask, name: str, value: str) -> Ask:
    """The request with a header set."""
    return replace(ask, headers=tuple({**dict(ask.headers), name.lower(): value}.items()))


def credentials(auth: Auth | None, secrets: Secrets) -> Credentials:
    """What ``spec.source.http.auth`` asks for, but for its signer. Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec."""
    if auth is None:
        return Credentials()
    name, values = auth.chosen.secret_ref.name, auth_values(auth, secrets)
    if isinstance(auth.chosen, BasicAuth):
        return basic(name, *values.values())
    if isinstance(auth.chosen, BearerAuth):
        return _in_header(name, "Authorization", "Bearer ", values["token"].strip())
    if isinstance(auth.chosen, ApiKeyAuth):
        return _with_key(auth.chosen, values["apiKey"].strip())
    return Credentials(name)


def with_headers_from(granted: Credentials, declared: list[HeaderFrom], secrets: Secrets) -> Credentials:
    """With ``request.headersFrom``. Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec."""
    headers, hidden = {}, []
    for header in declared:
        field_ = f"spec.source.http.request.headersFrom: {outside_text(header.name, 60)}"
        name, key = header.secret_key_ref.name, header.secret_key_ref.key
        value = secret_values(name, [key], field_, secrets)[key].strip()
        check_name(header.name, field_)
        headers[header.name] = _sendable(name, value)
        hidden.append(value)
    return replace(granted, headers={**headers, **granted.headers}, hidden=(*granted.hidden, *hidden))


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """``request.headers``. Raises StalledError (InvalidSpec) for what can't be sent (RFC 9110, section 5)."""
    for name, value in headers.items():
        _check_free(name, "spec.source.http.request.headers")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise StalledError(
                f"spec.source.http.request.headers: {outside_text(name, 60)!r} can't be sent: a name is one word, a value is ASCII without line breaks",
                reason=INVALID_SPEC,
            )
    return {name: value.strip() for name, value in headers.items()}


def check_name(name: str, field_: str) -> str:
    """A header's name. Raises StalledError (InvalidSpec)."""
    _check_free(name, field_)
    if not _NAME.fullmatch(name):
        raise StalledError(f"{field_}: {outside_text(name)!r} is not a header's name", reason=INVALID_SPEC)
    return name


def auth_values(auth: Auth, secrets: Secrets) -> dict[str, str]:
    """The values that the chosen kind needs, by key."""
    return secret_values(auth.chosen.secret_ref.name, auth.chosen.keys, f"spec.source.http.auth.{auth.kind}", secrets)


def secret_values(name: str, keys: list[str], field_: str, secrets: Secrets) -> dict[str, str]:
    """A Secret's values, without the line break that editors and ``echo`` put at their end. Raises StalledError (SecretNotFound)."""
    needs = f"{field_} needs its {' and '.join(keys)}"
    if name not in secrets:
        raise StalledError(f"Secret {name} was not found; {needs}", reason=SECRET_NOT_FOUND)
    lacking = " and ".join(key for key in keys if not secrets[name].get(key, "").strip())
    if lacking:
        raise StalledError(f"Secret {name} lacks {lacking}; {needs}", reason=SECRET_NOT_FOUND)
    return {key: secrets[name][key].rstrip("\r\n") for key in keys}


def basic(secret: str, user: str, password: str) -> Credentials:
    """HTTP basic. Raises StalledError (SecretInvalid)."""
    if ":" in user:
        raise StalledError(f"Secret {secret}: username must not contain a colon (RFC 7617)", reason=SECRET_INVALID)
    return _in_header(secret, "Authorization", "Basic ", base64.b64encode(f"{user}:{password}".encode()).decode(), password)


def _with_key(auth: ApiKeyAuth, key: str) -> Credentials:
    name = auth.secret_ref.name
    if auth.query is not None:
        return Credentials(name, query=(auth.query, key), hidden=(key,))
    if auth.cookie is not None:
        check_name(auth.cookie, "spec.source.http.auth.apiKey.cookie")
        if not _COOKIE.fullmatch(key):
            raise StalledError(
                f"Secret {name} can't be sent in a cookie: apiKey holds a character that RFC 6265 excludes", reason=SECRET_INVALID
            )
        return Credentials(name, cookie=f"{auth.cookie}={key}", hidden=(key,))
    assert auth.header is not None
    return _in_header(name, check_name(auth.header, "spec.source.http.auth.apiKey.header"), auth.prefix or "", key)


def _in_header(secret: str, name: str, scheme: str, value: str, *hidden: str) -> Credentials:
    return Credentials(secret, {name: scheme + _sendable(secret, value)}, hidden=(value, *hidden))


def _sendable(secret: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise StalledError(f"Secret {secret} can't be sent in a header: it holds a line break or is not ASCII", reason=SECRET_INVALID)
    return value


def _check_free(name: str, field_: str) -> None:
    if name.lower() in _FRAMING:
        raise StalledError(f"{field_}: {name} is set by the connection itself; remove it", reason=INVALID_SPEC)
