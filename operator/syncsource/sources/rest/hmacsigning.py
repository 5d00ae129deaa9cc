"""Signatures of requests by a declared recipe (RFC 2104)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets as randomness
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from syncsource.errors import StalledError
from syncsource.resource.hmacauth import HmacAuth
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import check_name, with_header
from syncsource.sources.rest.reasons import SECRET_INVALID

_FIELD = "spec.source.http.auth.hmac"
_PLACEHOLDER = re.compile(rb"\{\{ *(\w+) *\}\}")


class HmacSigner:
    """``spec.source.http.auth.hmac``. ``clock``: what time it is, in UTC."""

    def __init__(self, auth: HmacAuth, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises StalledError: SecretInvalid, InvalidSpec."""
        check_name(auth.header, f"{_FIELD}.header")
        self._auth = auth
        self._key = _key(auth, secret)
        self._hash = auth.algorithm.lower()
        self._recipe = auth.sign.encode()
        self._clock = clock

    def sign(self, ask: Ask) -> Ask:
        """The request with signature, timestamp and nonce."""
        auth, nonce = self._auth, randomness.token_hex(16)
        stamp = _stamp(self._clock(), auth.timestamp.format) if auth.timestamp else ""
        signature = _written(hmac.digest(self._key, self._message(ask, stamp, nonce), self._hash), auth.encoding)
        if auth.timestamp:
            ask = with_header(ask, auth.timestamp.header, stamp)
        if auth.nonce_header:
            ask = with_header(ask, auth.nonce_header, nonce)
        return with_header(ask, auth.header, auth.prefix + signature)

    def renew(self) -> bool:
        """Never: the key is what it is."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    def _message(self, ask: Ask, stamp: str, nonce: str) -> bytes:
        path, _, query = ask.url.raw_path.partition(b"?")
        body = ask.body or b""
        values = {
            b"method": ask.method.encode(),
            b"host": ask.url.netloc,
            b"path": path,
            b"query": query,
            b"body": body,
            b"bodyHash": hashlib.new(self._hash, body).hexdigest().encode(),
            b"timestamp": stamp.encode(),
            b"nonce": nonce.encode(),
        }
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self._recipe)


def _key(auth: HmacAuth, secret: str) -> bytes:
    try:
        if auth.secret_encoding == "Base64":
            return base64.b64decode(secret.strip(), validate=True)
        return bytes.fromhex(secret) if auth.secret_encoding == "Hex" else secret.encode()
    except ValueError:
        raise StalledError(
            f"Secret {auth.secret_ref.name}: secret is not {auth.secret_encoding} ({_FIELD}.secretEncoding)", reason=SECRET_INVALID
        ) from None


def _stamp(now: datetime, form: str) -> str:
    if form == "HTTPDate":
        return format_datetime(now, usegmt=True)
    if form == "ISO8601":
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds, rest = divmod(now - datetime(1970, 1, 1, tzinfo=UTC), _SECOND)
    return str(seconds * 1000 + rest // (_SECOND / 1000)) if form == "Milliseconds" else str(seconds)


_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)


def _written(digest: bytes, encoding: str) -> str:
    if encoding == "Hex":
        return digest.hex()
    return (base64.b64encode(digest) if encoding == "Base64" else base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()
