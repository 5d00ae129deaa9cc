"""Tokens of service accounts: JSON Web Tokens (RFC 7519) signed with ES256 by a key of the control plane's own."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from syncsource.localplane.access.identity import account_name
from syncsource.localplane.statefiles import write_private

ISSUER = "https://kubernetes.default.svc.cluster.local"
_ALGORITHM = "ES256"
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_LONGEST = 16 * 1024
_HALF = 32
_ES256 = ec.ECDSA(hashes.SHA256())


_T = TypeVar("_T")


class _Header(msgspec.Struct, frozen=True):
    alg: str


class Account(msgspec.Struct, frozen=True):
    """The ServiceAccount that a token is of."""

    name: str
    uid: str


class Bound(msgspec.Struct, frozen=True):
    """What must exist for a token to be valid."""

    namespace: str
    serviceaccount: Account


class Claims(msgspec.Struct, frozen=True):
    """What a token says; `nbf` and `exp` are in seconds since 1970."""

    iss: str
    aud: tuple[str, ...]
    nbf: int
    exp: int
    jti: str
    bound: Bound = msgspec.field(name="kubernetes.io")


class InvalidToken(Exception):
    """Not a token that this control plane issued, or not valid any more."""


class Signer:
    """Signs with the key of a state folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        path = folder / "service-accounts.key"
        if not path.exists():
            write_private(path, _new_key())
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise OSError(f"{path} is not a key of the curve P-256")
        self._key = key

    def sign(self, claims: Mapping[str, Any]) -> str:
        header = {"alg": _ALGORITHM, "typ": "JWT"}
        signed = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        first, second = decode_dss_signature(self._key.sign(signed.encode(), _ES256))
        return f"{signed}.{_encoded(first.to_bytes(_HALF) + second.to_bytes(_HALF))}"

    def claims(self, token: str) -> Claims:
        """What a token of this signer says; raises InvalidToken for every other. Times are not looked at."""
        parts = _TOKEN.fullmatch(token) if len(token) <= _LONGEST else None
        if parts is None:
            raise InvalidToken("not a JSON Web Token")
        header, claims, signature = (_decoded(part) for part in parts.groups())
        if _read(header, _Header).alg != _ALGORITHM or len(signature) != 2 * _HALF:
            raise InvalidToken(f"not signed with {_ALGORITHM}")
        pair = (int.from_bytes(half) for half in (signature[:_HALF], signature[_HALF:]))
        try:
            self._key.public_key().verify(encode_dss_signature(*pair), token.rpartition(".")[0].encode(), _ES256)
        except InvalidSignature as wrong:
            raise InvalidToken("not signed by this control plane") from wrong
        return _read(claims, Claims)


def account_claims(account: Mapping[str, Any], audiences: list[str], issued: int, expires: int) -> dict[str, Any]:
    """The claims for a ServiceAccount; instants are in seconds since 1970."""
    metadata = account["metadata"]
    return {
        "aud": audiences,
        "exp": expires,
        "iat": issued,
        "iss": ISSUER,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": {"namespace": metadata["namespace"], "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]}},
        "nbf": issued,
        "sub": account_name(metadata["namespace"], metadata["name"]),
    }


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as wrong:
        raise InvalidToken("not a JSON Web Token") from wrong


def _read(text: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as wrong:
        raise InvalidToken("without the claims of a service account") from wrong
