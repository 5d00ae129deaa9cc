"""Credentials from Secrets: HTTP basic (RFC 7617), bearer tokens (RFC 6750), API keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_plus, urlencode

import httpx

from syncsource.errors import StalledError, outside_text
from syncsource.resource.auth import ApiKeyAuth, Auth
from syncsource.resource.conditions import INVALID_SPEC, SECRET_NOT_FOUND
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.reasons import SECRET_INVALID

Secrets = Mapping[str, Mapping[str, str]]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_FRAMING = frozenset(("connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"))
"""Headers that say how the connection is used: they are the client's, not the spec's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries to be let in."""

    secret: str | None = None
    """The Secret's name; None: no authentication."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: tuple[str, str] | None = field(default=None, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """What of it no message may show: the password, token or key, as kept and as sent."""

    def sign(self, ask: Ask) -> Ask:
        """The request with what lets it in. Its own headers of the same names give way."""
        headers = {**dict(ask.headers), **{name.lower(): value for name, value in self.headers.items()}}
        return replace(ask, url=self._with_key(ask.url), headers=tuple(headers.items()))

    def _with_key(self, url: httpx.URL) -> httpx.URL:
        """With the API key, if that goes into the query. The rest of the query stays as the upstream wrote it."""
        if self.query is None:
            return url
        others = [part for part in url.query.decode("ascii").split("&") if part and unquote_plus(part.partition("=")[0]) != self.query[0]]
        return url.copy_with(query="&".join([*others, urlencode([self.query])]).encode("ascii"))


def credentials(auth: Auth | None, secrets: Secrets) -> Credentials:
    """What ``spec.source.http.auth`` asks for. Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec."""
    if auth is None:
        return Credentials()
    name, values = auth.secret_keys[0][0], _values(auth, secrets)
    if auth.basic:
        return _basic(name, *values)
    if auth.bearer:
        return _in_header(name, "Authorization", "Bearer ", values[0].strip())
    assert auth.api_key is not None
    return _with_key(auth.api_key, values[0].strip())


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """``request.headers``. Raises StalledError (InvalidSpec) for what can't be sent (RFC 9110, section 5)."""
    for name, value in headers.items():
        if name.lower() in _FRAMING:
            raise StalledError(f"spec.source.http.request.headers: {name} is set by the connection itself; remove it", reason=INVALID_SPEC)
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise StalledError(
                f"spec.source.http.request.headers: {outside_text(name, 60)!r} can't be sent: a name is one word, a value is ASCII without line breaks",
                reason=INVALID_SPEC,
            )
    return {name: value.strip() for name, value in headers.items()}


def _values(auth: Auth, secrets: Secrets) -> list[str]:
    """The Secret's values, without the line break that editors and ``echo`` put at their end."""
    name, keys = auth.secret_keys[0][0], [key for _, key in auth.secret_keys]
    kind = "basic" if auth.basic else "bearer" if auth.bearer else "apiKey"
    needs = f"spec.source.http.auth.{kind} needs its {' and '.join(keys)}"
    if name not in secrets:
        raise StalledError(f"Secret {name} was not found; {needs}", reason=SECRET_NOT_FOUND)
    lacking = " and ".join(key for key in keys if not secrets[name].get(key, "").strip())
    if lacking:
        raise StalledError(f"Secret {name} lacks {lacking}; {needs}", reason=SECRET_NOT_FOUND)
    return [secrets[name][key].rstrip("\r\n") for key in keys]


def _basic(secret: str, user: str, password: str) -> Credentials:
    if ":" in user:
        raise StalledError(f"Secret {secret}: username must not contain a colon (RFC 7617)", reason=SECRET_INVALID)
    return _in_header(secret, "Authorization", "Basic ", base64.b64encode(f"{user}:{password}".encode()).decode(), password)


def _with_key(auth: ApiKeyAuth, key: str) -> Credentials:
    name = auth.secret_ref.name
    if auth.query is not None:
        return Credentials(name, query=(auth.query, key), hidden=(key,))
    assert auth.header is not None
    if not _NAME.fullmatch(auth.header):
        raise StalledError(
            f"spec.source.http.auth.apiKey.header: {outside_text(auth.header)!r} is not a header's name", reason=INVALID_SPEC
        )
    return _in_header(name, auth.header, "", key)


def _in_header(secret: str, name: str, scheme: str, value: str, *hidden: str) -> Credentials:
    if not _VALUE.fullmatch(value):
        raise StalledError(f"Secret {secret} can't be sent in a header: it holds a line break or is not ASCII", reason=SECRET_INVALID)
    return Credentials(secret, {name: scheme + value}, hidden=(value, *hidden))
