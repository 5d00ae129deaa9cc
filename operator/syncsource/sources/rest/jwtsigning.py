"""JSON Web Tokens that a key of a Secret signs (RFC 7519)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import AllowedPrivateKeys

from syncsource.errors import StalledError
from syncsource.resource.jwtauth import JwtAuth
from syncsource.sources.hosts.tokens import usable
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import check_name, with_header
from syncsource.sources.rest.reasons import SECRET_INVALID
from syncsource.sources.rest.redaction import Redaction

_FIELD = "spec.source.http.auth.jwt"


class Assertion:
    """What is declared, and the key. Raises StalledError (SecretInvalid) where the key is none."""

    def __init__(self, auth: JwtAuth, values: Mapping[str, str]) -> None:
        self._auth = auth
        self._key = _key(auth, values)
        try:
            self.signed(time.time())
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _invalid(auth, f"is no key for {auth.algorithm}") from None

    def signed(self, now: float) -> str:
        """A token from ``now`` (seconds since 1970) on."""
        auth = self._auth
        named = {"iss": auth.issuer, "sub": auth.subject, "aud": auth.audience}
        claims = {**auth.claims, **{name: value for name, value in named.items() if value is not None}}
        claims |= {"iat": int(now), "exp": int(now + auth.lifetime.total_seconds()), "jti": str(uuid4())}
        headers = {**auth.headers, **({"kid": auth.key_id} if auth.key_id else {})}
        return jwt.encode(claims, self._key, algorithm=auth.algorithm, headers=headers)


class JwtSigner:
    """Sends the token as it is, and signs a new one shortly before its end."""

    def __init__(self, auth: JwtAuth, assertion: Assertion, redaction: Redaction, clock: Callable[[], float] = time.time) -> None:
        """Raises StalledError (InvalidSpec)."""
        self._header, self._prefix = check_name(auth.header, f"{_FIELD}.header"), auth.prefix
        self._lifetime = auth.lifetime.total_seconds()
        self._assertion = assertion
        self._redaction = redaction
        self._clock = clock
        self._text, self._until = "", 0.0

    def sign(self, ask: Ask) -> Ask:
        """The request with the token."""
        now = self._clock()
        if now >= self._until:
            self._text, self._until = self._assertion.signed(now), now + usable(self._lifetime)
            self._redaction.hide(self._text)
        return with_header(ask, self._header, self._prefix + self._text)

    def renew(self) -> bool:
        """Never: another one would say the same."""
        return False

    def close(self) -> None:
        """Nothing is open."""


def _key(auth: JwtAuth, values: Mapping[str, str]) -> AllowedPrivateKeys | bytes:
    if "secret" in values:
        return _secret(auth, values["secret"])
    passphrase = values["passphrase"].encode() if auth.encrypted else None
    try:
        key = load_pem_private_key(values["privateKey"].encode(), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        hint = "that passphrase opens" if auth.encrypted else "without a passphrase"
        raise _invalid(auth, f"is not a private key in PEM {hint}") from None
    return key  # type: ignore[return-value]


def _secret(auth: JwtAuth, secret: str) -> bytes:
    try:
        return base64.b64decode(secret.strip(), validate=True) if auth.secret_encoding == "Base64" else secret.encode()
    except ValueError:
        raise _invalid(auth, f"is not Base64 ({_FIELD}.secretEncoding)") from None


def _invalid(auth: JwtAuth, what: str) -> StalledError:
    return StalledError(f"Secret {auth.secret_ref.name}: {auth.keys[0]} {what} ({_FIELD})", reason=SECRET_INVALID)
