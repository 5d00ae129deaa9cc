"""Credentials of a service account: a JWT that its own key signs, which Google takes in place of an access token.

https://google.aip.dev/auth/4111 (self-signed JWT). No token endpoint is asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from syncsource.errors import StalledError
from syncsource.resource.firestore import KEY, FirestoreAuth
from syncsource.sources.hosts import Hosts
from syncsource.sources.hosts.guest import Token
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import Credentials, secret_values, with_header
from syncsource.sources.rest.reasons import SECRET_INVALID
from syncsource.sources.rest.redaction import Redaction

AUDIENCE = "https://firestore.googleapis.com/"
LIFETIME = 3600
"""Seconds: the longest that Google takes."""
LEASE = 10.0
"""Seconds that signing may take."""
_FIELD = "spec.source.firestore.auth.serviceAccount"
EMULATOR = "owner"
"""What an emulator takes for a token of its owner, whom no security rules bind."""


@dataclass(frozen=True, slots=True)
class Account:
    """A service account that can sign."""

    secret: str
    """The Secret's name."""
    email: str
    key_id: str
    key: RSAPrivateKey = field(repr=False)
    cached_as: str
    """What its tokens are shared under: a hash."""
    hidden: tuple[str, ...] = field(repr=False)
    """What no message may show."""

    @classmethod
    def of(cls, auth: FirestoreAuth, secrets: Mapping[str, Mapping[str, str]]) -> Account:
        """From the Secret. Raises StalledError (SecretNotFound, SecretInvalid)."""
        name = auth.service_account.secret_ref.name
        text = secret_values(name, [KEY], _FIELD, secrets)[KEY]
        file = _key_file(name, text)
        key = _private_key(name, file["private_key"])
        cached_as = "firestore:" + blake2b(text.encode(), digest_size=16).hexdigest()
        return cls(name, file["client_email"], file["private_key_id"], key, cached_as, (text, file["private_key"]))

    def signed(self, now: float) -> str:
        """A JWT that is good from ``now`` (seconds since 1970) on."""
        claims = {"iss": self.email, "sub": self.email, "aud": AUDIENCE, "iat": int(now), "exp": int(now) + LIFETIME}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})


class AccountSigner:
    """Sends the token in use, which all runs share, and signs the next one shortly before its end."""

    def __init__(self, account: Account, redaction: Redaction, hosts: Hosts) -> None:
        self._account = account
        self._redaction = redaction
        self._hosts = hosts
        self._text, self._until = "", 0.0

    def sign(self, ask: Ask) -> Ask:
        """The request with the token."""
        if time.monotonic() >= self._until:
            token = self._hosts.lend(self._account.cached_as, LEASE, lambda _: Token(self._account.signed(time.time()), LIFETIME))
            self._redaction.hide(token.text)
            self._text, self._until = token.text, time.monotonic() + token.seconds
        return with_header(ask, "authorization", f"Bearer {self._text}")

    def renew(self) -> bool:
        """The token was refused: the next one is signed anew."""
        self._hosts.refuse(self._account.cached_as, self._text)
        self._until = 0.0
        return True

    def close(self) -> None:
        """Nothing is open."""


def granted(account: Account | None, redaction: Redaction, hosts: Hosts) -> Credentials:
    """What requests carry: the account's token, or what an emulator takes."""
    if account is None:
        return Credentials(headers={"Authorization": f"Bearer {EMULATOR}"})
    return Credentials(account.secret, signer=AccountSigner(account, redaction, hosts))


def _key_file(secret: str, text: str) -> dict[str, str]:
    """The parts of the key file that are needed. Nothing of it is quoted."""
    try:
        file: Any = msgspec.json.decode(text)
    except ValueError:
        raise _invalid(secret, "is not JSON") from None
    if not isinstance(file, dict) or file.get("type") != "service_account":
        raise _invalid(secret, 'is not the key file of a service account ("type": "service_account")')
    lacking = [name for name in ("client_email", "private_key", "private_key_id") if not isinstance(file.get(name), str) or not file[name]]
    if lacking:
        raise _invalid(secret, f"lacks {' and '.join(lacking)}")
    return {name: file[name] for name in ("client_email", "private_key", "private_key_id")}


def _private_key(secret: str, pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise _invalid(secret, "has a private_key that is not PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise _invalid(secret, "has a private_key that is not of RSA")
    return key


def _invalid(secret: str, what: str) -> StalledError:
    return StalledError(f"Secret {secret}: {KEY} {what}; make a new key of the account ({_FIELD})", reason=SECRET_INVALID)
