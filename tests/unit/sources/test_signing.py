"""Signed tokens and signed requests: checked by the other side's own means."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from syncsource.errors import StalledError
from syncsource.resource.hmacauth import HmacAuth
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.hmacsigning import HmacSigner
from syncsource.sources.rest.urls import base_url
from tests.upstream import Asked, Reply, in_turn

REF = {"secretRef": {"name": "api"}}
RSA, EC, EC384 = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()
SECRET = "0123456789abcdef" * 8


def pem(key: Any, passphrase: bytes | None = None) -> str:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode())


def jwt_auth(algorithm: str, **more: Any) -> dict[str, Any]:
    return {"jwt": {**REF, "algorithm": algorithm, **more}}


KEYS = {"RS256": RSA, "RS384": RSA, "RS512": RSA, "PS256": RSA, "ES256": EC, "ES384": EC384, "EdDSA": ED}


@pytest.mark.parametrize("algorithm", [*KEYS, "HS256", "HS384", "HS512"])
def test_a_jwt_that_is_sent_as_it_is(serve: Any, read: Any, algorithm: str) -> None:
    key = KEYS.get(algorithm)
    api = serve(lambda asked: Reply([asked.headers["authorization"]]))
    declared = {
        "issuer": "me",
        "subject": "you",
        "audience": "them",
        "keyID": "k1",
        "claims": {"tenant": 7},
        "headers": {"x5t": "h"},
        "lifetime": "2m",
    }
    secrets = {"api": {"privateKey": pem(key)} if key else {"secret": SECRET}}
    (sent,) = read(api.url, auth=jwt_auth(algorithm, **declared), secrets=secrets)
    scheme, _, token = sent.partition(" ")
    claims = jwt.decode(token, key.public_key() if key else SECRET, algorithms=[algorithm], audience="them", issuer="me")
    assert (scheme, claims["sub"], claims["tenant"], claims["exp"] - claims["iat"]) == ("Bearer", "you", 7, 120)
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT", "kid": "k1", "x5t": "h"}


def test_one_jwt_serves_many_pages(serve: Any, read: Any) -> None:
    api = serve(lambda asked: Reply([asked.query["page"]] if asked.query["page"] < "4" else []))
    read(api.url, auth=jwt_auth("HS256", claims={"a": "b"}), secrets={"api": {"secret": SECRET}}, pagination={"page": {}})
    assert len(api.asked) == 4
    assert len({asked.headers["authorization"] for asked in api.asked}) == 1


def test_an_assertion_is_exchanged_for_a_token(serve: Any, read: Any) -> None:
    """RFC 7523, section 2.1."""
    endpoint = serve(in_turn(Reply({"access_token": "t-1", "expires_in": 60})))
    api = serve(lambda asked: Reply([asked.headers["authorization"]]))
    auth = jwt_auth("RS256", audience="a", encrypted=True, exchange={"tokenURL": endpoint.url, "scopes": ["x", "y"]})
    assert read(api.url, auth=auth, secrets={"api": {"privateKey": pem(RSA, b"open"), "passphrase": "open"}}) == ["Bearer t-1"]
    sent = dict(parse_qsl(endpoint.asked[0].body.decode()))
    assert jwt.decode(sent.pop("assertion"), RSA.public_key(), algorithms=["RS256"], audience="a")
    assert sent == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "scope": "x y"}


def test_a_signed_token_is_hidden(serve: Any, failure: Any) -> None:
    api = serve(lambda asked: Reply(f"no {asked.headers['authorization']}".encode(), status=400))
    error, _ = failure(api.url, auth=jwt_auth("HS256"), secrets={"api": {"secret": SECRET}})
    assert error.message == f"GET {api.url} answered 400: no Bearer ***"


@pytest.mark.parametrize(
    ("algorithm", "more", "values", "words"),
    [
        (
            "RS256",
            {},
            {"privateKey": "nonsense"},
            "privateKey is not a private key in PEM without a passphrase (spec.source.http.auth.jwt)",
        ),
        ("RS256", {}, {"privateKey": pem(RSA, b"x")}, "privateKey is not a private key in PEM without a passphrase"),
        (
            "RS256",
            {"encrypted": True},
            {"privateKey": pem(RSA, b"x"), "passphrase": "y"},
            "privateKey is not a private key in PEM that passphrase opens",
        ),
        ("RS256", {}, {"privateKey": pem(EC)}, "privateKey is no key for RS256"),
        ("ES256", {}, {"privateKey": pem(RSA)}, "privateKey is no key for ES256"),
        ("ES256", {}, {"privateKey": pem(EC384)}, "privateKey is no key for ES256"),
        ("HS256", {"secretEncoding": "Base64"}, {"secret": "é"}, "secret is not Base64 (spec.source.http.auth.jwt.secretEncoding)"),
    ],
)
def test_keys_that_are_none(opened: Any, algorithm: str, more: Any, values: Any, words: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth=jwt_auth(algorithm, **more), secrets={"api": values})
    assert caught.value.reason == "SecretInvalid"
    assert caught.value.message.startswith(f"Secret api: {words}")


RECIPE = "{{ method }}\n{{host}}\n{{ path }}\n{{ query }}\n{{ bodyHash }}\n{{ timestamp }}\n{{ nonce }}"


def hmac_auth(**more: Any) -> dict[str, Any]:
    return {**REF, "sign": "{{ timestamp }}.{{ body }}", "header": "X-Signature", "timestamp": {"header": "X-Timestamp"}, **more}


def test_a_request_is_signed_as_the_recipe_says(serve: Any, read: Any) -> None:
    def checked(asked: Asked) -> Reply:
        stamp, nonce = asked.headers["x-timestamp"], asked.headers["x-nonce"]
        signed = f"POST\n{asked.headers['host']}\n/v1/a%20b\nq=%C3%A9\n{hashlib.sha256(asked.body).hexdigest()}\n{stamp}\n{nonce}"
        expected = "v1=" + base64.b64encode(hmac.digest(b"k" * 20, signed.encode(), "sha256")).decode()
        return Reply([asked.headers["x-signature"] == expected])

    api = serve(checked)
    auth = {"hmac": hmac_auth(sign=RECIPE, prefix="v1=", encoding="Base64", nonceHeader="X-Nonce")}
    request = {"method": "POST", "path": "/v1/a b", "query": {"q": "é"}, "body": {"x": 1}}
    assert read(api.url, auth=auth, secrets={"api": {"secret": "k" * 20 + "\n"}}, request=request) == [True]


@pytest.mark.parametrize(
    ("form", "stamp"),
    [
        ("Seconds", "1767413106"),
        ("Milliseconds", "1767413106789"),
        ("ISO8601", "2026-01-03T04:05:06Z"),
        ("HTTPDate", "Sat, 03 Jan 2026 04:05:06 GMT"),
    ],
)
@pytest.mark.parametrize("encoding", ["Text", "Hex", "Base64"])
def test_timestamps_and_encodings_of_keys(form: str, stamp: str, encoding: str) -> None:
    key = {"Text": "key!", "Hex": b"key!".hex(), "Base64": base64.b64encode(b"key!").decode()}[encoding]
    auth = HmacAuth.model_validate(
        hmac_auth(secretEncoding=encoding, algorithm="SHA512", timestamp={"header": "X-Timestamp", "format": form})
    )
    signer = HmacSigner(auth, key, lambda: datetime(2026, 1, 3, 4, 5, 6, 789_000, tzinfo=UTC))
    signed = dict(signer.sign(Ask(base_url("http://h/"), body=b"{}")).headers)
    assert signed == {"x-timestamp": stamp, "x-signature": hmac.digest(b"key!", f"{stamp}.{{}}".encode(), "sha512").hex()}


@pytest.mark.parametrize("encoding", ["Hex", "Base64"])
def test_a_key_that_is_not_written_so(opened: Any, encoding: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened("http://127.0.0.1", auth={"hmac": hmac_auth(secretEncoding=encoding)}, secrets={"api": {"secret": "xyz!"}})
    assert caught.value.message == f"Secret api: secret is not {encoding} (spec.source.http.auth.hmac.secretEncoding)"
